import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { expandVariables, type Variables } from './expand-variables.ts'

const env: Variables = { A: 'alpha', EMPTY: '', B: 'beta', UNSET: undefined }

function expand(text: string): { readonly text: string; readonly problems: readonly string[] } {
  const problems: string[] = []
  return { text: expandVariables(text, env, (message, offset) => problems.push(`${offset}: ${message}`)), problems }
}

describe('expandVariables', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a: ${A} b: ${B}', 'a: alpha b: beta'],
    ['${NONE}|${UNSET}|${EMPTY}', '||'],
    ['${NONE:-x y}|${EMPTY:-e}|${A:-no}', 'x y|e|alpha'],
    ['${NONE-x}|${EMPTY-e}', 'x|'],
    ['${NONE:=n}|${NONE}|${NONE:-other}', 'n|n|n'],
    ['${A:?must}', 'alpha'],
    ['${NONE:-${A}-${B}}', 'alpha-beta'],
    ['${NONE:-{a: {b: 1}', '{a: {b: 1'],
    ['${A:1:3}|${A:3}|${NONE:1}', 'lph|ha|'],
    ['${A/a/o}|${A//a/o}|${A/zz/o}|${A//a/}', 'olpha|olpho|alpha|lph'],
    ['$${A} $A $1 ${1} $$ $', '${A} $A $1 ${1} $$ $'],
    ['${A}${A}', 'alphaalpha'],
    ['ü${A}😀', 'üalpha😀'],
    ['replacement: $1-${2}', 'replacement: $1-${2}'],
  ]
  for (const [text, expected] of cases) {
    it(`${text} → ${expected}`, () => assert.deepEqual(expand(text), { text: expected, problems: [] }))
  }

  it('tells what is wrong and where', () => {
    assert.deepEqual(expand('x ${NONE:?please set it}').problems, ['2: variable NONE: please set it'])
    assert.deepEqual(expand('x ${EMPTY:?}').problems, ['2: variable EMPTY: it must be set'])
    assert.deepEqual(expand('x ${A').problems, ['2: ${A has no closing brace'])
    assert.deepEqual(expand('${A!}').problems, ['0: ${A!} is not understood'])
    assert.match(expand('${N:-'.repeat(20) + '}'.repeat(20)).problems[0] ?? '', /nested too deeply/)
  })

  it('does not expand values again', () => {
    assert.equal(expandVariables('${X}', { X: '${A}', A: 'no' }, assert.fail), '${A}')
  })

  it('leaves texts without variables alone (property)', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replaceAll('${', '$ {')
        assert.equal(expandVariables(plain, {}, assert.fail), plain)
      }),
    )
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fixLeadingDigit, sanitizeNamePart } from '#/kernel/label-name.ts'
import { labelsOf } from './page-fixture.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
const check = { seed: testSeed, numRuns: 1000 }

const piece = fc.constantFrom(
  'a',
  'b',
  'key',
  '=',
  '=',
  '"',
  ' ',
  ' ',
  '\t',
  '\\n',
  '\\"',
  '\\q',
  'é',
  '1',
  'x=y',
  'a="b c"',
)
const line = fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join(''))

/** The language by regular expressions: what stands at the place decides. */
function reference(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  const set = (key: string, value: string): void => {
    const name = fixLeadingDigit(sanitizeNamePart(key))
    if (value !== '' && !Object.hasOwn(labels, name)) labels[name] = value
  }
  let rest = text
  while ((rest = rest.replace(/^[\s]+/, '')) !== '') {
    const quoted = /^([^\s="]+)="((?:[^"\\]|\\[^])*)"/.exec(rest)
    const bare = /^([^\s="]+)(?:=([^\s="]*))?(?=[\s]|$)/.exec(rest)
    if (quoted) {
      rest = rest.slice(quoted[0].length)
      try {
        set(quoted[1]!, JSON.parse(`"${quoted[2]!.replaceAll('\t', '\\t')}"`))
      } catch {
        rest = rest.replace(/^[^\s]+/, '')
      }
    } else if (bare) {
      set(bare[1]!, bare[2] ?? '')
      rest = rest.slice(bare[0].length)
    } else if (/^[^\s="]+="/.test(rest)) {
      rest = ''
    } else {
      // the bad byte, and everything up to the next blank
      const bad = /^(?:[^\s="]+=)?[^\s="]*/.exec(rest)![0].length
      rest = rest.slice(bad).replace(/^[^\s]+/, '')
    }
  }
  return labels
}

test(`lines give the pairs that a reader of regular expressions finds (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(line, (text) => {
      assert.deepEqual(labelsOf('| logfmt', text, { stream: [] }), reference(text))
    }),
    check,
  )
})

test(`--strict gives the same pairs up to its error (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(line, (text) => {
      const { __error__: error, __error_details__: _, ...strict } = labelsOf('| logfmt --strict', text, { stream: [] })!
      const all = reference(text)
      for (const [name, value] of Object.entries(strict)) assert.equal(value, all[name])
      if (error === undefined) assert.deepEqual(strict, all)
    }),
    check,
  )
})

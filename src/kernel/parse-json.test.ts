import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { parseJson } from './parse-json.ts'

const letter = fc.constantFrom('\\', '"', '\n', 'n', 'u', '0', 'é', '/', ' ', ':', '{', 'a', '😀')
const key = fc.string({ unit: letter, maxLength: 4 })

/** One level of objects, so that its members can be given without any parser. */
const members = fc.uniqueArray(fc.tuple(key, fc.oneof(key, fc.integer(), fc.constant(null), fc.array(key))), {
  selector: ([name]) => name,
  maxLength: 6,
})

test('keys and values come back, whatever keys were read before', () => {
  fc.assert(
    fc.property(members, (pairs) => {
      const text = `{${pairs.map(([name, value]) => `${JSON.stringify(name)} : ${JSON.stringify(value)}`).join(',\n')}}`
      assert.deepEqual(parseJson(text), Object.fromEntries(pairs))
    }),
    { numRuns: 2000 },
  )
})

test('a quote is no backslash', () => {
  assert.deepEqual(parseJson('{"\\\\":1}'), { '\\': 1 })
  assert.deepEqual(parseJson('{"\\"":1}'), { '"': 1 })
})

test('texts that JSON.parse takes or refuses are taken or refused', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"\\n"',
    '"a"',
    '1',
    '-',
    '0.5e1',
    'true',
    'nul',
    ' ',
    '"',
  )
  const read = (parse: (text: string) => unknown, text: string): unknown => {
    try {
      return { value: parse(text) }
    } catch (error) {
      assert.ok(error instanceof SyntaxError, String(error))
      return 'refused'
    }
  }
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = `["\\n",${pieces.join('')}]`
      assert.deepEqual(
        read(parseJson, text),
        read((whole) => JSON.parse(whole), text),
      )
    }),
    { numRuns: 5000 },
  )
})

test('the last of several members of one name counts, and a name may be __proto__', () => {
  const value = parseJson('{"a":1,"__proto__":{"b":"\\n"},"a":2}') as object
  assert.deepEqual(Object.entries(value), [
    ['a', 2],
    ['__proto__', { b: '\n' }],
  ])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
})

test('nesting is bounded', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}"\\n"${']'.repeat(depth)}`
  assert.doesNotThrow(() => parseJson(nested(1000)))
  assert.throws(() => parseJson(nested(100_000)), /nested more deeply than 1000 levels/)
})

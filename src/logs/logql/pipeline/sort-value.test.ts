import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareSortValues, sortValue } from './sort-value.ts'

const sorted = (texts: readonly string[], descending: boolean): string[] =>
  texts.toSorted((a, b) => compareSortValues(sortValue(a), sortValue(b), descending))

const mixed = [
  '',
  'b',
  '10',
  'NaN',
  '9',
  'B',
  '-Inf',
  '+inf',
  '1e3',
  '0x10',
  '0x1p5',
  '.5',
  'Zoë',
  '1_000',
  '😀',
  '\uffff',
]

test('numbers by size, then NaN, then texts by code point, then what is missing', () => {
  assert.deepEqual(sorted(mixed, false), [
    '-Inf',
    '.5',
    '9',
    '10',
    '0x1p5',
    '1e3',
    '+inf',
    'NaN',
    '0x10',
    '1_000',
    'B',
    'Zoë',
    'b',
    '\uffff',
    '😀',
    '',
  ])
})

test('descending turns numbers and texts around, each among themselves', () => {
  assert.deepEqual(sorted(mixed, true), [
    '+inf',
    '1e3',
    '0x1p5',
    '10',
    '9',
    '.5',
    '-Inf',
    'NaN',
    '😀',
    '\uffff',
    'b',
    'Zoë',
    'B',
    '1_000',
    '0x10',
    '',
  ])
})

test('numbers that are written differently have the same place', () => {
  for (const [a, b] of [
    ['1', '1.0'],
    ['+5', '5e0'],
    ['inf', '+Infinity'],
    ['0', '-0'],
    ['nan', 'NaN'],
  ] as const) {
    assert.equal(compareSortValues(sortValue(a), sortValue(b), false), 0, `${a} and ${b}`)
    assert.equal(compareSortValues(sortValue(b), sortValue(a), true), 0, `${b} and ${a}`)
  }
  assert.equal(sortValue('1e999'), '1e999', 'out of range is a text, as in Go')
})

test('is a total order', () => {
  const value = fc.oneof(fc.constantFrom(...mixed), fc.double().map(String), fc.string({ maxLength: 3 }))
  fc.assert(
    fc.property(value, value, value, fc.boolean(), (x, y, z, descending) => {
      const [a, b, c] = [sortValue(x), sortValue(y), sortValue(z)]
      const compare = (left: typeof a, right: typeof a): number => Math.sign(compareSortValues(left, right, descending))
      assert.equal(compare(a, b) + compare(b, a), 0)
      if (compare(a, b) <= 0 && compare(b, c) <= 0) assert(compare(a, c) <= 0)
    }),
  )
})

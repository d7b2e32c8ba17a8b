import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fieldTypeOf, humanBytes, shownValue } from './field-type.ts'

test('the type of a value is the first reading that fits', () => {
  const cases: readonly [string, string][] = [
    ['200', 'int'],
    ['-5', 'int'],
    ['1', 'int'],
    ['9223372036854775807', 'int'],
    ['9223372036854775808', 'float'],
    ['-9223372036854775808', 'int'],
    ['0.5', 'float'],
    ['1e3', 'float'],
    ['NaN', 'float'],
    ['true', 'boolean'],
    ['F', 'boolean'],
    ['15ms', 'duration'],
    ['-1h2m', 'duration'],
    ['1.5s', 'duration'],
    ['2.5MB', 'bytes'],
    ['300 KiB', 'bytes'],
    ['7b', 'bytes'],
    ['', 'string'],
    ['tRUE', 'string'],
    ['12 apples', 'string'],
    ['2026-11-18', 'string'],
  ]
  for (const [value, type] of cases) assert.equal(fieldTypeOf(value), type, value)
})

test('sizes are shown in one way, everything else as it is', () => {
  const cases: readonly [string, string][] = [
    ['300 kB', '300kB'],
    ['2.5MB', '2.5MB'],
    ['5242880 B', '5.2MB'],
    ['1KiB', '1.0kB'],
    ['9b', '9B'],
    ['1000B', '1.0kB'],
    ['999B', '999B'],
    ['1500', '1500'],
    ['15ms', '15ms'],
    ['text', 'text'],
  ]
  for (const [value, shown] of cases) assert.equal(shownValue(value), shown)
  assert.equal(humanBytes(10), '10B')
  assert.equal(humanBytes(999_999), '1000kB')
  assert.equal(humanBytes(1e21), '1000EB')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatSampleValue } from './format-value.ts'

test('values are the shortest decimals without an exponent', () => {
  const texts: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [0.5, '0.5'],
    [-1.25, '-1.25'],
    [100, '100'],
    [1e21, '1000000000000000000000'],
    [1.5e22, '15000000000000000000000'],
    [-2.5e-7, '-0.00000025'],
    [1e-7, '0.0000001'],
    [5e-324, `0.${'0'.repeat(323)}5`],
    [NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
  ]
  for (const [value, text] of texts) assert.equal(formatSampleValue(value), text)
})

test('every finite number reads back as itself', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const text = formatSampleValue(value)
      assert.match(text, /^-?\d+(\.\d+)?$/)
      assert(Object.is(Number(text), value))
    }),
  )
})

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parseBytesLiteral, parseDurationLiteral } from '#/logs/logql/parser/quantity.ts'
import { printBytes, printDuration, printMatcher, printNumber, printPlainNumber, printString } from './literals.ts'

test('numbers as Go prints them', () => {
  const cases: [number, string, string][] = [
    [0, '0', '0'],
    [-0, '-0', '-0'],
    [5, '5', '5'],
    [-2.5, '-2.5', '-2.5'],
    [999_999, '999999', '999999'],
    [1e6, '1e+06', '1000000'],
    [123_456_789, '1.23456789e+08', '123456789'],
    [0.0001, '0.0001', '0.0001'],
    [0.00001, '1e-05', '0.00001'],
    [1.5e-7, '1.5e-07', '0.00000015'],
    [1.25e21, '1.25e+21', '1250000000000000000000'],
    [1e100, '1e+100', `1${'0'.repeat(100)}`],
  ]
  for (const [value, short, plain] of cases) {
    assert.equal(printNumber(value), short)
    assert.equal(printPlainNumber(value), plain)
  }
})

test('any number comes back from either form', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.ok(Object.is(Number(printNumber(value)), value), printNumber(value))
      assert.ok(Object.is(Number(printPlainNumber(value)), value), printPlainNumber(value))
      assert.doesNotMatch(printPlainNumber(value), /e/)
    }),
  )
})

test('sizes are rounded for people only when nothing is lost', () => {
  const cases: [number, string][] = [
    [0, '0B'],
    [9, '9B'],
    [10, '10B'],
    [999, '999B'],
    [1000, '1.0kB'],
    [5000, '5.0kB'],
    [5500, '5.5kB'],
    [5120, '5120B'],
    [20_000, '20kB'],
    [20_500, '20500B'],
    [1e6, '1.0MB'],
    [123_456, '123456B'],
    [999_949, '999949B'],
    [1e15, '1.0PB'],
    [5e18, '5000PB'],
  ]
  for (const [bytes, text] of cases) assert.equal(printBytes(bytes), text)
})

test('any size and duration comes back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      assert.equal(parseBytesLiteral(printBytes(value)), value)
      assert.equal(parseDurationLiteral(printDuration(value)), value, printDuration(value))
    }),
  )
})

test('strings and matchers', () => {
  assert.equal(printString('a"b', false), '"a\\"b"')
  assert.equal(printString('a"b', true), '`a"b`')
  assert.equal(printMatcher({ name: 'a', op: '!~', value: '\\d\n' }), 'a!~"\\\\d\\n"')
})

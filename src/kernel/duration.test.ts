import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goDurationFault, goSeconds, parseGoDuration } from './duration.ts'

test("Go's durations, to the nanosecond", () => {
  for (const [text, ns] of [
    ['1s', 1e9],
    ['1.5s', 1.5e9],
    ['1h2m3.004005006s', 3_723_004_005_006],
    ['-300ms', -3e8],
    ['+.5m', 3e10],
    ['1.s', 1e9],
    ['0', 0],
    ['250µs', 250_000],
    ['250μs', 250_000],
    ['1.123456789s', 1_123_456_789],
  ] as const) {
    assert.equal(parseGoDuration(text), ns, text)
  }
})

test('what is below a nanosecond is cut off', () => {
  assert.equal(parseGoDuration('1.9ns'), 1)
  assert.equal(parseGoDuration('1.12345678999s'), 1_123_456_789)
  assert.equal(parseGoDuration('1.9ns1.9ns'), 2)
})

test('64 bits of nanoseconds are 292 years', () => {
  assert.equal(parseGoDuration('9223372036s'), 9_223_372_036_000_000_000)
  for (const text of ['9223372037s', '999999999m', '-2562048h', '1000000h1600000h']) {
    assert.equal(parseGoDuration(text), undefined, text)
    assert.equal(goDurationFault(text), `time: invalid duration "${text}"`)
  }
})

test('seconds are the sum of two numbers', () => {
  assert.equal(goSeconds(1_503_000_000), 1 + 0.503)
  assert.equal(goSeconds(-250_000_000), -0.25)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BadRequest } from '#/kernel/errors.ts'
import {
  checkRange,
  encodingFlags,
  parseCount,
  parseDirection,
  parseInterval,
  parseLimit,
  parseStep,
  parseTimes,
  parseTimestamp,
} from './params.ts'

const params = (text: string): URLSearchParams => new URLSearchParams(text)
const now = 1_700_000_000_000_000_000n

test('a timestamp is float seconds, seconds of at most ten digits, nanoseconds, or RFC3339', () => {
  const cases: readonly [string, bigint][] = [
    ['1700000000', 1_700_000_000_000_000_000n],
    ['4000000000', 4_000_000_000_000_000_000n],
    ['1700000000000', 1_700_000_000_000n],
    ['1700000000000000001', 1_700_000_000_000_000_001n],
    ['1700000000.1234', 1_700_000_000_123_000_000n],
    ['1.5e3', 1_500_000_000_000n],
    ['-5', -5_000_000_000n],
    ['2023-11-14T22:13:20Z', 1_700_000_000_000_000_000n],
    ['2023-11-14T23:13:20.000000001+01:00', 1_700_000_000_000_000_001n],
  ]
  for (const [text, ns] of cases) assert.equal(parseTimestamp('start', text), ns, text)
})

test('anything else is refused with the name of the parameter', () => {
  for (const text of [
    'yesterday',
    '12x',
    '2023-13-01T00:00:00Z',
    '2023-11-14 22:13:20',
    '1e5',
    '123456789012345678901234',
  ]) {
    assert.throws(() => parseTimestamp('end', text), {
      name: 'BadRequest',
      message: /^could not parse 'end' parameter: /,
    })
  }
})

test('without parameters a range is the last hour; since counts back from end, and start wins over since', () => {
  assert.deepEqual(parseTimes(params(''), now), { startNs: now - 3_600_000_000_000n, endNs: now })
  assert.deepEqual(parseTimes(params('since=1d'), now), { startNs: now - 86_400_000_000_000n, endNs: now })
  assert.deepEqual(parseTimes(params('end=1600000000&since=5m'), now), {
    startNs: 1_599_999_700_000_000_000n,
    endNs: 1_600_000_000_000_000_000n,
  })
  assert.equal(
    parseTimes(params('end=1800000000'), now).startNs,
    now - 3_600_000_000_000n,
    'a future end counts back from now',
  )
  assert.equal(parseTimes(params('start=1&since=5m'), now).startNs, 1_000_000_000n)
  assert.throws(() => parseTimes(params('since=abc'), now), /'since'/)
})

test('a range may be empty but not run backwards', () => {
  checkRange(5n, 5n)
  assert.throws(() => checkRange(6n, 5n), { message: 'end timestamp must not be before or equal to start time' })
})

test('step: seconds or a duration, a 250th of the range by default, at most 11,000 points', () => {
  const hour = { startNs: now - 3_600_000_000_000n, endNs: now }
  assert.equal(parseStep(params('step=15'), hour), 15_000_000_000n)
  assert.equal(parseStep(params('step=0.5'), hour), 500_000_000n)
  assert.equal(parseStep(params('step=1m30s'), hour), 90_000_000_000n)
  assert.equal(parseStep(params(''), hour), 14_000_000_000n)
  assert.equal(parseStep(params(''), { startNs: now, endNs: now }), 1_000_000_000n)
  assert.throws(
    () => parseStep(params('step=0'), hour),
    /zero or negative query resolution step widths are not accepted/,
  )
  assert.throws(() => parseStep(params('step=-5'), hour), /zero or negative/)
  assert.throws(() => parseStep(params('step=fast'), hour), { message: 'cannot parse "fast" to a valid duration' })
  assert.throws(
    () => parseStep(params('step=0.1'), hour),
    /exceeded maximum resolution of 11,000 points per time series/,
  )
})

test('interval, limit and direction', () => {
  assert.equal(parseInterval(params('')), 0n)
  assert.equal(parseInterval(params('interval=30s')), 30_000_000_000n)
  assert.throws(() => parseInterval(params('interval=-1')), { message: 'interval must be >= 0' })
  assert.equal(parseLimit(params('')), 100)
  assert.equal(parseLimit(params('limit=7')), 7)
  assert.throws(() => parseLimit(params('limit=0')), { message: 'limit must be a positive value' })
  assert.throws(() => parseLimit(params('limit=-3')), { message: 'limit must be a positive value' })
  assert.throws(() => parseLimit(params('limit=many')), BadRequest)
  assert.equal(parseDirection(params('')), 'backward')
  assert.equal(parseDirection(params('direction=FORWARD')), 'forward')
  assert.throws(() => parseDirection(params('direction=up')), { message: "invalid direction 'up'" })
})

test('encoding flags are a comma list, unknown ones are kept', () => {
  assert.deepEqual(encodingFlags(undefined), [])
  assert.deepEqual(encodingFlags('categorize-labels, other'), ['categorize-labels', 'other'])
})

test('a count of 0 or nothing is the default, a negative one is refused', () => {
  assert.equal(parseCount(params(''), 'limit', 7), 7)
  assert.equal(parseCount(params('limit=0'), 'limit', 7), 7)
  assert.equal(parseCount(params('line_limit=12'), 'line_limit', 7), 12)
  assert.throws(() => parseCount(params('line_limit=-1'), 'line_limit', 7), {
    message: 'line_limit must be a positive value',
  })
  assert.throws(() => parseCount(params('limit=1.5'), 'limit', 7), BadRequest)
})

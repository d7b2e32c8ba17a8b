import assert from 'node:assert/strict'
import { test } from 'node:test'

import { absoluteNs, dayOf, timeInDay } from '#/logs/model/day.ts'
import { bucketOf, VolumeBuckets } from './volume-buckets.ts'

const HOUR = 3_600_000_000_000n

test('buckets end at multiples of the step, the last one at the end of the range', () => {
  const buckets = new VolumeBuckets({ startNs: 10n * HOUR + 5n, endNs: 12n * HOUR + 7n }, HOUR)
  assert.deepEqual(buckets.endsNs, [11n * HOUR, 12n * HOUR, 12n * HOUR + 7n])
  assert.deepEqual(new VolumeBuckets({ startNs: 3n, endNs: 9n }, 0n).endsNs, [9n])
})

test('every time of every day is in the bucket that it would be in without days', () => {
  const ranges = [
    [-30n * HOUR - 17n, 55n * HOUR],
    [1_795_000_000_000_000_001n, 1_795_000_000_000_000_001n + 80n * HOUR],
  ] as const
  for (const [startNs, endNs] of ranges) {
    for (const step of [1_000_000_007n, HOUR, 7n * HOUR + 1n, 24n * HOUR, 24_000n * HOUR]) {
      const buckets = new VolumeBuckets({ startNs, endNs }, step)
      const floor = (ns: bigint): bigint => (ns - (((ns % step) + step) % step)) / step
      for (let i = 0n; i <= 300n; i++) {
        const ns = startNs + ((endNs - startNs) * i) / 300n
        const day = dayOf(ns)
        const from = timeInDay(startNs > absoluteNs(day, 0) ? startNs : absoluteNs(day, 0))
        const found = bucketOf(buckets.inDay(day, from), timeInDay(ns))
        assert.equal(found, Number(floor(ns) - floor(startNs)), `${ns} by ${step}`)
        assert.ok(found >= 0 && found < buckets.count)
      }
    }
  }
})

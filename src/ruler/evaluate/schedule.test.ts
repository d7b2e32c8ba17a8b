import assert from 'node:assert/strict'
import { test } from 'node:test'

import { following, nextEvaluation, offsetOf } from './schedule.ts'

test('a group has its own moment within the interval, always the same', () => {
  const at = (group: string): number => offsetOf({ tenant: 't', namespace: 'n', group }, 60_000)
  assert.equal(at('a'), at('a'))
  const offsets = new Set(Array.from({ length: 100 }, (_, index) => Math.floor(at(`g${index}`) / 6000)))
  assert.equal(offsets.size, 10)
})

test('the next evaluation is the first multiple behind now', () => {
  assert.equal(nextEvaluation(1000, 60_000, 500), 60_500)
  assert.equal(nextEvaluation(400, 60_000, 500), 500)
  assert.equal(nextEvaluation(500, 60_000, 500), 60_500)
})

test('evaluations that passed are missed, but for the last', () => {
  assert.deepEqual(following(0, 30, 100), { atMs: 100, missed: 0 })
  assert.deepEqual(following(0, 130, 100), { atMs: 100, missed: 0 })
  assert.deepEqual(following(0, 250, 100), { atMs: 200, missed: 1 })
  assert.deepEqual(following(0, 1000, 100), { atMs: 1000, missed: 9 })
})

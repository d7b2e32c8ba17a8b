import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DistinctCount } from './distinct-count.ts'

test('few texts are counted exactly, and a text that was there before is known', () => {
  const count = new DistinctCount(3)
  assert.deepEqual(
    ['a', 'b', 'a', 'c', ''].map((text) => count.add(text)),
    [true, true, false, true, true],
  )
  assert.equal(count.count, 4)
})

test('beyond the exact ones the count is an estimate, and goes on from where it was', () => {
  const count = new DistinctCount(100)
  for (let i = 0; i < 100; i++) count.add(`v${i}`)
  assert.ok(count.isExact)
  assert.equal(count.count, 100)
  for (let i = 0; i < 20_000; i++) count.add(`v${i}`)
  assert.ok(!count.isExact)
  assert.ok(Math.abs(count.count - 20_000) < 20_000 * 0.03, String(count.count))
})

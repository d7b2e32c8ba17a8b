import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spreadOut } from './spread-out.ts'

test('all things are there, and the first few come from everywhere', () => {
  assert.deepEqual(spreadOut([0, 1, 2, 3, 4, 5, 6, 7]), [0, 4, 2, 6, 1, 3, 5, 7])
  assert.deepEqual(spreadOut([0, 1, 2, 3, 4, 5, 6, 7, 8]), [0, 8, 4, 2, 6, 1, 3, 5, 7])
  for (let length = 0; length < 40; length++) {
    const things = Array.from({ length }, (_, i) => i)
    assert.deepEqual(
      spreadOut(things).toSorted((a, b) => a - b),
      things,
    )
  }
})

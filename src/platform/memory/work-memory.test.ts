import assert from 'node:assert/strict'
import { test } from 'node:test'

import { WorkMemoryPool } from './work-memory.ts'

const MiB = 1024 * 1024

/** Takes memory and gives it back at once. */
function useOnce(pool: WorkMemoryPool, ...sizes: readonly number[]): Buffer[] {
  const memory = pool.lease()
  const taken = sizes.map((size) => memory.bytes(size))
  memory.release()
  return taken
}

test('pieces of one lease lie beside each other, aligned for every typed array', () => {
  const memory = new WorkMemoryPool(4 * MiB).lease()
  const sizes = [1, 7, 8, 1000, 3 * MiB, 0, 5]
  const pieces = sizes.map((size, i) => memory.bytes(size).fill(i))
  for (const [i, piece] of pieces.entries()) {
    assert.equal(piece.length, sizes[i])
    assert.equal(piece.byteOffset % 8, 0)
    assert.ok(
      piece.every((byte) => byte === i),
      `piece ${i} is its own`,
    )
  }
})

test('what is given back is used again', () => {
  const pool = new WorkMemoryPool(4 * MiB)
  const [first] = useOnce(pool, 100)
  assert.equal(pool.idleBytes, MiB)
  const [again] = useOnce(pool, 200)
  assert.equal(again!.buffer, first!.buffer)
  assert.equal(pool.idleBytes, MiB)
})

test('leases at the same time have different memory', () => {
  const pool = new WorkMemoryPool(4 * MiB)
  useOnce(pool, 100)
  const one = pool.lease()
  const other = pool.lease()
  assert.notEqual(one.bytes(100).buffer, other.bytes(100).buffer)
  // twice is as good as once
  one.release()
  one.release()
  other.release()
  assert.equal(pool.idleBytes, 2 * MiB)
})

test('no more than the limit is kept, and what was used last', () => {
  const pool = new WorkMemoryPool(4 * MiB)
  useOnce(pool, 100)
  const [large] = useOnce(pool, 4 * MiB)
  assert.equal(pool.idleBytes, 4 * MiB)
  assert.equal(useOnce(pool, 4 * MiB)[0]!.buffer, large!.buffer)
  useOnce(pool, 5 * MiB)
  assert.equal(pool.idleBytes, 0, 'beyond the limit nothing fits')
})

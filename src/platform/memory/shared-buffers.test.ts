import assert from 'node:assert/strict'
import test from 'node:test'
import { MemoryBudget } from './memory-budget.ts'
import { SharedBuffers } from './shared-buffers.ts'

const KIB = 1024

function pool(maxIdleBytes = 512 * KIB, limitBytes = 1024 * KIB) {
  const budget = new MemoryBudget(limitBytes)
  return { budget, buffers: new SharedBuffers({ budget, maxIdleBytes }) }
}

test('what a lease gave back is used again', () => {
  const { buffers } = pool()
  const first = buffers.lease()
  const memory = first.take(100 * KIB)
  assert.equal(memory.byteLength, 128 * KIB)
  assert.notEqual(first.take(100 * KIB), memory)
  first.release()
  assert.equal(buffers.idleBytes, 256 * KIB)
  const second = buffers.lease()
  assert.ok([second.take(120 * KIB), second.take(70 * KIB)].includes(memory))
  assert.equal(buffers.idleBytes, 0)
})

test('the smallest that is large enough, and none that is far too large', () => {
  const { buffers } = pool()
  const lease = buffers.lease()
  const [large, medium] = [lease.take(256 * KIB), lease.take(128 * KIB)]
  lease.release()
  const next = buffers.lease()
  assert.equal(next.take(128 * KIB), medium)
  assert.equal(next.take(50 * KIB).byteLength, 64 * KIB)
  assert.equal(next.take(128 * KIB), large)
})

test('idle memory is bounded, counted, and given up under pressure', () => {
  const { buffers, budget } = pool(256 * KIB)
  const lease = buffers.lease()
  for (let i = 0; i < 3; i++) lease.take(128 * KIB)
  lease.take(300 * KIB)
  lease.release()
  assert.equal(buffers.idleBytes, 256 * KIB)
  assert.equal(budget.usedBytes, 256 * KIB)
  assert.ok(budget.reserve('query').grow(1024 * KIB))
  assert.equal(buffers.idleBytes, 0)
})

test('a lease that is released twice gives back once', () => {
  const { buffers } = pool()
  const lease = buffers.lease()
  lease.take(64 * KIB)
  lease.release()
  lease.release()
  assert.equal(buffers.idleBytes, 64 * KIB)
})

test('buffers come in few sizes, and what was given up is counted', () => {
  const { buffers } = pool(2048 * KIB, 4096 * KIB)
  const sizes = new Set<number>()
  for (let kib = 65; kib < 1024; kib += 13) {
    const lease = buffers.lease()
    const memory = lease.take(kib * KIB)
    assert.ok(memory.byteLength >= kib * KIB && memory.byteLength <= 2 * kib * KIB)
    sizes.add(memory.byteLength)
    lease.release()
  }
  assert.ok(sizes.size <= 8, `${sizes.size} sizes`)
  assert.equal(
    buffers.droppedBytes + buffers.idleBytes,
    [...sizes].reduce((sum, bytes) => sum + bytes, 0),
  )
})

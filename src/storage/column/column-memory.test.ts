import assert from 'node:assert/strict'
import { test } from 'node:test'
import { idleColumnBytes, LentMemory } from './column-memory.ts'

test('what a page gives back is used by the next one, and never by two at once', () => {
  const first = new LentMemory()
  const a = first.u32(10_000)
  const b = first.f64(3)
  assert.deepEqual([a.length, b.length], [10_000, 3])
  assert.notEqual(a.buffer, b.buffer)
  const idle = idleColumnBytes()
  first.giveBack()
  assert.equal(idleColumnBytes(), idle + a.buffer.byteLength + b.buffer.byteLength)
  const second = new LentMemory()
  const third = new LentMemory()
  const again = second.bytes(40_000)
  assert.equal(again.buffer, a.buffer)
  assert.equal(again.length, 40_000)
  assert.notEqual(third.bytes(40_000).buffer, again.buffer)
  // giving back twice lends nothing twice
  second.giveBack()
  second.giveBack()
  assert.notEqual(new LentMemory().u32(10_000).buffer, new LentMemory().u32(10_000).buffer)
})

test('idle memory is bounded', () => {
  const memory = new LentMemory()
  for (let i = 0; i < 100; i++) memory.f64(65_536)
  memory.giveBack()
  assert.ok(idleColumnBytes() <= 4 * 1024 * 1024)
})

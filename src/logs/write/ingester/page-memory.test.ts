import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { PageMemory } from './page-memory.ts'
import { TenantHeads } from './tenant-heads.ts'
import { buildEntryBatch } from '#/logs/wire/entry-batch-builder.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'

const megabyte = 1024 * 1024

function pool(limitBytes = 100 * megabyte, maxFreeBytes = 50 * megabyte): { budget: MemoryBudget; memory: PageMemory } {
  const budget = new MemoryBudget(limitBytes)
  return { budget, memory: new PageMemory(budget.reserve('free'), maxFreeBytes) }
}

describe('page memory', () => {
  it('uses memory again that came back, for any size of the same step', () => {
    const { budget, memory } = pool()
    const first = memory.take(megabyte + 5)
    memory.give(first)
    assert.equal(budget.usedBytes, first.byteLength)
    assert.equal(memory.take(megabyte + 9000), first)
    assert.equal(budget.usedBytes, 0)
    assert.notEqual(memory.take(megabyte + 9000), first)
  })

  it('rounds up by an eighth at most', () => {
    const { memory } = pool()
    for (const bytes of [32_768, 50_000, 2 * megabyte, 2 * megabyte + 1, 7_654_321]) {
      const { byteLength } = memory.take(bytes)
      assert.ok(byteLength >= bytes && byteLength <= bytes * 1.126 + 4096, `${bytes} → ${byteLength}`)
    }
    assert.equal(memory.take(100).byteLength, 100)
  })

  it('keeps no more than its limit and the budget allow', () => {
    const { budget, memory } = pool(10 * megabyte, 3 * megabyte)
    for (const piece of [1, 2, 3, 4].map(() => memory.take(megabyte))) memory.give(piece)
    assert.equal(memory.freeBytes, 3 * megabyte)
    memory.clear()
    assert.equal(budget.usedBytes, 0)
    budget.reserve('others').grow(10 * megabyte - 100)
    memory.give(memory.take(megabyte))
    assert.equal(memory.freeBytes, 0)
  })
})

describe('memory of dropped heads', () => {
  const line = 'x'.repeat(50_000)
  const batch = buildEntryBatch(Array.from({ length: 60 }, (_, i) => ({ stream: '{}', timeNs: BigInt(i), line })))

  it('comes back when the block is visible and the last reader is done, and not before', () => {
    const { memory } = pool()
    const heads = new TenantHeads('a', memory)
    heads.append(batch, 1, 0)
    const one = heads.snapshots(0, 0)
    const two = heads.snapshots(0, 0)
    one.release()
    heads.cut(() => 'ulid')
    const { head } = heads.flushing[0]!
    heads.drop(head)
    assert.equal(memory.freeBytes, 0)
    one.release()
    assert.equal(memory.freeBytes, 0, 'releasing twice is releasing once')
    assert.equal(Buffer.from(two.heads[0]!.pages[0]!.lines.subarray(0, 50_000)).toString(), line)
    two.release()
    assert.ok(memory.freeBytes > 2 * megabyte)
  })

  it('serves the next heads, whose rows are not disturbed by what was there', () => {
    const { memory } = pool()
    const heads = new TenantHeads('a', memory)
    for (let round = 1; round <= 4; round++) {
      heads.append(batch, round, 0)
      const { heads: shown, release } = heads.snapshots(0, 0)
      assert.deepEqual(
        shown[0]!.pages.map(({ rowCount }) => rowCount),
        [41, 19],
      )
      for (const page of shown[0]!.pages) {
        assert.equal(page.lineStart[0], 0)
        assert.equal(page.metaStart[0], 0)
        assert.equal(page.lineStart[page.rowCount], page.rowCount * 50_000)
      }
      release()
      heads.cut(() => 'ulid')
      heads.drop(heads.flushing[0]!.head)
    }
    assert.ok(memory.freeBytes < 5 * megabyte, `${memory.freeBytes} bytes: the same memory each time`)
  })
})

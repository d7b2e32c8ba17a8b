import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeBlockPage } from './block-page.ts'
import { ColumnCache } from './column-cache.ts'
import { makeHeadPages, testBlockInput } from './fixture/head-pages.ts'
import type { LogBlock, PageColumns, PageMemory } from './log-block.ts'
import { openLogBlock } from './open-log-block.ts'
import { writeLogBlock } from './write-log-block.ts'
import { Caches } from '#/platform/memory/caches.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'

const MIB = 1024 * 1024
const clock = { nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0]
const rows = Array.from({ length: 900 }, (_, i) => ({
  labels: [['app', 'a']] as const,
  time: i * 7_000_001,
  line: Buffer.from(`line ${i}`),
  meta: [['level', i % 3 === 0 ? 'error' : 'info']] as const,
}))
const counted: PageColumns = { lengths: false, lines: false, meta: ['level'] }

class CountingStore extends MemoryStore {
  reads = 0

  override async readRanges(...args: Parameters<MemoryStore['readRanges']>): Promise<void> {
    this.reads += args[1].length
    await super.readRanges(...args)
  }
}

async function open(cacheBytes: number): Promise<{ store: CountingStore; block: LogBlock }> {
  const { index, pages } = makeHeadPages(rows as never, 1000)
  const { meta, parts } = writeLogBlock({ ...testBlockInput({ index, pages }), pageRows: 300 })
  const store = new CountingStore(clock)
  await store.put(meta.key, parts)
  const columns = new ColumnCache(new Caches(new MemoryBudget(MIB)).part('columns', cacheBytes))
  return { store, block: await openLogBlock(store, meta, { columns }) }
}

async function levels(block: LogBlock, memory?: PageMemory): Promise<string[]> {
  const pages = await block.readPages([...block.pages.keys()], counted, undefined, memory)
  return pages.map(decodeBlockPage).flatMap((page) => {
    const column = page.meta('level')!
    return Array.from(page.time, (_, row) => column.valueOf(row)!)
  })
}

test('small columns are read once', async () => {
  const { store, block } = await open(MIB / 2)
  const expected = await levels(block)
  assert.equal(expected.length, rows.length)
  const { reads } = store
  assert.ok(reads > 0)
  assert.deepEqual(await levels(block), expected)
  assert.equal(store.reads, reads)
})

test('lines are not kept', async () => {
  const { store, block } = await open(MIB / 2)
  const lines: PageColumns = { lengths: true, lines: true, meta: [] }
  await block.readPages([0], lines, undefined)
  const { reads } = store
  await block.readPages([0], lines, undefined)
  assert.equal(store.reads, 2 * reads)
})

test('what a job reads is kept when the job is done, and not when it never is', async () => {
  const { store, block } = await open(MIB / 2)
  const after: (() => void)[] = []
  const memory: PageMemory = {
    take: (sizeBytes) => new SharedArrayBuffer(sizeBytes),
    whenRead: (then) => void after.push(then),
  }
  await levels(block, memory)
  const { reads } = store
  await levels(block, memory)
  assert.equal(store.reads, 2 * reads)
  for (const then of after) then()
  await levels(block, memory)
  assert.equal(store.reads, 2 * reads)
})

test('a cache without room keeps nothing, and answers stay the same', async () => {
  const { store, block } = await open(64)
  const expected = await levels(block)
  const { reads } = store
  assert.deepEqual(await levels(block), expected)
  assert.equal(store.reads, 2 * reads)
})

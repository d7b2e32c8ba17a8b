import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Caches } from '#/platform/memory/caches.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockFilter, ReadSection } from '#/storage/filter/filter.ts'
import { FilterCache, type StoredBlock } from './filter-cache.ts'

const KIB = 1024
const sizeBytes = 1000 * KIB + 7
const content = Buffer.from(Array.from({ length: sizeBytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff))

class CountingStore extends MemoryStore {
  readonly reads: string[] = []
  fails = false

  override async readInto(key: string, offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    this.reads.push(`${offset}+${target.length}`)
    if (this.fails) throw new Error('no answer')
    await super.readInto(key, offset, target, signal)
  }
}

type Made = {
  readonly store: CountingStore
  readonly cache: FilterCache
  readonly block: StoredBlock
  readonly read: ReadSection
}

async function make(cacheBytes = 400 * KIB): Promise<Made> {
  const store = new CountingStore(realClock)
  await store.put('a', [content])
  const cache = new FilterCache(new Caches(new MemoryBudget(10_000 * KIB)).part('filters', cacheBytes))
  const block = { store, key: 'a', sizeBytes }
  let reader: ReadSection | undefined
  await cache.filterOf(block, async (read) => {
    reader = read
    return undefined
  })
  return { store, cache, block, read: reader! }
}

function expected(offset: number, size: number): Buffer {
  return content.subarray(offset, offset + size)
}

const filter: BlockFilter = { pageCount: 1, memoryBytes: 1000, pagesWith: async () => new Uint8Array(1) }

suite('FilterCache', () => {
  test('reads what was asked for, wherever it stands', async () => {
    const { read } = await make()
    const places = [
      [0, 1],
      [16 * KIB - 1, 1],
      [16 * KIB - 1, 2],
      [100, 40 * KIB],
      [5, 300 * KIB],
      [sizeBytes - 3, 3],
      [sizeBytes - 20 * KIB, 20 * KIB],
      [7, 0],
    ] as const
    for (const repeat of [1, 2]) {
      for (const [offset, size] of places) {
        assert.deepEqual(Buffer.from(await read(offset, size)), expected(offset, size), `${offset} ${size} ${repeat}`)
      }
    }
  })

  test('neighbours are read at once, and once', async () => {
    const { store, read } = await make()
    await read(20 * KIB, 10)
    await read(17 * KIB, 10)
    await read(5 * KIB, 40 * KIB)
    await read(0, 48 * KIB)
    const chunk = 16 * KIB
    assert.deepEqual(store.reads, [`${chunk}+${chunk}`, `0+${chunk}`, `${2 * chunk}+${chunk}`])
  })

  test('callers at the same time share a read', async () => {
    const { store, read } = await make()
    const found = await Promise.all([read(10, 5), read(20, 5), read(10 * KIB, 10 * KIB)])
    assert.deepEqual(
      found.map((bytes) => Buffer.from(bytes)),
      [expected(10, 5), expected(20, 5), expected(10 * KIB, 10 * KIB)],
    )
    assert.equal(store.reads.length, 2)
  })

  test('a failed read fails those who wait, and is tried again', async () => {
    const { store, read } = await make()
    store.fails = true
    const results = await Promise.allSettled([read(0, 40 * KIB), read(3, 3)])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    store.fails = false
    assert.deepEqual(Buffer.from(await read(3, 3)), expected(3, 3))
  })

  test('what does not fit is read again', async () => {
    const { store, read } = await make(40 * KIB)
    for (let round = 0; round < 2; round++) for (let at = 0; at < 5; at++) await read(at * 16 * KIB, 10)
    assert.equal(store.reads.length, 10)
  })

  test('a filter is opened once, also by callers at the same time', async () => {
    const { cache, block } = await make()
    let opened = 0
    const open = async (): Promise<BlockFilter> => {
      opened++
      return filter
    }
    await Promise.all([cache.filterOf(block, open), cache.filterOf(block, open)])
    assert.equal(await cache.filterOf(block, open), filter)
    assert.equal(opened, 1)
    await assert.rejects(
      cache.filterOf({ ...block, key: 'b' }, () => Promise.reject(new Error('damaged'))),
      /damaged/,
    )
    assert.equal(await cache.filterOf({ ...block, key: 'b' }, open), filter)
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Caches } from './caches.ts'
import { KeptParts, PartCache, type MadePart } from './kept-parts.ts'
import { MemoryBudget } from './memory-budget.ts'

const KIB = 1024
const partOf = (bytes: number): MadePart<Uint8Array> => ({ value: new Uint8Array(bytes), bytes })
const turn = (): Promise<void> => Promise.resolve()

function cacheOf(bytes: number): PartCache {
  return new PartCache(new Caches(new MemoryBudget(1024 * KIB)).part('parts', bytes))
}

test('without a cache a part is made once', async () => {
  const parts = new KeptParts()
  const first = parts.get('a', () => partOf(KIB))
  await turn()
  assert.equal(
    parts.get('a', () => partOf(KIB)),
    first,
  )
  assert.notEqual(
    parts.get('b', () => partOf(KIB)),
    first,
  )
})

test('things that share a cache do not mix up their parts, and find them again when they come back', async () => {
  const cache = cacheOf(100 * KIB)
  const a = new KeptParts('a', cache).get('x', () => partOf(KIB))
  const b = new KeptParts('b', cache).get('x', () => partOf(KIB))
  assert.notEqual(a, b)
  await turn()
  assert.equal(
    new KeptParts('a', cache).get('x', () => partOf(KIB)),
    a,
  )
})

test('what the cache has no room for is made once in a turn, and again in the next', async () => {
  const parts = new KeptParts('a', cacheOf(KIB))
  let made = 0
  const get = (): Uint8Array => parts.get('x', () => (made++, partOf(10 * KIB)))
  assert.equal(get(), get())
  assert.equal(made, 1)
  await turn()
  get()
  assert.equal(made, 2)
})

test('what is held is forgotten behind the turn', async () => {
  const parts = new KeptParts()
  const first = parts.hold('x', () => ({}))
  assert.equal(
    parts.hold('x', () => ({})),
    first,
  )
  await turn()
  assert.notEqual(
    parts.hold('x', () => ({})),
    first,
  )
})

test('of parts that are asked for in turns and do not all fit, some stay', async () => {
  const cache = cacheOf(100 * KIB)
  const owners = Array.from({ length: 16 }, (_, i) => new KeptParts(`block ${i}`, cache))
  let made = 0
  const askAll = async (): Promise<void> => {
    for (const parts of owners) {
      parts.get('x', () => (made++, partOf(10 * KIB)))
      await turn()
    }
  }
  for (let round = 0; round < 3; round++) await askAll()
  made = 0
  for (let round = 0; round < 10; round++) await askAll()
  // the least recently used one always out would make all 160
  assert.ok(made < 130, `${made} made`)
})

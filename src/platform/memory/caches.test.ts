import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { Caches } from './caches.ts'
import { MemoryBudget } from './memory-budget.ts'

const value = {}

function bytesOf(caches: Caches): number {
  return caches.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

describe('Caches', () => {
  it('keeps a part within its bytes, and lets go first what was not used for longest', () => {
    const part = new Caches(new MemoryBudget(1_000_000)).part('results', 5000)
    for (const key of ['a', 'b', 'c', 'd']) assert.ok(part.set(key, value, 1000))
    assert.ok(part.get('a'))
    assert.ok(part.set('e', value, 1000))
    assert.equal(part.get('b'), undefined)
    assert.ok(part.get('a'))
    assert.ok(part.sizeBytes <= 5000)
    assert.deepEqual([part.hits, part.misses, part.added, part.evicted, part.entryCount], [2, 1, 5, 1, 4])
  })

  it('refuses what would drive out everything else', () => {
    const part = new Caches(new MemoryBudget(1_000_000)).part('results', 5000)
    assert.ok(part.set('a', value, 10))
    assert.equal(part.set('large', value, 4000), false)
    assert.ok(part.get('a'))
    assert.equal(part.set('a', value, 4000), false, 'the old value is not the one that was given last')
    assert.equal(part.get('a'), undefined)
    assert.equal(part.sizeBytes, 0)
  })

  it('gives way to those who need memory, before anybody is pressed', () => {
    const budget = new MemoryBudget(10_000)
    const caches = new Caches(budget)
    const cheap = caches.part('cheap', 5000)
    const dear = caches.part('dear', 5000)
    for (let i = 0; i < 4; i++) assert.ok(cheap.set(String(i), value, 1000) && dear.set(String(i), value, 1000))
    let pressed = 0
    budget.onPressure(() => pressed++)
    const query = budget.reserve('query')
    assert.ok(query.grow(3000))
    assert.equal(pressed, 0)
    assert.equal(dear.entryCount, 4, 'the part that was made first goes first')
    assert.ok(cheap.entryCount < 4)
    assert.ok(query.grow(7000))
    assert.deepEqual([cheap.entryCount, dear.entryCount, caches.sizeBytes, pressed], [0, 0, 0, 0])
    assert.equal(query.grow(1), false)
    assert.equal(pressed, 1)
  })

  it('takes only memory that is free', () => {
    const budget = new MemoryBudget(10_000)
    const part = new Caches(budget).part('results', 5000)
    budget.onPressure(() => assert.fail('a cache presses nobody'))
    budget.reserve('heads').grow(9000)
    assert.equal(part.set('a', value, 2000), false)
    assert.ok(part.set('b', value, 500))
    assert.ok(part.set('c', value, 500), 'in the place of the older one')
    assert.equal(part.get('b'), undefined)
  })

  it('has reserved what its entries hold, whatever happens (property)', () => {
    const step = fc.record({ part: fc.nat(1), key: fc.nat(5), bytes: fc.nat(3000), kind: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const budget = new MemoryBudget(12_000)
        const caches = new Caches(budget)
        const parts = [caches.part('a', 6000), caches.part('b', 9000)]
        const heads = budget.reserve('heads')
        for (const { part, key, bytes, kind } of steps) {
          if (kind === 0) heads.grow(bytes)
          else if (kind === 1) heads.shrink(Math.min(bytes, heads.bytes))
          else if (kind === 2) parts[part]!.delete(String(key))
          else parts[part]!.set(String(key), value, bytes)
          assert.equal(caches.sizeBytes, bytesOf(caches))
          assert.equal(budget.usedBytes, heads.bytes + caches.sizeBytes)
          assert.ok(parts.every(({ sizeBytes, maxBytes }) => sizeBytes <= maxBytes))
        }
      }),
    )
  })
})

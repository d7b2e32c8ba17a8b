import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { MemoryBudget } from './memory-budget.ts'

describe('MemoryBudget', () => {
  it('gives until the limit and not a byte more', () => {
    const budget = new MemoryBudget(100)
    const heads = budget.reserve('heads')
    const queries = budget.reserve('queries')
    assert.equal(heads.grow(60), true)
    assert.equal(queries.grow(41), false)
    assert.equal(queries.grow(40), true)
    assert.deepEqual([budget.usedBytes, heads.bytes, queries.bytes], [100, 60, 40])
    heads.shrink(10)
    assert.equal(queries.grow(10), true)
    queries.release()
    assert.deepEqual([budget.usedBytes, queries.bytes], [50, 0])
    assert.throws(() => heads.shrink(51), /shrinking heads by 51 of 50/)
  })

  it('gives back what a block of code used', () => {
    const budget = new MemoryBudget(10)
    {
      using query = budget.reserve('query')
      assert.equal(query.grow(10), true)
    }
    assert.equal(budget.usedBytes, 0)
  })

  it('asks for room before it refuses', () => {
    const budget = new MemoryBudget(10)
    const cache = budget.reserve('cache')
    cache.grow(10)
    let asked = 0
    budget.onPressure(() => {
      asked++
      if (asked === 2) cache.release()
    })
    const query = budget.reserve('query')
    assert.equal(query.grow(1), false)
    assert.equal(query.grow(1), true)
    assert.equal(asked, 2)
  })

  it('knows the sum of all reservations, whatever happens (property)', () => {
    const step = fc.record({ who: fc.nat(2), bytes: fc.integer({ min: 0, max: 80 }), isGrowth: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const budget = new MemoryBudget(100)
        const all = [0, 1, 2].map((index) => budget.reserve(String(index)))
        for (const { who, bytes, isGrowth } of steps) {
          const one = all[who]!
          if (isGrowth) one.grow(bytes)
          else one.shrink(Math.min(bytes, one.bytes))
          assert.equal(
            budget.usedBytes,
            all.reduce((sum, reservation) => sum + reservation.bytes, 0),
          )
          assert.ok(budget.usedBytes <= 100)
        }
      }),
    )
  })
})

import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { expr } from './expr-arbitrary.ts'
import { allProductions, productionsOf } from './productions.ts'

/** A fixed seed: whether all are reached must not depend on luck. */
const seed = 20_260_105
const count = 4000

test(`${count} random trees reach every production of the grammar`, () => {
  const reached = new Set<string>()
  for (const tree of fc.sample(expr, { seed, numRuns: count }))
    for (const name of productionsOf(tree)) reached.add(name)
  assert.deepEqual(
    allProductions.filter((name) => !reached.has(name)),
    [],
  )
})

test('each production has one name', () => {
  assert.equal(new Set(allProductions).size, allProductions.length)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type BlockRows, MergeFixture, rowsOnce } from './fixture/merge-fixture.ts'
import { LimitExceeded, Unavailable } from '#/kernel/errors.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'

const MB = 1024 * 1024
const limits = { outputBytes: 1 * MB, outputStoredBytes: 1 * MB, sliceBytes: MB / 4, sliceRows: 10_000 }

/** Lines that hardly compress, 1.5 MB in each of four blocks, of the same streams and times. */
function blocks(): BlockRows[] {
  let seed = 1
  return Array.from({ length: 4 }, (_, number) => ({
    ingester: 'one',
    rows: Array.from({ length: 1500 }, (_row, i) => ({
      labels: [['app', `a${i % 7}`]] as const,
      time: (i * 4 + number) * 1e9,
      line: Buffer.from(
        Uint8Array.from({ length: 1000 }, () => {
          seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
          return seed >>> 24
        }),
      ),
      meta: [],
    })),
  }))
}

/** A budget that remembers the most that was taken. */
function watched(limitBytes: number): { readonly budget: MemoryBudget; most: number } {
  const budget = new MemoryBudget(limitBytes)
  const state = { budget, most: 0 }
  const reserve = budget.reserve.bind(budget)
  budget.reserve = (name) => {
    const made = reserve(name)
    const grow = made.grow.bind(made)
    made.grow = (bytes) => {
      const isTaken = grow(bytes)
      state.most = Math.max(state.most, budget.usedBytes)
      return isTaken
    }
    return made
  }
  return state
}

test('a merge takes the memory of one output, however large its inputs are', async () => {
  const rows = blocks()
  const fixture = await MergeFixture.with(rows, 200)
  const memory = watched(1000 * MB)
  fixture.budget = memory.budget
  const result = await fixture.merge({ limits, pageRows: 200 })
  const found: string[] = []
  for (const meta of result.outputs) found.push(...(await fixture.rowsOf(meta)))
  assert.deepEqual(found, rowsOnce(rows))
  assert.ok(result.outputs.length >= 4, `${result.outputs.length} outputs`)
  assert.ok(memory.most > 5 * MB && memory.most < 13 * MB, `${memory.most} bytes for outputs of 1 MB`)
  assert.equal(memory.budget.usedBytes, 0)
})

test('a merge that will never have room is refused, and nothing has changed', async () => {
  const fixture = await MergeFixture.with(blocks(), 200)
  fixture.budget = new MemoryBudget(4 * MB)
  const before = fixture.store.list({ prefix: '' })
  const keys = (await Array.fromAsync(before)).map(({ key }) => key)
  await assert.rejects(fixture.merge({ limits }), LimitExceeded)
  assert.deepEqual(
    (await Array.fromAsync(fixture.store.list({ prefix: '' }))).map(({ key }) => key),
    keys,
  )
  assert.equal(fixture.catalog.list('a', -10, 10).length, 4)
})

test('a merge waits while others have the memory, and gives up in the end', async () => {
  const fixture = await MergeFixture.with(blocks(), 200)
  fixture.budget = new MemoryBudget(20 * MB)
  const others = fixture.budget.reserve('others')
  assert.ok(others.grow(19 * MB))
  let sleeps = 0
  fixture.onSleep = () => {
    if (++sleeps === 3) others.release()
  }
  const result = await fixture.merge({ limits })
  assert.equal(sleeps, 3)
  assert.ok(result.outputs.length > 0)
  assert.ok(others.grow(19 * MB))
  await assert.rejects(fixture.merge({ limits, inputs: result.outputs }), Unavailable)
})

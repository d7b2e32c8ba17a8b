import assert from 'node:assert/strict'
import { test } from 'node:test'

import { HeadMemory } from './head-memory.ts'
import { Unavailable } from '#/kernel/errors.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'

const limitBytes = 100_000

test('pushes wait longer the more memory heads have, and not at all while there is room', () => {
  const memory = new HeadMemory(new MemoryBudget(limitBytes), () => undefined)
  const paceAt = (percent: number): number => {
    memory.set((limitBytes * percent) / 100)
    return Math.round(memory.paceMs)
  }
  assert.deepEqual([0, 20, 45, 55, 65, 75, 85, 100].map(paceAt), [0, 0, 0, 63, 125, 188, 250, 250])
})

test('memory that is overdrawn is no reason to wait for longer', () => {
  let relieved = 0
  const memory = new HeadMemory(new MemoryBudget(limitBytes), () => relieved++)
  assert.equal(memory.refusal(), undefined)
  memory.set(limitBytes + 1)
  assert.equal(memory.paceMs, 250)
  const before = relieved
  assert.ok(memory.refusal() instanceof Unavailable)
  assert.equal(relieved, before + 1)
  memory.set(limitBytes / 2)
  assert.equal(memory.refusal(), undefined)
})

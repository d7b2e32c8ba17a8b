import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Compactor, type CompactorNeeds } from './compactor.ts'
import { everyLease, type Leases } from './lease.ts'
import { Corruption, LimitExceeded } from '#/kernel/errors.ts'
import type { EraseOrder, Erasures } from '#/logs/compactor/merge/erase.ts'
import { blocksOf, MergeFixture } from '#/logs/compactor/merge/fixture/merge-fixture.ts'
import type { MergeThreads } from '#/logs/compactor/merge/merge-threads.ts'
import { inlineMergeThreads } from '#/logs/compactor/tasks/inline-merge-threads.ts'
import { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'

const settings = {
  targetBytes: 1e6,
  targetStoredBytes: 1e6,
  maxInputs: 8,
  settleMs: 0,
  intervalMs: 1000,
  deleteDelayMs: 0,
  mergesByItself: true,
}

type Given = { readonly threads?: MergeThreads; readonly erasures?: Erasures; readonly leases?: Leases }
type Started = { readonly fixture: MergeFixture; readonly compactor: Compactor; readonly time: { nowMs: number } }

/** Four blocks of an hour long ago. */
async function start({ threads = inlineMergeThreads(), erasures, leases = everyLease }: Given = {}): Promise<Started> {
  const fixture = await MergeFixture.with(blocksOf(4), 20)
  const time = { nowMs: 0 }
  const clock = { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs }
  let byte = 0
  const { store, catalog, budget } = fixture
  const compactor = new Compactor(settings, {
    store,
    catalog,
    budget,
    threads,
    leases,
    erasures,
    world: { clock, random: { bytes: () => Buffer.alloc(10, ++byte) } } as unknown as CompactorNeeds['world'],
    buffers: new SharedBuffers({ budget, maxIdleBytes: 0 }),
    limits: { outputBytes: 1e6, outputStoredBytes: 1e6, sliceBytes: 1e6, sliceRows: 1e6, memoryPart: 1 },
    logger: silentLogger,
    limitsOf: () => ({ pattern_mining: true }),
  })
  return { fixture, compactor, time }
}

test('a round merges what is due, deletes what is buried, and says so', async () => {
  const { fixture, compactor } = await start()
  assert.equal(compactor.status().queue.length, 1)
  const run = await compactor.runOnce()
  assert.deepEqual([run.merges, run.inputs, run.outputs, run.failures], [1, 4, 1, 0])
  assert.equal(compactor.status().queue.length, 0)
  assert.deepEqual(compactor.status().deletions, { waiting: 0, done: 4 })
  assert.equal((await compactor.runOnce()).merges, 0)
  assert.equal((await compactor.runOnce('nobody')).merges, 0)
  assert.equal(fixture.catalog.list('a', -10, 10).length, 1)
})

test('a damaged block is left out, and the others are merged', async () => {
  const inline = inlineMergeThreads()
  let bad = ''
  const build: MergeThreads['build'] = async (job, signal) => {
    if (job.replaces.includes(bad)) throw new Corruption({ file: bad, offset: 7 }, 'it is bad')
    return inline.build(job, signal)
  }
  const { fixture, compactor, time } = await start({ threads: { ...inline, build } })
  bad = fixture.metas[2]!.key
  const run = await compactor.runOnce()
  assert.deepEqual([run.merges, run.inputs, run.failures], [1, 3, 1])
  assert.match(compactor.status().errors[0]!.error, /it is bad/)
  assert.ok(fixture.catalog.list('a', -10, 10).some(({ key }) => key === bad))
  bad = ''
  assert.equal((await compactor.runOnce()).merges, 0, 'not at once again')
  time.nowMs += 3_600_000
  assert.equal((await compactor.runOnce()).inputs, 2, 'later it is tried again')
})

test('a merge without room is made with half of its blocks', async () => {
  const inline = inlineMergeThreads()
  const build: MergeThreads['build'] = async (job, signal) => {
    if (job.inputs.length > 2) throw new LimitExceeded('too much')
    return inline.build(job, signal)
  }
  const { compactor, fixture } = await start({ threads: { ...inline, build } })
  const run = await compactor.runOnce()
  assert.equal(run.failures, 0)
  assert.ok(run.merges >= 2)
  assert.ok(fixture.catalog.list('a', -10, 10).length <= 2)
})

test('orders are carried out, and reported in the step in which queries see it', async () => {
  const order: EraseOrder = { id: 'x', query: '{app="a0"}', from: -Infinity, to: Infinity }
  let seen = 0
  const done: unknown[] = []
  const erasures: Erasures = {
    ordersFor: ({ level }) => (level === 0 ? [order] : []),
    cannotWait: () => false,
    onErased: ({ inputs, outputs, erased }) => {
      seen = fixture.catalog.list('a', -10, 10).length
      done.push([inputs.length, outputs.length, erased])
    },
  }
  const { fixture, compactor } = await start({ erasures })
  const rows = blocksOf(4).flatMap((block) => block.rows.filter(({ labels }) => labels[0]![1] === 'a0'))
  const bytes = rows.reduce((sum, { line }) => sum + line.length, 0)
  await compactor.runOnce()
  assert.equal(seen, 1)
  assert.deepEqual(done, [[4, 1, [{ id: 'x', rows: rows.length, bytes }]]])
})

test('a tenant whose lease another one has is left alone', async () => {
  const { compactor } = await start({ leases: { acquire: async () => false, release: async () => {} } })
  assert.equal((await compactor.runOnce()).merges, 0)
})

test('stopping ends a merge in the middle; its blocks stay', async () => {
  const inline = inlineMergeThreads()
  const begun = Promise.withResolvers<void>()
  const build: MergeThreads['build'] = (_job, signal) =>
    new Promise((_resolve, reject) => {
      begun.resolve()
      signal?.addEventListener('abort', () => reject(new Error('aborted')))
    })
  const { fixture, compactor } = await start({ threads: { ...inline, build } })
  const round = compactor.runOnce()
  await begun.promise
  await Promise.all([compactor.stop(), assert.rejects(round)])
  assert.equal(fixture.catalog.list('a', -10, 10).length, 4)
  assert.equal(fixture.budget.usedBytes, 0)
})

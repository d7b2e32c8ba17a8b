/**
 * One scenario of pushes, flushes and drops, run again for every disk operation that it makes and every way in which that
 * operation can go wrong. Afterwards the power fails, everything starts again, clients send again what was not acknowledged,
 * and every entry must be there exactly once.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { IngesterHarness } from './ingester-harness.ts'
import { plainRow } from './read-rows.ts'
import type { FaultKind } from './world/sim-disk.ts'

const noon = BigInt(Date.UTC(2026, 0, 15, 12)) * 1_000_000n
const nsPerDay = 86_400_000_000_000n
const tenants = ['a', 'b'] as const
const harnessOptions = { wal: { segmentBytes: 1500 } }

type Batch = { readonly tenant: string; readonly entries: readonly PlainEntry[]; isAcknowledged: boolean }

/** Two days in each batch, and lines long enough to span sectors. */
function makeBatch(tenant: string, number: number): Batch {
  const entries = [0, 1, 2].map((i) => ({
    stream: `{app="${tenant}${i % 2}"}`,
    timeNs: noon + BigInt(number * 10 + i) - (i === 2 ? nsPerDay : 0n),
    line: `${tenant}${number}.${i} `.padEnd(60 + 200 * i, '-'),
    ...(i === 1 && { metadata: { batch: String(number) } }),
  }))
  return { tenant, entries, isAcknowledged: false }
}

async function send(t: IngesterHarness, batch: Batch): Promise<void> {
  for (let attempt = 0; attempt < 2 && !batch.isAcknowledged; attempt++) {
    try {
      await t.push(batch.entries, batch.tenant)
      batch.isAcknowledged = true
    } catch (error) {
      if (t.world.disk.isDead) throw error
      await t.world.clock.advance(1000)
    }
  }
}

async function scenario(t: IngesterHarness, batches: Batch[]): Promise<void> {
  const sendAll = async (count: number): Promise<void> => {
    const made = tenants.flatMap((tenant) =>
      Array.from({ length: count }, (_, i) => makeBatch(tenant, batches.length + i)),
    )
    batches.push(...made)
    await Promise.all(made.map((batch) => send(t, batch)))
  }
  await t.start()
  await sendAll(2)
  await t.ingester.flush('a').catch(() => undefined)
  await sendAll(1)
  await t.ingester.flush(undefined).catch(() => undefined)
  await sendAll(1)
  await t.world.clock.advance(5000)
  await t.ingester.flush('b').catch(() => undefined)
  await sendAll(1)
  await t.ingester.shutdown({ flush: false, deadlineMs: 1000 })
}

/** Starting may fail as well, when the fault comes that late; the operator tries again. */
async function startAgain(t: IngesterHarness): Promise<void> {
  await t.crashAndStart().catch(() => t.crashAndStart())
}

async function run(kind: FaultKind, at: number, isLong: boolean): Promise<void> {
  const t = new IngesterHarness(7000 + at, harnessOptions)
  const batches: Batch[] = []
  t.world.disk.failAt(at, kind)
  await scenario(t, batches).catch((error: unknown) => {
    if (t.world.disk.operations <= at) throw error
  })
  const context = `${kind} at ${at}, ${t.world.disk.journal[at]}`
  await startAgain(t)
  await check(t, batches, context)
  for (const batch of batches) if (!batch.isAcknowledged) await send(t, batch)
  assert.ok(
    batches.every(({ isAcknowledged }) => isAcknowledged),
    `${context}: pushes go on after the restart`,
  )
  await check(t, batches, `${context}, sent again`)
  if (isLong) {
    await t.ingester.flush(undefined)
    await check(t, batches, `${context}, flushed`)
    await startAgain(t)
    await check(t, batches, `${context}, started once more`)
  }
  assert.equal(t.corruptions.length, 0, `${context}: ${t.corruptions[0]?.message}`)
}

async function check(t: IngesterHarness, batches: readonly Batch[], context: string): Promise<void> {
  for (const tenant of tenants) {
    const found = await t.rows(tenant)
    const mine = batches.filter((batch) => batch.tenant === tenant)
    const tried = new Set(mine.flatMap(({ entries }) => entries.map(plainRow)))
    const seen = new Set(found)
    assert.equal(seen.size, found.length, `${context}: a row of tenant ${tenant} is there twice`)
    for (const row of found)
      assert.ok(tried.has(row), `${context}: tenant ${tenant} has a row that nobody sent: ${row}`)
    for (const { entries, isAcknowledged } of mine) {
      if (!isAcknowledged) continue
      for (const entry of entries) assert.ok(seen.has(plainRow(entry)), `${context}: lost ${plainRow(entry)}`)
    }
  }
}

/** What each operation is when nothing goes wrong. */
async function journalOfScenario(): Promise<readonly string[]> {
  const t = new IngesterHarness(7000, harnessOptions)
  const batches: Batch[] = []
  await scenario(t, batches)
  assert.ok(batches.every(({ isAcknowledged }) => isAcknowledged))
  await startAgain(t)
  await check(t, batches, 'without a fault')
  return t.world.disk.journal
}

const writes = /^(?:append|writeFile|openAppend|makeDir) /
/**
 * A crash behind one operation is a crash before the next, and one before an operation that changes nothing is one before the
 * next that does; only what writes can be torn or find the disk full.
 */
const affected: readonly (readonly [FaultKind, RegExp])[] = [
  ['crash-before', /^(?:append|writeFile|openAppend|makeDir|sync|syncDir|rename|remove|truncate) /],
  ['torn', /^(?:append|writeFile|sync) /],
  ['EIO', /./],
  ['ENOSPC', writes],
]

describe('every disk operation goes wrong once', async () => {
  const journal = await journalOfScenario()
  for (const [kind, pattern] of affected) {
    it(kind, async () => {
      let count = 0
      for (const [at, what] of journal.entries()) {
        if (pattern.test(what)) await run(kind, at, count++ % 4 === 0)
      }
      assert.ok(count > 30, `${count} operations`)
    })
  }
})

/**
 * Merges on a disk on which every operation goes wrong once, in each way: before, during and behind it every entry is there exactly
 * once, and in the end nothing is left over.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { CompactionHarness } from './compaction-harness.ts'
import { plainRow } from './read-rows.ts'
import type { FaultKind } from './world/sim-disk.ts'

const noon = BigInt(Date.UTC(2026, 0, 15, 12)) * 1_000_000n
const hourMs = 3_600_000

function batch(number: number): PlainEntry[] {
  return Array.from({ length: 8 }, (_, i) => ({
    stream: `{app="a${i % 3}"}`,
    timeNs: noon - BigInt(i % 2) * 1_800_000_000_000n + BigInt(number * 100 + i),
    line: `line ${number}.${i} `.padEnd(80 + 30 * i, '-'),
    ...(i % 2 === 1 && { metadata: { batch: String(number) } }),
  }))
}

/** Four blocks, one of them with an entry that another has, too. */
async function fill(t: CompactionHarness): Promise<string[]> {
  await t.start()
  const sent: PlainEntry[] = []
  for (let number = 0; number < 4; number++) {
    const entries = batch(number)
    sent.push(...entries)
    await t.push(number === 3 ? [...entries, batch(0)[4]!] : entries)
    await t.ingester.flush('a')
  }
  assert.equal(await t.blockCount(), 4)
  return sent.map(plainRow).toSorted()
}

/** The hour is over, then the day, then what is buried goes. */
async function age(t: CompactionHarness): Promise<void> {
  for (const hours of [2, 14, 2]) {
    t.skip(hours * hourMs)
    await t.compactor.runOnce()
  }
}

/** As {@link age}, whatever goes wrong. */
async function ageDespite(t: CompactionHarness): Promise<void> {
  for (const hours of [2, 14, 2]) {
    t.skip(hours * hourMs)
    await t.compactor.runOnce().catch(() => undefined)
  }
}

/** Duplicates count once: until they are merged they are seen twice. */
async function checkRows(t: CompactionHarness, sent: readonly string[], context: string): Promise<void> {
  const found = await t.rows()
  assert.deepEqual([...new Set(found)], sent, `${context}: every entry`)
  assert.ok(found.length - sent.length <= 1, `${context}: ${found.length} rows of ${sent.length}`)
}

async function run(kind: FaultKind, at: number): Promise<void> {
  const t = new CompactionHarness(900 + at)
  const sent = await fill(t)
  const first = t.world.disk.operations
  t.world.disk.failAt(first + at, kind)
  await ageDespite(t)
  const context = `${kind} at ${at}, ${t.world.disk.journal[first + at]}`
  // another seed may need one operation less
  if (t.world.disk.operations <= first + at) return
  if (!t.world.disk.isDead) await checkRows(t, sent, `${context}, still running`)
  await t.crashAndStart().catch(() => t.crashAndStart())
  await checkRows(t, sent, `${context}, started again`)
  await age(t)
  assert.deepEqual(await t.rows(), sent, `${context}, merged`)
  t.skip(2 * hourMs)
  await t.compactor.runOnce()
  assert.deepEqual((await t.objects()).toSorted(), t.blocks(), `${context}: nothing is left over`)
  await t.crashAndStart()
  assert.deepEqual(await t.rows(), sent, `${context}, at last`)
}

const affected: readonly (readonly [FaultKind, RegExp])[] = [
  ['crash-before', /^(?:append|writeFile|openAppend|makeDir|sync|syncDir|rename|remove|truncate) /],
  ['torn', /^(?:append|writeFile|sync) /],
  ['EIO', /./],
  ['ENOSPC', /^(?:append|writeFile|openAppend|makeDir) /],
]

async function journalOfMerges(): Promise<readonly string[]> {
  const t = new CompactionHarness(900)
  const sent = await fill(t)
  const first = t.world.disk.operations
  await age(t)
  assert.deepEqual(await t.rows(), sent)
  assert.equal(t.compactor.counts.totals.failures, 0)
  assert.ok(t.compactor.counts.totals.outputs > 2, 'one merge has several outputs')
  assert.equal(t.compactor.counts.totals.duplicates, 1)
  return t.world.disk.journal.slice(first)
}

describe('merges: every disk operation goes wrong once', async () => {
  const journal = await journalOfMerges()
  for (const [kind, pattern] of affected) {
    it(kind, async () => {
      let count = 0
      for (const [at, what] of journal.entries()) {
        if (!pattern.test(what) || (/^(?:openRead|read|close|stat|list) /.test(what) && at % 5 > 0)) continue
        await run(kind, at)
        count++
      }
      assert.ok(count > 10, `${count} operations`)
    })
  }
})

describe('merges', () => {
  it('survive the loss of the day file at any time', async () => {
    const steps = (await journalOfMerges()).length
    for (let at = 0; at < steps; at += 3) {
      const t = new CompactionHarness(5000 + at)
      const sent = await fill(t)
      t.world.disk.failAt(t.world.disk.operations + at, 'crash-before')
      await ageDespite(t)
      t.world.clock.clear()
      t.world.disk.crash()
      const lost = t.world.disk.session()
      await lost.remove('/data/blocks/a/logs/2026-01-15/catalog.json')
      await t.start()
      await checkRows(t, sent, `without a day file, crashed at ${at}`)
      await age(t)
      assert.deepEqual(await t.rows(), sent, `crashed at ${at}, merged`)
    }
  })

  it('leave a day with few blocks, and nothing is written again then', async () => {
    const t = new CompactionHarness(1)
    await fill(t)
    await age(t)
    const { merges } = t.compactor.counts.totals
    t.skip(48 * hourMs)
    await t.compactor.runOnce()
    assert.equal(t.compactor.counts.totals.merges, merges)
    assert.equal(t.compactor.status().queue.length, 0)
  })

  it('do not disturb queries that hold a view of the inputs', async () => {
    const t = new CompactionHarness(2)
    const sent = await fill(t)
    const view = await t.ingester.view('a', -Infinity, Infinity)
    t.skip(2 * hourMs)
    await t.compactor.runOnce()
    const { readView } = await import('./read-rows.ts')
    assert.deepEqual([...new Set((await readView(view, t.store)).toSorted())], sent)
    view.release?.()
  })
})

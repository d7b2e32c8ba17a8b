/**
 * Retention of whole blocks, by period, by total size and by free space, on a disk on which every operation goes wrong once, in each
 * way: what is kept is there exactly once at all times, what has gone does not come back, and in the end nothing is left over.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { limits } from '#/logs/limits.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { EraseHarness } from './erase-harness.ts'
import { blockDir } from './ingester-harness.ts'
import type { FaultKind } from './world/sim-disk.ts'

const dayMs = 86_400_000
const days = 4
const tenants = ['a', 'b'] as const

type Rule = {
  readonly name: string
  /** Lets the rule hold, when everything is there. */
  readonly apply: (t: EraseHarness) => void
  /** Days of which nothing is kept, by tenant. */
  readonly gone: Readonly<Record<(typeof tenants)[number], number>>
}

const limitTenantA = (t: EraseHarness, own: object): void =>
  void (t.limitsOf = (tenant) => ({ ...defaultsOf(limits), ...(tenant === 'a' ? own : {}) }))

const rules: readonly Rule[] = [
  {
    name: 'by period',
    apply: (t) => limitTenantA(t, { retention_period: 2.5 * dayMs }),
    gone: { a: 2, b: 0 },
  },
  {
    name: 'by total size',
    apply: (t) => {
      const sizes = t.catalog.list('a', -Infinity, Infinity).map(({ sizeBytes }) => sizeBytes)
      limitTenantA(t, { retention_bytes: sizes[2]! + sizes[3]! })
    },
    gone: { a: 2, b: 0 },
  },
  {
    name: 'by free space',
    apply: (t) => {
      const total = blockBytes(t)
      const oldest = t.catalog.days().flatMap(({ state }) => [...state.blocks.values()])
      const first = Math.min(...oldest.map(({ day }) => day))
      const missing = oldest.filter(({ day }) => day === first).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      t.freeBytes = async () => minFreeBytes - missing + total - blockBytes(t)
    },
    gone: { a: 1, b: 1 },
  },
]
const minFreeBytes = 1_000_000

function blockBytes({ world: { disk } }: EraseHarness): number {
  const paths = disk.paths().filter((path) => path.startsWith(`${blockDir}/`) && path.endsWith('.edda'))
  return paths.reduce((sum, path) => sum + disk.contentOf(path).length, 0)
}

const linesOf = (tenant: string, day: number): readonly string[] =>
  [0, 1].map((part) => `${tenant} day ${day} part ${part}`)

/** A block for each day and tenant. */
async function fill(seed: number): Promise<EraseHarness> {
  const t = new EraseHarness(seed)
  t.retentionSettings = { isEnabled: true, minFreeBytes }
  t.compaction = { settings: { targetBytes: 20_000 } }
  await t.start()
  for (let day = 0; day < days; day++) {
    for (const tenant of tenants) {
      const timeNs = t.clock.nowNs()
      const lines = linesOf(tenant, day).map((line, part) => ({
        stream: '{app="x"}',
        timeNs: timeNs + BigInt(part),
        line,
      }))
      await t.push(lines, tenant)
      await t.ingester.flush(tenant)
    }
    t.skip(dayMs)
  }
  return t
}

async function rounds(t: EraseHarness, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await t.upkeep.look()
    await t.compactor.runOnce().catch(() => undefined)
    t.skip(3_600_000)
  }
}

type Expectation = { readonly rule: Rule; readonly context: string; readonly mayStay: boolean }

async function check(t: EraseHarness, { rule, context, mayStay }: Expectation): Promise<void> {
  for (const tenant of tenants) {
    const seen = await t.seen(tenant)
    const going = Array.from({ length: rule.gone[tenant] }, (_, day) => linesOf(tenant, day)).flat()
    const kept = Array.from({ length: days }, (_, day) => linesOf(tenant, day)).flat()
    const expected = kept.filter((line) => !going.includes(line) || (mayStay && seen.includes(line)))
    assert.deepEqual(seen, expected, `${context}: tenant ${tenant}`)
  }
}

async function run(rule: Rule, kind: FaultKind, at: number): Promise<void> {
  const t = await fill(2300 + at)
  rule.apply(t)
  const { disk } = t.world
  const first = disk.operations
  disk.failAt(first + at, kind)
  await rounds(t, 4)
  if (disk.operations <= first + at) return
  const context = `${rule.name}, ${kind} at ${at}, ${disk.journal[first + at]}`
  // an error that is over was met again and put right
  if (!disk.isDead) await check(t, { rule, context: `${context}, still running`, mayStay: false })
  await t.crashAndStart().catch(() => t.crashAndStart())
  await check(t, { rule, context: `${context}, started again`, mayStay: true })
  await rounds(t, 4)
  await check(t, { rule, context: `${context}, in the end`, mayStay: false })
  assert.deepEqual((await t.objects()).toSorted(), t.blocks(), `${context}: nothing is left over`)
  await t.crashAndStart()
  await check(t, { rule, context: `${context}, at last`, mayStay: false })
}

/** What can go wrong, with which operations, and every how many of them are tried in a run of all tests. */
const affected: readonly (readonly [FaultKind, RegExp, number])[] = [
  ['crash-before', /^(?:append|writeFile|openAppend|makeDir|removeDir|sync|syncDir|rename|remove|truncate) /, 2],
  ['torn', /^(?:append|writeFile|sync) /, 1],
  ['EIO', /./, 7],
  ['ENOSPC', /^(?:append|writeFile|openAppend|makeDir) /, 1],
]
const triesAll = process.env['EVERY_FAULT'] === '1'

async function journalOf(rule: Rule): Promise<readonly string[]> {
  const t = await fill(2300)
  rule.apply(t)
  const first = t.world.disk.operations
  await rounds(t, 4)
  await check(t, { rule, context: `${rule.name}, without a fault`, mayStay: false })
  return t.world.disk.journal.slice(first)
}

for (const rule of rules) {
  describe(`retention ${rule.name}: every disk operation goes wrong once`, async () => {
    const journal = await journalOf(rule)
    for (const [kind, pattern, stride] of affected) {
      it(kind, async () => {
        const operations = [...journal.keys()].filter((at) => pattern.test(journal[at]!))
        assert.ok(operations.length >= 4, `${operations.length} operations`)
        for (const [i, at] of operations.entries()) if (triesAll || i % stride === 0) await run(rule, kind, at)
      })
    }
  })
}

/** Retention in simulated time: what goes and when, by age, size and free space; what it tells before and afterwards. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { limits, type Limits } from '#/logs/limits.ts'
import type { TenantRetention } from '#/logs/wire/retention.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { EraseHarness } from './erase-harness.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

async function push(t: EraseHarness, tenant: string, streams: readonly string[]): Promise<void> {
  const timeNs = t.clock.nowNs()
  const entries = streams.map((app) => ({
    stream: `{app="${app}"}`,
    timeNs,
    line: `${tenant} ${app} ${t.clock.nowMs()}`.padEnd(500, '.'),
  }))
  await t.push(entries, tenant)
  await t.ingester.flush(tenant)
}

/** A push a day. */
async function fill(t: EraseHarness, days: number): Promise<void> {
  for (let day = 0; day < days; day++) {
    for (const tenant of ['a', 'b']) await push(t, tenant, ['x', 'y'])
    t.skip(dayMs)
  }
}

const withLimits =
  (own: Partial<Limits>) =>
  (tenant: string): Limits => ({
    ...defaultsOf(limits),
    ...(tenant === 'a' ? own : {}),
  })

async function linesOf(t: EraseHarness): Promise<Record<string, number>> {
  const lines = [...(await t.seen('a')), ...(await t.seen('b'))].map((line) => line.slice(0, 3))
  return Object.fromEntries([...Map.groupBy(lines, (line) => line)].map(([key, list]) => [key, list.length]))
}

async function statusOf(t: EraseHarness, tenant: string): Promise<TenantRetention> {
  return (await t.retention.status(tenant)).tenants[0]!
}

describe('retention', () => {
  it('removes whole blocks by age, of one tenant alone, and says so before', async () => {
    const t = new EraseHarness(1)
    t.limitsOf = withLimits({ retention_period: 3 * dayMs })
    await t.start()
    await fill(t, 6)
    t.skip(6 * hourMs)
    const before = await statusOf(t, 'a')
    assert.deepEqual([before.rules[0]!.rule, before.rules[0]!.blocks], ['retention_period', 4])
    assert.ok(before.rules[0]!.nextMs! >= t.clock.nowMs())
    assert.deepEqual(await linesOf(t), { 'a x': 6, 'a y': 6, 'b x': 6, 'b y': 6 })
    await t.round()
    assert.deepEqual(await linesOf(t), { 'a x': 2, 'a y': 2, 'b x': 6, 'b y': 6 })
    const after = await statusOf(t, 'a')
    assert.equal(
      after.removed.reduce((sum, { blocks }) => sum + blocks, 0),
      4,
    )
    assert.equal(
      after.removed.reduce((sum, { rows }) => sum + rows, 0),
      8,
    )
    await t.round()
    assert.deepEqual((await t.objects()).toSorted(), t.blocks(), 'no object is left over')
    await t.crashAndStart()
    assert.deepEqual(await linesOf(t), { 'a x': 2, 'a y': 2, 'b x': 6, 'b y': 6 }, 'after a restart')
  })

  it('takes streams of a rule out of blocks', async () => {
    const t = new EraseHarness(2)
    const rule = { selector: '{app="x"}', priority: 1, periodMs: dayMs }
    t.limitsOf = withLimits({ retention_period: 5 * dayMs, retention_stream: [rule] })
    await t.start()
    await fill(t, 4)
    await t.round()
    await t.round()
    assert.deepEqual(await linesOf(t), { 'a y': 4, 'b x': 4, 'b y': 4 })
    const { rules, removed } = await statusOf(t, 'a')
    assert.deepEqual(
      rules.map((one) => one.blocksInPart),
      [0, 0],
    )
    assert.equal(
      removed.filter((one) => one.rule === 'retention_stream').reduce((sum, { rows }) => sum + rows, 0),
      4,
    )
  })

  it('keeps for ever what no rule has a period for', async () => {
    const t = new EraseHarness(3)
    const rule = { selector: '{app="x"}', priority: 1, periodMs: dayMs }
    t.limitsOf = withLimits({ retention_stream: [rule] })
    await t.start()
    await fill(t, 3)
    t.skip(400 * dayMs)
    await t.round()
    await t.round()
    assert.deepEqual(await linesOf(t), { 'a y': 3, 'b x': 3, 'b y': 3 })
  })

  it('removes the oldest blocks beyond a size', async () => {
    const t = new EraseHarness(4)
    await t.start()
    await fill(t, 5)
    const { storedBytes } = await statusOf(t, 'a')
    t.limitsOf = withLimits({ retention_bytes: Math.floor(storedBytes * 0.5) })
    assert.equal((await statusOf(t, 'a')).rules.at(-1)!.blocks, 3)
    await t.upkeep.look()
    const left = await linesOf(t)
    assert.deepEqual(left, { 'a x': 2, 'a y': 2, 'b x': 5, 'b y': 5 })
  })

  it('removes the oldest blocks of all when the disk is nearly full, at once', async () => {
    const t = new EraseHarness(5)
    t.retentionSettings = { isEnabled: true, minFreeBytes: 10_000 }
    await t.start()
    await fill(t, 5)
    const objects = (await t.objects()).length
    t.freeBytes = async () => 9999
    await t.upkeep.look()
    assert.equal((await t.objects()).length, objects - 1)
    t.freeBytes = async () => 10_000
    await t.upkeep.look()
    assert.equal((await t.objects()).length, objects - 1)
  })

  it('does nothing when it is switched off', async () => {
    const t = new EraseHarness(6)
    t.retentionSettings = { isEnabled: false, minFreeBytes: 10_000 }
    t.limitsOf = withLimits({ retention_period: dayMs })
    await t.start()
    await fill(t, 3)
    t.freeBytes = async () => 0
    await t.round()
    assert.deepEqual(await linesOf(t), { 'a x': 3, 'a y': 3, 'b x': 3, 'b y': 3 })
  })

  it('leaves a tenant alone whose rules cannot be read, and says why', async () => {
    const t = new EraseHarness(7)
    const rule = { selector: '{app=', priority: 1, periodMs: dayMs }
    t.limitsOf = withLimits({ retention_period: 2 * dayMs, retention_stream: [rule] })
    await t.start()
    await fill(t, 3)
    t.skip(dayMs)
    await t.upkeep.look()
    assert.equal((await t.seen('a')).length, 6)
    assert.match((await statusOf(t, 'a')).problem ?? '', /syntax error/)
  })
})

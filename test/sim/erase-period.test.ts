/** Delete requests with the server's own rounds in simulated time: how long lines wait for merges, and that they are gone in time. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { EraseHarness } from './erase-harness.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const cancelPeriodMs = hourMs
const erasePeriodMs = 3 * hourMs
const intervalMs = 10 * minuteMs
const deleteDelayMs = 30 * minuteMs
/** As logs/roles/upkeep.ts reckons. */
const waitMs = erasePeriodMs - 4 * intervalMs - deleteDelayMs

type Given = { readonly mergesByItself?: boolean; readonly refusalOf?: () => Promise<Error | undefined> }

/** Two blocks of yesterday, two of now, and what is in memory; half of the lines have the word. The loops run. */
async function begin(seed: number, { mergesByItself = true, refusalOf }: Given = {}): Promise<EraseHarness> {
  const t = new EraseHarness(seed)
  Object.assign(t, { cancelPeriodMs, upkeepIntervalMs: intervalMs, eraseSettings: { waitMs, erasePeriodMs } })
  t.compaction = {
    settings: { targetBytes: 20_000, intervalMs, deleteDelayMs, mergesByItself },
    ...(refusalOf && { refusalOf }),
  }
  await t.start()
  for (let number = 0; number < 4; number++) {
    await push(t, number, number < 2 ? dayMs : 0)
    await t.ingester.flush('a')
  }
  await push(t, 4, 0)
  t.upkeep.start()
  t.compactor.start()
  return t
}

async function push(t: EraseHarness, number: number, agoMs: number): Promise<void> {
  const entries = ['secret', 'plain'].map((word, i) => ({
    stream: '{app="x"}',
    timeNs: t.clock.nowNs() - BigInt(agoMs) * 1_000_000n + BigInt(number * 10 + i),
    line: `${word} ${number}.`,
  }))
  await t.push(entries)
}

async function request(t: EraseHarness, word = 'secret'): Promise<void> {
  const endMs = t.clock.nowMs()
  await t.deletes.create('a', { query: `{app="x"} |= "${word}"`, startMs: endMs - 2 * dayMs, endMs })
}

async function end(t: EraseHarness): Promise<void> {
  await t.upkeep.stop()
  await t.compactor.stop()
}

const statesOf = (t: EraseHarness): readonly string[] => t.deletes.list('a').map(({ state }) => state)
const plain = [0, 1, 2, 3, 4].map((number) => `plain ${number}.`)

describe('the time in which deleted lines are erased', () => {
  it('is kept: then no block, whether it counts or not, and no log has them', async () => {
    const t = await begin(1)
    await t.world.clock.advance(hourMs)
    await request(t)
    await t.world.clock.advance(cancelPeriodMs / 2)
    // hidden and erased as the others
    await push(t, 4, 2 * hourMs)
    assert.match(await t.stored(), /secret 0/, 'it can still be taken back')
    await t.world.clock.advance(cancelPeriodMs / 2 + erasePeriodMs)
    assert.deepEqual(statesOf(t), ['erased'])
    assert.doesNotMatch(await t.stored(), /secret/)
    assert.deepEqual([...new Set(await t.seen('a'))], plain)
    assert.equal(t.deleteWork.overdue, 0)
    await end(t)
  })

  it('lets lines wait for a merge of their block, so that several requests write it once', async () => {
    const t = await begin(2)
    await t.world.clock.advance(hourMs + 2 * intervalMs)
    assert.equal(t.blocks().length, 2, 'yesterday is merged, and so is the hour')
    const [yesterday] = t.blocks()
    await request(t)
    await t.world.clock.advance(hourMs)
    await request(t, 'plain 0')
    await t.world.clock.advance(hourMs)
    assert.deepEqual(statesOf(t), ['erasing', 'masked'])
    assert.equal(t.blocks()[0], yesterday, 'nothing merges it anyway')
    const { merges } = t.compactor.counts.totals
    await t.world.clock.advance(3 * hourMs)
    assert.deepEqual(statesOf(t), ['erased', 'erased'])
    assert.notEqual(t.blocks()[0], yesterday)
    const ofYesterday = t.compactor.counts.totals.merges - merges
    assert.ok(ofYesterday <= 2, `${ofYesterday} merges for two requests and two blocks`)
    await end(t)
  })

  it('is kept, too, where blocks are not merged by themselves', async () => {
    const t = await begin(3, { mergesByItself: false })
    await t.world.clock.advance(hourMs)
    await request(t)
    const blocks = t.blocks().length
    await t.world.clock.advance(cancelPeriodMs + erasePeriodMs)
    assert.deepEqual(statesOf(t), ['erased'])
    assert.doesNotMatch(await t.stored(), /secret/)
    assert.ok(t.blocks().length >= blocks, 'each was written anew for itself')
    await end(t)
  })

  it('is over and said to be, while merges cannot be made', async () => {
    let isFull = true
    const t = await begin(4, { refusalOf: async () => (isFull ? new Error('the disk is full') : undefined) })
    await request(t)
    await t.world.clock.advance(cancelPeriodMs + erasePeriodMs + 2 * intervalMs)
    assert.deepEqual(statesOf(t), ['erasing'])
    assert.equal(t.deleteWork.overdue, 1)
    assert.deepEqual(await t.seen('a'), plain, 'they stay hidden')
    isFull = false
    await t.world.clock.advance(hourMs + deleteDelayMs)
    assert.deepEqual([statesOf(t), t.deleteWork.overdue], [['erased'], 0])
    assert.doesNotMatch(await t.stored(), /secret/)
    await end(t)
  })
})

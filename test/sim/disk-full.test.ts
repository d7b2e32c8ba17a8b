/** A disk that fills up, in simulated time: retention by free space looks at once, merges wait for room, and deleting goes on. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { limits } from '#/logs/limits.ts'
import { DiskSpace } from '#/platform/disk-space/disk-space.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { EraseHarness } from './erase-harness.ts'
import { blockDir } from './ingester-harness.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const lookMs = 5000
const readOnlyBytes = 5000
const minFreeBytes = 20_000

/** With a push a day, and what looks at the disk wired as in the server. Of the disk's space nothing else is taken. */
async function open(seed: number, days: number): Promise<{ readonly t: EraseHarness; readonly space: DiskSpace }> {
  const t = new EraseHarness(seed)
  const { disk, clock } = t.world
  t.retentionSettings = { isEnabled: true, minFreeBytes }
  t.freeBytes = () => disk.freeBytes(blockDir)
  const space = await DiskSpace.open({
    world: t.world,
    logger: silentLogger,
    volumes: [{ name: 'blocks', directory: blockDir }],
    lowBytes: readOnlyBytes,
    readOnlyBytes,
    writableBytes: readOnlyBytes,
    intervalMs: lookMs,
  })
  t.compaction = { refusalOf: (bytes) => space.refusalOf('blocks', bytes) }
  await t.start()
  space.onBelow('blocks', minFreeBytes, () => t.upkeep.freeSpaceSoon())
  for (let day = 0; day < days; day++) {
    for (const part of [0, 1]) {
      const line = `day ${day} part ${part} `.padEnd(500, '.')
      await t.push([{ stream: '{app="x"}', timeNs: clock.nowNs(), line }])
      await t.ingester.flush(undefined)
    }
    clock.jump(dayMs)
  }
  return { t, space }
}

const fill = (t: EraseHarness, freeBytes: number): void =>
  void (t.world.disk.capacityBytes = t.world.disk.usedBytes + freeBytes)

async function daysSeen(t: EraseHarness): Promise<readonly string[]> {
  return [...new Set((await t.seen('a')).map((line) => line.slice(0, 5)))]
}

describe('a disk that fills up', () => {
  it('makes retention by free space look at once', async () => {
    const { t, space } = await open(1, 4)
    fill(t, minFreeBytes)
    await t.world.clock.advance(2 * lookMs)
    assert.equal((await t.objects()).length, 8, 'there is enough')
    fill(t, minFreeBytes - 1)
    await t.world.clock.advance(lookMs)
    assert.equal((await t.objects()).length, 7, 'the oldest block is gone within one look at the disk')
    assert.ok((await t.world.disk.freeBytes(blockDir)) >= minFreeBytes)
    assert.equal(space.volumes()[0]!.state, 'enough', 'long before the disk is low')
    const objects = (await t.objects()).length
    await t.world.clock.advance(10 * lookMs)
    assert.equal((await t.objects()).length, objects, 'and no more than was needed')
  })

  it('loses little at a time when deleting frees nothing', async () => {
    const { t } = await open(2, 6)
    // as when a snapshot on the same disk holds the files
    t.freeBytes = async () => minFreeBytes - 1
    fill(t, minFreeBytes - 1)
    const before = (await t.objects()).length
    t.upkeep.freeSpaceSoon()
    await t.world.clock.advance(1000)
    for (let looks = 0; looks < 10; looks++) {
      t.upkeep.freeSpaceSoon()
      await t.world.clock.advance(lookMs)
    }
    assert.equal((await t.objects()).length, before - 1, 'one block in less than a minute')
    await t.world.clock.advance(60_000)
    t.upkeep.freeSpaceSoon()
    await t.world.clock.advance(lookMs)
    assert.equal((await t.objects()).length, before - 2)
  })

  it('lets merges wait for room, and nothing else', async () => {
    const { t, space } = await open(3, 3)
    t.freeBytes = async () => Infinity
    fill(t, readOnlyBytes + 500)
    const run = await t.compactor.runOnce()
    assert.deepEqual([run.merges, run.postponed, run.failures], [0, 3, 0])
    const { withoutRoom, errors, queue } = t.compactor.status()
    assert.match(withoutRoom ?? '', /the disk of blocks has .* free, and .* more would leave less than/)
    assert.deepEqual([errors.length, queue.length], [0, 3])
    assert.equal((await t.objects()).length, 6, 'no merge has begun')

    fill(t, 1_000_000)
    const later = await t.compactor.runOnce()
    assert.deepEqual([later.merges, later.postponed], [3, 0], 'nothing has to pass but the want of room')
    assert.equal(t.compactor.status().withoutRoom, undefined)
    fill(t, 0)
    await space.look()
    assert.equal(space.volumes()[0]!.state, 'read-only')
    t.skip(2 * hourMs)
    await t.compactor.runOnce()
    assert.deepEqual((await t.objects()).toSorted(), t.blocks(), 'what was merged is deleted all the same')
    assert.equal(t.blocks().length, 3)
  })

  it('removes whole blocks by their period while merges wait', async () => {
    const { t } = await open(4, 6)
    t.limitsOf = () => ({ ...defaultsOf(limits), retention_period: 3 * dayMs })
    t.freeBytes = async () => Infinity
    for (let i = 0; i < 3; i++) {
      await t.upkeep.look()
      // however much was freed
      fill(t, readOnlyBytes)
      await t.compactor.runOnce()
      t.skip(2 * hourMs)
    }
    assert.equal(t.compactor.counts.totals.merges, 0)
    assert.ok(t.compactor.counts.totals.postponed > 0)
    assert.deepEqual(await daysSeen(t), ['day 4', 'day 5'])
    assert.deepEqual((await t.objects()).toSorted(), t.blocks(), 'their objects are gone, too')
  })
})

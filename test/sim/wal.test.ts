import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Unavailable } from '#/kernel/errors.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { inspectWal } from '#/storage/wal/inspect.ts'
import { Wal } from '#/storage/wal/wal.ts'
import { WalHarness, walDir } from './wal-harness.ts'
import { settle } from './world/sim-clock.ts'
import { type FaultKind, faultKinds } from './world/sim-disk.ts'

const texts = (count: number, size = 40): string[] =>
  Array.from({ length: count }, (_, i) => `record ${i} `.padEnd(size, 'x'))

describe('write-ahead log', () => {
  it('gives back what was acknowledged, in order, after a power loss', async () => {
    const t = await new WalHarness(1).start()
    for (const text of texts(20)) await t.write(text)
    await t.crashAndStart()
    assert.deepEqual(t.found, texts(20))
    assert.equal(t.corruptions.length, 0)
  })

  it('keeps its identity and never uses a sequence twice', async () => {
    const t = await new WalHarness(2).start()
    const { ingesterId } = t.wal
    const first = await t.write('a')
    await t.crashAndStart()
    const second = await t.write('b')
    await t.crashAndStart()
    assert.equal(t.wal.ingesterId, ingesterId)
    assert.ok(second > first)
    assert.deepEqual(t.sequences, [first, second])
    t.world.disk.remove(`${walDir}/ingester-id`)
    await t.wal.close()
    await t.start()
    assert.equal(t.wal.ingesterId, ingesterId, 'the segments know it too')
  })

  it('gathers appends into groups while a sync runs, and tells in the order of sequences', async () => {
    const t = await new WalHarness(3).start()
    const before = t.world.disk.journal.length
    const sequences = await Promise.all(texts(100).map((text) => t.write(text)))
    const syncs = t.world.disk.journal.slice(before).filter((what) => what.startsWith('sync ')).length
    assert.deepEqual(
      sequences,
      [...sequences].toSorted((a, b) => a - b),
    )
    assert.deepEqual(t.durable, texts(100))
    assert.ok(syncs <= 3, `${syncs} syncs: one for the segment, one for the first, one for all others`)
    assert.equal(t.wal.stats().queuedBytes, 0)
  })

  it('does not forget a record that arrives in the moment when the writer stops', async () => {
    const t = await new WalHarness(4).start()
    for (let i = 0; i < 50; i++) {
      const done = t.write(`a${i}`)
      // a chain of promises of every length around the end of the writer
      let later: Promise<unknown> = done
      for (let hops = 0; hops < i % 12; hops++) later = later.then(() => undefined)
      await later.then(() => t.write(`b${i}`))
    }
    assert.equal(t.durable.length, 100)
  })

  it('rotates segments and drops whole ones only', async () => {
    const t = await new WalHarness(5, { segmentBytes: 1000 }).start()
    const sequences: number[] = []
    for (const text of texts(30, 200)) sequences.push(await t.write(text))
    const before = t.segments().length
    assert.ok(before >= 6, `${before} segments`)
    await t.wal.dropUpTo(sequences[14]!)
    assert.ok(t.segments().length < before)
    await t.crashAndStart()
    assert.deepEqual(t.found.slice(-15), texts(30, 200).slice(15), 'nothing behind the mark is gone')
    assert.ok(t.found.length < 30)
  })

  it('drops everything, the active segment too, and goes on with higher sequences', async () => {
    const t = await new WalHarness(6, { segmentBytes: 1000 }).start()
    let last = 0
    for (const text of texts(9, 200)) last = await t.write(text)
    await t.wal.dropUpTo(last)
    assert.deepEqual(t.segments(), [])
    assert.ok((await t.write('next')) > last)
    await t.wal.dropUpTo(last)
    await t.crashAndStart()
    assert.deepEqual(t.found, ['next'])
  })

  it('goes on with higher sequences when all segments are gone and the caller knows the last', async () => {
    const t = await new WalHarness(7).start()
    await t.wal.close()
    const { world } = t
    t.wal = await Wal.open({ world, directory: walDir, log: silentLogger, sync: 'commit', reserveBytes: 0 })
    await t.wal.replay(() => undefined, 1_000_000_000)
    assert.ok((await t.write('x')) > 1_000_000_000)
  })

  it('cuts a torn tail at start', async () => {
    const t = await new WalHarness(8).start()
    await t.write('kept')
    const [path = ''] = t.segments()
    await t.wal.close()
    const content = t.world.disk.contentOf(path)
    t.world.disk.plant(path, Buffer.concat([content, content.subarray(128, 150)]))
    await t.start()
    assert.deepEqual(t.found, ['kept'])
    assert.equal(t.corruptions.length, 0)
    assert.equal(t.world.disk.contentOf(path).length, content.length)
  })

  it('reports a flipped bit with file and offset, reads the rest, and leaves the file alone', async () => {
    for (const offsetInRecord of [0, 5, 9, 17, 21, 29, 33, 60]) {
      const t = await new WalHarness(9).start()
      for (const text of texts(5)) await t.write(text)
      const [path = ''] = t.segments()
      const record = (await inspectWal(t.world.disk, walDir, { maxRecords: 9 })).segments[0]!.records[2]!
      await t.wal.close()
      t.world.disk.flipBit(path, record.offset + offsetInRecord, 3)
      const size = t.world.disk.contentOf(path).length
      await t.start()
      assert.deepEqual(
        t.found,
        [0, 1, 3, 4].map((i) => texts(5)[i]),
        `byte ${offsetInRecord}`,
      )
      assert.deepEqual(
        t.corruptions.map(({ file, offset }) => ({ file, offset })),
        [{ file: path, offset: record.offset }],
      )
      assert.match(t.corruptions[0]!.message, /corruption in .*00000001\.wal at byte \d+: .*bytes skipped/)
      assert.equal(t.world.disk.contentOf(path).length, size)
      assert.equal(t.wal.stats().corruptions, 1)
    }
  })

  it('reports a sealed segment that lost its end', async () => {
    const t = await new WalHarness(10, { segmentBytes: 500 }).start()
    for (const text of texts(8, 200)) await t.write(text)
    const [path = ''] = t.segments()
    await t.wal.close()
    t.world.disk.plant(path, t.world.disk.contentOf(path).subarray(0, -100))
    await t.start()
    assert.deepEqual(
      t.corruptions.map(({ file }) => file),
      [path, path],
    )
    assert.match(t.corruptions[0]!.message, /ends beyond the file/)
    assert.match(t.corruptions[1]!.message, /the file ends here, \d+ bytes had been synced/)
    assert.equal(t.found.length, 7)
  })

  it('reads a segment whose first header copy is damaged, and puts one with none aside', async () => {
    const t = await new WalHarness(11, { segmentBytes: 500 }).start()
    for (const text of texts(8, 200)) await t.write(text)
    const [first = '', second = ''] = t.segments()
    await t.wal.close()
    t.world.disk.flipBit(first, 20)
    t.world.disk.flipBit(second, 20)
    t.world.disk.flipBit(second, 90)
    await t.start()
    assert.equal(t.found.length, 6)
    assert.deepEqual(
      t.corruptions.map(({ file, offset }) => [file, offset]),
      [
        [first, 0],
        [second, 128],
      ],
    )
    assert.ok(t.world.disk.paths().includes(`${second}.unreadable`))
  })

  it('takes no payload for a record, even one that is a copy of a segment', async () => {
    const t = await new WalHarness(12).start()
    await t.write('first')
    const [path = ''] = t.segments()
    const forged = t.world.disk.contentOf(path)
    await t.wal.append([forged, forged])
    await t.write('last')
    const record = (await inspectWal(t.world.disk, walDir, { maxRecords: 9 })).segments[0]!.records[1]!
    await t.wal.close()
    t.world.disk.flipBit(path, record.offset)
    await t.start()
    assert.deepEqual(t.found, ['first', 'last'])
  })
})

describe('write-ahead log on a bad disk', () => {
  it('refuses while the disk is full, goes on reading, and resumes when there is room', async () => {
    const t = await new WalHarness(20, { reserveBytes: 2000 }).start()
    await t.write('before')
    t.world.disk.capacityBytes = t.world.disk.usedBytes + 1500
    await t.world.clock.advance(1000)
    await assert.rejects(t.write('full'), (error: Unavailable) => {
      assert.ok(error instanceof Unavailable)
      assert.match(error.message, /^the disk of the write-ahead log is full: 1500 bytes are free, 2000B are kept/)
      assert.ok(error.retryAfterSeconds! > 0)
      return true
    })
    const operations = t.world.disk.operations
    await assert.rejects(t.write('still full'), Unavailable)
    assert.equal(t.world.disk.operations, operations, 'it does not ask the disk for every push')
    t.world.disk.capacityBytes += 10_000
    await t.world.clock.advance(1000)
    await t.write('after')
    await t.crashAndStart()
    assert.deepEqual(t.found, ['before', 'after'])
  })

  it('survives a write that the disk cuts short', async () => {
    const t = await new WalHarness(21).start()
    await t.write('before')
    t.world.disk.capacityBytes = t.world.disk.usedBytes + 50
    // the space that was asked for a moment ago is gone
    const refused = t.write('y'.repeat(500))
    await assert.rejects(refused, /the disk of the write-ahead log is full/)
    t.world.disk.capacityBytes += 10_000
    await t.world.clock.advance(1000)
    await t.write('after')
    await t.crashAndStart()
    assert.deepEqual(t.found, ['before', 'after'])
    assert.equal(t.corruptions.length, 0)
  })

  it('acknowledges nothing after a failed sync until a new segment is there', async () => {
    const t = await new WalHarness(22).start()
    await t.write('before')
    t.world.disk.failAt(t.world.disk.operations + 1, 'EIO')
    await assert.rejects(t.write('doubtful'), /the write-ahead log cannot be written: EIO: sync/)
    await t.world.clock.advance(1000)
    await t.write('after')
    assert.equal(t.segments().length, 2)
    await t.crashAndStart()
    assert.deepEqual(
      t.found.filter((text) => text !== 'doubtful'),
      ['before', 'after'],
    )
  })

  it('refuses more than its queue holds', async () => {
    const t = await new WalHarness(23, { maxQueuedBytes: 1000 }).start()
    const results = await Promise.allSettled(texts(10, 300).map((text) => t.write(text)))
    const refused = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
    assert.equal(results.length - refused.length, t.durable.length)
    assert.ok(refused.length > 0 && refused.length < 10)
    assert.match(String(refused[0]!.reason), /bytes wait for the disk of the write-ahead log, the limit is 1000/)
    await t.write('there is room again')
  })

  it('finishes what waits when it is closed, and refuses the rest', async () => {
    const t = await new WalHarness(24).start()
    const writes = texts(5).map((text) => t.write(text))
    await t.wal.close()
    await Promise.all(writes)
    await assert.rejects(t.write('late'), /the write-ahead log is closed/)
    await t.crashAndStart()
    assert.deepEqual(t.found, texts(5))
  })

  for (const sync of ['interval', 'never'] as const) {
    it(`acknowledges before the sync with sync: ${sync}, and loses nothing when only the process ends`, async () => {
      const t = await new WalHarness(25, { sync }).start()
      await t.write('first')
      const before = t.world.disk.journal.length
      for (const text of texts(5)) await t.write(text)
      const syncs = (): number => t.world.disk.journal.slice(before).filter((what) => what.startsWith('sync ')).length
      assert.equal(syncs(), 0)
      await t.world.clock.advance(1000)
      await settle()
      assert.equal(syncs(), sync === 'interval' ? 1 : 0)
      t.world.disk.kill()
      t.world.clock.clear()
      await t.start()
      assert.deepEqual(t.found, ['first', ...texts(5)])
    })
  }
})

describe('write-ahead log, crashed or failed at every disk operation', () => {
  const run = async (kind: FaultKind, at: number): Promise<boolean> => {
    const t = new WalHarness(1000 + at, { segmentBytes: 600 })
    const acknowledged = new Map<string, number>()
    const tried: string[] = []
    let dropped = 0
    t.world.disk.failAt(at, kind)
    const attempt = async (): Promise<void> => {
      await t.start()
      for (let i = 0; i < 6; i++) {
        const batch = [`a${i}-`.padEnd(90, '.'), `b${i}-`.padEnd(30, '.')]
        tried.push(...batch)
        await Promise.allSettled(batch.map(async (text) => acknowledged.set(text, await t.write(text))))
        await t.world.clock.advance(1000)
        if (i !== 3) continue
        dropped = Math.max(0, ...acknowledged.values()) - 1
        await t.wal.dropUpTo(dropped)
      }
      await t.wal.close()
    }
    await attempt().catch(() => undefined)
    const wasReached = t.world.disk.operations > at
    await t.crashAndStart()
    const context = `${kind} at ${at}, ${t.world.disk.journal[at]}`
    for (const [text, sequence] of acknowledged) {
      if (sequence > dropped) assert.ok(t.found.includes(text), `${context}: '${text}' is lost`)
    }
    assert.equal(new Set(t.found).size, t.found.length, `${context}: a record came back twice`)
    assert.ok(
      t.found.every((text) => tried.includes(text)),
      `${context}: a record that nobody wrote`,
    )
    assert.equal(t.corruptions.length, 0, `${context}: ${t.corruptions[0]?.message}`)
    assert.deepEqual(
      t.sequences,
      [...new Set(t.sequences)].toSorted((a, b) => a - b),
      context,
    )
    return wasReached
  }

  for (const kind of faultKinds) {
    it(kind, async () => {
      let at = 0
      while (await run(kind, at)) at++
      assert.ok(at > 30, `${at} operations`)
    })
  }
})

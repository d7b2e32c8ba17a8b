import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { LimitExceeded, Unavailable } from '#/kernel/errors.ts'
import { buildEntryBatch, type PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { encodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { inspectWal } from '#/storage/wal/inspect.ts'
import { Wal } from '#/storage/wal/wal.ts'
import { IngesterHarness, walDir } from './ingester-harness.ts'
import { plainRow } from './read-rows.ts'
import { settle } from './world/sim-clock.ts'

const noon = BigInt(Date.UTC(2026, 0, 15, 12)) * 1_000_000n

const entry = (line: string, atNs = 0, stream = '{app="a"}', metadata?: Record<string, string>): PlainEntry => ({
  stream,
  timeNs: noon + BigInt(atNs),
  line,
  ...(metadata && { metadata }),
})
const plain = (entries: readonly PlainEntry[]): string[] => entries.map(plainRow).toSorted()

describe('ingester', () => {
  it('shows a batch as soon as it is acknowledged, from the head, then from a block', async () => {
    const t = await new IngesterHarness(1).start()
    const entries = [
      entry('hello', 5),
      entry('', 3, '{app="b", host="x"}', { trace: 'abc', level: 'info' }),
      entry('\xff\x00', 1, '{app="a"}', { level: 'warn' }),
    ]
    assert.deepEqual(await t.push(entries), { duplicateRows: 0, refused: [] })
    assert.deepEqual(await t.rows(), plain(entries))
    assert.equal(await t.blockCount(), 0)
    await t.ingester.flush(undefined)
    assert.deepEqual(await t.rows(), plain(entries))
    assert.equal(await t.blockCount(), 1)
    assert.deepEqual((await t.ingester.view('a', -Infinity, Infinity)).heads, [])
    assert.deepEqual(await t.rows('b'), [], 'another tenant sees nothing of it')
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain(entries))
  })

  it('replays what no block has, day by day', async () => {
    const t = await new IngesterHarness(2).start()
    const day = 86_400e9
    const first = [entry('a', 0), entry('b', day), entry('c', -day), entry('d', day + 1)]
    await t.push(first)
    await t.ingester.flush('a')
    assert.equal(await t.blockCount(), 3)
    const second = [entry('e', 1), entry('f', day + 2)]
    await t.push(second)
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain([...first, ...second]))
    assert.equal(t.ingester.stats().replay.rows, 2)
    assert.equal((await t.ingester.view('a', 20_468, 20_468)).heads.length, 1, 'only the day that was asked for')
  })

  it('drops exact duplicates and counts them', async () => {
    const t = await new IngesterHarness(3).start()
    const same = [
      entry('x', 1),
      entry('x', 1, '{app="b"}'),
      entry('x', 2),
      entry('y', 2),
      entry('x', 2, '{app="a"}', { k: 'v' }),
    ]
    await t.push(same)
    assert.equal((await t.push([...same, entry('x', 0)])).duplicateRows, same.length)
    assert.equal((await t.push([entry('z', 9), entry('z', 9), entry('z', 9)])).duplicateRows, 2)
    assert.deepEqual(await t.rows(), plain([...same, entry('x', 0), entry('z', 9)]))
    assert.equal(t.ingester.stats().tenants[0]!.duplicateRows, same.length + 2)
  })

  it('keeps a duplicate in the record dropped after a flush and a crash', async () => {
    const t = await new IngesterHarness(4).start()
    await t.push([entry('x', 1)])
    await t.push([entry('x', 1)])
    await t.ingester.flush(undefined)
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain([entry('x', 1)]))
  })

  it('flushes a tenant when its heads are large, and when they are old', async () => {
    const t = await new IngesterHarness(5, { flushBytes: 100_000, flushAgeMs: 60_000 }).start()
    const line = 'l'.repeat(10_000)
    const entries = Array.from({ length: 20 }, (_, i) => entry(`${i}${line}`, i))
    for (const one of entries) {
      await t.push([one])
      await settle()
    }
    assert.ok((await t.blockCount()) >= 1)
    const other = entry('old', 50)
    await t.push([other], 'b')
    await t.world.clock.advance(59_000)
    assert.equal(await t.blockCount('b'), 0)
    await t.world.clock.advance(2000)
    assert.equal(await t.blockCount('b'), 1)
    assert.deepEqual(await t.rows(), plain(entries))
    const { flush } = t.ingester.stats()
    assert.ok(flush.blocks.full >= 1)
    assert.ok(flush.blocks.max_age >= 1)
  })

  it('keeps what a failed flush could not write, and tries again', async () => {
    const t = await new IngesterHarness(6).start()
    await t.push([entry('a', 1)])
    const build = t.buildBlock
    t.buildBlock = () => Promise.reject(new Unavailable('the store is away'))
    await assert.rejects(t.ingester.flush(undefined), /a flush failed and will be tried again: the store is away/)
    await t.push([entry('b', 2)])
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
    await t.world.clock.advance(10_000)
    assert.equal(await t.blockCount(), 0)
    assert.ok(t.ingester.stats().flush.failures >= 3, 'with pauses that grow')
    assert.ok(t.ingester.stats().flush.failures <= 5)
    t.buildBlock = build
    await t.world.clock.advance(60_000)
    assert.equal(await t.blockCount(), 2)
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
    assert.equal(t.ingester.stats().replay.rows, 0)
  })

  it('takes pushes and shows everything once while a flush is under way', async () => {
    const t = await new IngesterHarness(7).start()
    const build = t.buildBlock
    const gate = Promise.withResolvers<void>()
    t.buildBlock = async (input) => {
      await gate.promise
      return build(input)
    }
    await t.push([entry('a', 1)])
    const flushed = t.ingester.flush(undefined)
    await settle()
    await t.push([entry('b', 2)])
    const flushedToo = t.ingester.flush(undefined)
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
    gate.resolve()
    await flushed
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
    await flushedToo
    assert.equal(await t.blockCount(), 2)
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
  })

  it('drops the WAL that blocks cover, and no more', async () => {
    const t = await new IngesterHarness(8, { wal: { segmentBytes: 2000 } }).start()
    for (let i = 0; i < 20; i++) await t.push([entry(`a${i}`.padEnd(300, '.'), i)], i === 10 ? 'b' : 'a')
    const before = t.ingester.stats().wal.segments
    await t.ingester.flush('a')
    const after = t.ingester.stats().wal.segments
    assert.ok(after < before, `${before} → ${after}`)
    assert.ok(after > 1, 'tenant b still needs its record and all behind it')
    await t.ingester.flush('b')
    assert.ok(t.ingester.stats().wal.segments <= 1)
    await t.crashAndStart()
    assert.equal((await t.rows()).length, 19)
    assert.equal((await t.rows('b')).length, 1)
  })

  it('pushes back when memory is short, and recovers', async () => {
    const t = await new IngesterHarness(9, { memoryBytes: 600_000 }).start()
    const build = t.buildBlock
    t.buildBlock = () => Promise.reject(new Unavailable('the store is away'))
    const line = 'm'.repeat(20_000)
    const kept: PlainEntry[] = []
    let refusal: unknown
    for (let i = 0; i < 40 && refusal === undefined; i++) {
      await t.push([entry(`${i}${line}`, i)]).then(
        () => kept.push(entry(`${i}${line}`, i)),
        (error: unknown) => (refusal = error),
      )
    }
    assert.ok(refusal instanceof Unavailable)
    assert.match(refusal.message, /no memory for a push of \d+ bytes: \d+ bytes wait to be flushed/)
    assert.ok(kept.length >= 5)
    t.buildBlock = build
    await t.world.clock.advance(60_000)
    assert.ok((await t.blockCount()) > 0)
    await t.push([entry('again', 99)])
    assert.deepEqual(await t.rows(), plain([...kept, entry('again', 99)]))
    // the WAL is larger than memory at the next start
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain([...kept, entry('again', 99)]))
  })

  it('flushes while it replays a WAL that is larger than its memory', async () => {
    const options = { memoryBytes: 400_000, wal: { segmentBytes: 50_000 } }
    const t = await new IngesterHarness(10, { wal: { segmentBytes: 50_000 } }).start()
    const entries = Array.from({ length: 60 }, (_, i) => entry(`${i}`.padEnd(10_000, 'r'), i))
    for (const one of entries) await t.push([one])
    t.world.clock.clear()
    t.world.disk.crash()
    const small = Object.assign(new IngesterHarness(10, options), { world: t.world, buildBlock: t.buildBlock })
    await small.start()
    assert.ok((await small.blockCount()) >= 2)
    assert.ok(small.ingester.stats().headBytes < 400_000)
    assert.deepEqual(await small.rows(), plain(entries))
    await small.push([entry('next', 100)])
    await small.crashAndStart()
    assert.deepEqual(await small.rows(), plain([...entries, entry('next', 100)]))
  })

  it('flushes at shutdown and refuses pushes from then on', async () => {
    const t = await new IngesterHarness(11).start()
    await t.push([entry('a', 1)])
    await t.ingester.shutdown({ flush: true, deadlineMs: 1000 })
    await assert.rejects(t.push([entry('b', 2)]), /the ingester is stopped/)
    assert.equal(await t.blockCount(), 1)
    assert.equal(t.world.clock.pendingTimers, 0)
    await t.start()
    assert.equal(t.ingester.stats().replay.rows, 0)
  })

  it('gives up a flush at shutdown when time is over, and keeps the WAL', async () => {
    const t = await new IngesterHarness(12).start()
    await t.push([entry('a', 1)])
    t.buildBlock = () => new Promise(() => undefined)
    const stopped = t.ingester.shutdown({ flush: true, deadlineMs: 1000 })
    await t.world.clock.advance(1000)
    await stopped
    t.world.disk.kill()
    t.world.clock.clear()
    await t.start()
    assert.deepEqual(await t.rows(), plain([entry('a', 1)]))
  })

  it('answers 503 while the disk is full, and reads go on', async () => {
    const t = await new IngesterHarness(13).start()
    await t.push([entry('a', 1)])
    const { disk, clock } = t.world
    disk.capacityBytes = disk.usedBytes + 100
    await assert.rejects(t.push([entry('b'.repeat(500), 2)]), /the disk of the write-ahead log is full/)
    assert.deepEqual(await t.rows(), plain([entry('a', 1)]))
    disk.capacityBytes += 1_000_000
    await clock.advance(1000)
    await t.push([entry('c', 3)])
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('c', 3)]))
  })
})

describe('ingester on damaged files', () => {
  it('reports a damaged record with file and offset and keeps all others', async () => {
    const t = await new IngesterHarness(30).start()
    const entries = [1, 2, 3].map((i) => entry(`line ${i}`, i))
    for (const one of entries) await t.push([one])
    const { disk } = t.world
    const path = disk.paths().find((name) => name.endsWith('.wal'))!
    const { records } = (await inspectWal(disk, walDir, { maxRecords: 9 })).segments[0]!
    disk.flipBit(path, records[1]!.offset + 40)
    await t.crashAndStart()
    assert.deepEqual(
      t.corruptions.map(({ file, offset }) => [file, offset]),
      [[path, records[1]!.offset]],
    )
    assert.deepEqual(await t.rows(), plain([entries[0]!, entries[2]!]))
    assert.equal(t.ingester.stats().wal.corruptions, 1)
  })

  it('reads past a record that is no batch of entries', async () => {
    const t = await new IngesterHarness(31).start()
    await t.push([entry('a', 1)])
    await t.ingester.shutdown({ flush: false, deadlineMs: 0 })
    const wal = await Wal.open({
      world: t.world,
      directory: walDir,
      log: silentLogger,
      sync: 'commit',
      reserveBytes: 0,
    })
    await wal.replay(() => undefined)
    await wal.append([Buffer.from('something else')])
    await wal.append(encodeEntryBatch('a', buildEntryBatch([entry('bad', 2, 'no labels')])))
    await wal.close()
    await t.start()
    await t.push([entry('b', 3)])
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 3)]))
    assert.equal(t.ingester.stats().replay.badRecords, 2)
  })

  it('finds everything once when the catalog is gone', async () => {
    const t = await new IngesterHarness(32).start()
    await t.push([entry('a', 1)])
    await t.ingester.flush(undefined)
    await t.push([entry('b', 2)])
    for (const path of t.world.disk.paths().filter((name) => name.endsWith('catalog.json'))) {
      await t.world.disk.remove(path)
    }
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
    assert.equal(await t.blockCount(), 1)
  })

  it('goes on behind the records of its blocks when all of the WAL is gone but its name', async () => {
    const t = await new IngesterHarness(33).start()
    await t.push([entry('a', 1)])
    await t.ingester.flush(undefined)
    const { disk } = t.world
    for (const path of disk.paths().filter((name) => name.endsWith('.wal'))) await disk.remove(path)
    await disk.syncDir(walDir)
    await t.crashAndStart()
    await t.push([entry('b', 2)])
    await t.crashAndStart()
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2)]))
  })
})

describe('limits of the ingester', () => {
  const limits = {
    max_streams_per_user: 0,
    max_global_streams_per_user: 2,
    per_stream_rate_limit: 100,
    per_stream_rate_limit_burst: 200,
  }

  it('refuses streams beyond the limit and keeps the rest of the batch', async () => {
    const t = await new IngesterHarness(20, { limits: () => limits }).start()
    const { refused } = await t.push([
      entry('a', 1),
      entry('b', 2, '{app="b"}'),
      entry('c', 3, '{app="c"}'),
      entry('d', 4),
    ])
    assert.deepEqual(refused, [
      {
        reason: 'stream_limit',
        status: 429,
        message:
          'maximum active stream limit exceeded when trying to create stream {app="c"}, reduce the number of active streams ' +
          "(reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, user: 'a'",
        rowCount: 1,
        bytes: 1,
      },
    ])
    assert.deepEqual(await t.rows(), plain([entry('a', 1), entry('b', 2, '{app="b"}'), entry('d', 4)]))
    assert.equal(t.ingester.stats().tenants[0]!.memoryStreams, 2)
    await t.world.clock.advance(31 * 60_000)
    assert.deepEqual((await t.push([entry('c', 3, '{app="c"}')])).refused, [], 'idle streams do not count')
  })

  it('limits the rate of each stream', async () => {
    const t = await new IngesterHarness(21, { limits: () => limits }).start()
    const long = (mark: string): string => mark.repeat(90)
    const { refused } = await t.push([
      entry(long('a'), 1),
      entry(long('b'), 2),
      entry(long('c'), 500_000_000),
      entry('d', 4),
    ])
    assert.equal(refused.length, 1)
    assert.deepEqual(
      { ...refused[0], message: '' },
      { reason: 'per_stream_rate_limit', status: 429, message: '', rowCount: 1, bytes: 90 },
    )
    assert.equal(
      refused[0]!.message,
      "entry with timestamp 2026-01-15 12:00:00.5 +0000 UTC ignored, reason: 'Per stream rate limit exceeded (limit: 100B/sec) " +
        `while attempting to ingest for stream '{app="a"}' totaling 90B, consider splitting a stream via additional labels or ` +
        "contact your Loki administrator to see if the limit can be increased',\n" +
        `user 'a', total ignored: 1 out of 4 for stream: {app="a"}`,
    )
    assert.equal((await t.rows()).length, 3)
    await t.world.clock.advance(1000)
    assert.deepEqual((await t.push([entry(long('c'), 3)])).refused, [])
    assert.ok(!(refused[0] instanceof LimitExceeded))
  })
})

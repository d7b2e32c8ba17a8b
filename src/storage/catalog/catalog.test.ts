import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Catalog } from './catalog.ts'
import { encodeDayFile, parseDayFile } from './day-file.ts'
import { Unavailable } from '#/kernel/errors.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { formatBlockKey } from '#/storage/block/block-key.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { BlockWriter } from '#/storage/block/v1/writer.ts'
import { sealF64 } from '#/storage/column/number-columns.ts'
import { LabelIndexEncoder } from '#/storage/index/label-index-format.ts'

const clock = { nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0]
const DAY = 19_000
const DAY_FILE = 't/logs/2022-01-08/catalog.json'

/** A block with one row, and its object in the store. */
async function putBlock(store: ObjectStore, options: Partial<BlockMeta> & { readonly n: number }): Promise<BlockMeta> {
  const { n, ...given } = options
  const meta = {
    tenant: 't',
    day: DAY,
    level: 0,
    minTime: n * 10,
    maxTime: n * 10 + 5,
    rowCount: 1,
    streamCount: 1,
    pageCount: 1,
  }
  const source = { ingester: 'one', fromSequence: n, toSequence: n }
  const all = { ...meta, rawBytes: 3, source, ...given }
  const ulid = `01ARZ3NDEKTSV4RRFFQ69G${String(n).padStart(4, '0')}`
  const writer = new BlockWriter()
  const stats = { rawBytes: 8, valueCount: 1, range: undefined, constant: undefined }
  const columns = [{ name: 'time', column: sealF64(Float64Array.of(all.minTime)), stats }]
  writer.addPage({ rowCount: 1, minTime: all.minTime, maxTime: all.maxTime, columns })
  const labels = new LabelIndexEncoder()
  labels.add([['a', 'b']])
  const [one, time] = [Uint32Array.of(1), Float64Array.of(all.minTime)]
  const runs = { pageEnds: one, stream: Uint32Array.of(0), rowCount: one, rawBytes: one, minTime: time, maxTime: time }
  const block = writer.finish(formatBlockKey({ ...all, signal: 'logs', ulid }), all, { labels: labels.finish(), runs })
  await store.put(block.meta.key, block.parts)
  return block.meta
}

class Recorder implements Logger {
  readonly lines: string[] = []
  debug(): void {}
  info(): void {}
  warn(message: string): void {
    this.lines.push(`warn: ${message}`)
  }
  error(message: string): void {
    this.lines.push(`error: ${message}`)
  }
  with(): Logger {
    return this
  }
}

/** A store whose puts fail when told to, and that counts reads of blocks. */
class TestStore extends MemoryStore {
  fails = false
  blockReads = 0
  onPut: () => void = () => {}

  constructor() {
    super(clock)
  }

  override async put(key: string, data: readonly Uint8Array[]): Promise<void> {
    this.onPut()
    if (this.fails) throw new Unavailable('no store today')
    await super.put(key, data)
  }

  override async readInto(key: string, offset: number, target: Uint8Array): Promise<void> {
    this.blockReads++
    await super.readInto(key, offset, target)
  }
}

const keysOf = (catalog: Catalog): string[] => catalog.list('t', DAY, DAY).map((meta) => meta.key)
const open = (store: ObjectStore, logger: Logger = silentLogger): Promise<Catalog> => Catalog.open({ store, logger })

test('an empty store has an empty catalog', async () => {
  const catalog = await open(new TestStore())
  assert.deepEqual(catalog.tenants(), [])
  assert.deepEqual(catalog.list('t', -1e6, 1e6), [])
  assert.equal(catalog.flushedSequence('one', 't', DAY), 0)
})

test('a published block is seen in the instant of its callback, and by the next start without opening it', async () => {
  const store = new TestStore()
  const catalog = await open(store)
  const meta = await putBlock(store, { n: 1 })
  let seen: string[] | undefined
  const published = catalog.publish(meta, () => (seen = keysOf(catalog)))
  assert.deepEqual(keysOf(catalog), [], 'not before it is persisted')
  await published
  assert.deepEqual(seen, [meta.key])
  assert.deepEqual(catalog.list('t', DAY, DAY), [meta])
  assert.deepEqual(catalog.list('t', DAY + 1, DAY + 9), [])
  assert.deepEqual(catalog.list('other', DAY, DAY), [])

  store.blockReads = 0
  const again = await open(store)
  assert.deepEqual(again.list('t', DAY, DAY), [meta])
  assert.equal(store.blockReads, 0)
  assert.deepEqual(again.tenants(), ['t'])
  assert.equal(again.flushedSequence('one', 't', DAY), 1)
  assert.equal(again.flushedSequence('two', 't', DAY), 0)
})

test('a put that fails changes nothing; the same publication succeeds later', async () => {
  const store = new TestStore()
  const catalog = await open(store)
  const first = await putBlock(store, { n: 1 })
  const second = await putBlock(store, { n: 2 })
  await catalog.publish(first, () => {})
  store.fails = true
  let calls = 0
  await assert.rejects(
    catalog.publish(second, () => calls++),
    Unavailable,
  )
  assert.equal(calls, 0)
  assert.deepEqual(keysOf(catalog), [first.key])
  assert.equal(catalog.flushedSequence('one', 't', DAY), 1)
  store.fails = false
  await catalog.publish(second, () => calls++)
  await catalog.publish(second, () => calls++)
  assert.equal(calls, 2)
  assert.deepEqual(keysOf(catalog), [first.key, second.key], 'published twice, listed once')
})

test('publications of a day that run at once all end up in the day file', async () => {
  const store = new TestStore()
  const catalog = await open(store)
  const metas = await Promise.all(Array.from({ length: 20 }, (_, i) => putBlock(store, { n: 20 - i })))
  await Promise.all(metas.map((meta) => catalog.publish(meta, () => {})))
  store.blockReads = 0
  const again = await open(store)
  assert.equal(store.blockReads, 0)
  assert.deepEqual(keysOf(again), metas.map((meta) => meta.key).sort())
  assert.deepEqual(
    again.list('t', DAY, DAY).map((meta) => meta.minTime),
    Array.from({ length: 20 }, (_, i) => (i + 1) * 10),
  )
})

test('a crash between block and day file: the next start adopts the block', async () => {
  const store = new TestStore()
  const catalog = await open(store)
  const first = await putBlock(store, { n: 1 })
  await catalog.publish(first, () => {})
  const orphan = await putBlock(store, { n: 2 })
  const again = await open(store)
  assert.deepEqual(again.list('t', DAY, DAY), [first, orphan])
  assert.equal(again.flushedSequence('one', 't', DAY), 2, 'replay leaves out what the orphan holds')
  store.blockReads = 0
  assert.deepEqual(keysOf(await open(store)), [first.key, orphan.key])
  assert.equal(store.blockReads, 0, 'the day file was brought up to date')
})

test('a missing or damaged day file is made anew from the blocks', async () => {
  const store = new TestStore()
  const metas = [await putBlock(store, { n: 1 }), await putBlock(store, { n: 2, source: undefined })]
  const expected = (await open(store)).list('t', DAY, DAY)
  assert.deepEqual(expected, metas)
  const good = await store.get(DAY_FILE)
  for (let at = 0; at < good.length; at += 3) {
    const bad = Buffer.from(good)
    bad[at]! ^= 1
    await store.put(DAY_FILE, [bad])
    assert.deepEqual((await open(store)).list('t', DAY, DAY), metas, `flip at ${at}`)
  }
  await store.put(DAY_FILE, [good.subarray(0, good.length / 2)])
  const logger = new Recorder()
  assert.deepEqual((await open(store, logger)).list('t', DAY, DAY), metas)
  assert.match(logger.lines.join(), /warn: a catalog file cannot be used/)
  assert.deepEqual(await store.get(DAY_FILE), good, 'and written again')
})

test('a block whose object is gone is dropped and reported', async () => {
  const store = new TestStore()
  const metas = [await putBlock(store, { n: 1 }), await putBlock(store, { n: 2 })]
  await open(store)
  await store.delete(metas[0]!.key)
  const logger = new Recorder()
  assert.deepEqual(keysOf(await open(store, logger)), [metas[1]!.key])
  assert.deepEqual(logger.lines, ['error: a block is gone from the object store'])
})

test('a damaged block is reported, left out, and stays where it is', async () => {
  const store = new TestStore()
  const [good, bad] = [await putBlock(store, { n: 1 }), await putBlock(store, { n: 2 })]
  const bytes = await store.get(bad.key)
  bytes[bytes.length - 5]! ^= 1
  await store.put(bad.key, [bytes])
  const logger = new Recorder()
  const catalog = await open(store, logger)
  assert.deepEqual(keysOf(catalog), [good.key])
  assert.deepEqual(
    catalog.damaged().map(({ key }) => key),
    [bad.key],
  )
  assert.deepEqual(logger.lines, ['error: a block is damaged and left out'])
  assert.equal(catalog.flushedSequence('one', 't', DAY), 1, 'its rows may still be in the WAL')
  assert.deepEqual(await store.get(bad.key), bytes)
})

test('a block that says another day than its name is not taken for one of this day', async () => {
  const store = new TestStore()
  const meta = await putBlock(store, { n: 1, day: DAY + 1 })
  const bytes = await store.get(meta.key)
  await store.put(meta.key.replace('2022-01-09', '2022-01-08'), [bytes])
  const catalog = await open(store)
  assert.deepEqual(catalog.list('t', DAY, DAY + 1), [meta])
  assert.equal(catalog.damaged().length, 1)
})

test('other objects beside the blocks do not matter', async () => {
  const store = new TestStore()
  await store.put('t/logs/2022-01-08/notes.txt', [Buffer.from('x')])
  await store.put('t/logs/2022-13-08/x.edda', [Buffer.from('x')])
  await store.put('t/other/2022-01-08/x', [Buffer.from('x')])
  await store.put('file-at-the-root', [Buffer.from('x')])
  const catalog = await open(store)
  assert.deepEqual(catalog.tenants(), [])
  assert.deepEqual(catalog.damaged(), [])
})

test('a merge takes effect in one instant, survives a restart, and keeps what was flushed', async () => {
  const store = new TestStore()
  const catalog = await open(store)
  const ins = [await putBlock(store, { n: 1 }), await putBlock(store, { n: 2 })]
  for (const meta of ins) await catalog.publish(meta, () => {})
  const replaces = ins.map((meta) => meta.key)
  const out = await putBlock(store, { n: 3, level: 1, source: undefined, replaces })
  let seen: string[] = []
  await catalog.replace(ins, [out], () => (seen = keysOf(catalog)))
  assert.deepEqual(seen, [out.key])
  const again = await open(store)
  assert.deepEqual(again.list('t', DAY, DAY), [out], 'the inputs are still there and do not come back')
  assert.equal(again.flushedSequence('one', 't', DAY), 2)
  for (const { key } of ins) await store.delete(key)
  assert.deepEqual(keysOf(await open(store)), [out.key])
  const file = parseDayFile(await store.get(DAY_FILE))
  assert.ok(typeof file !== 'string')
  assert.equal(file.tombstones.size, 0, 'tombstones go with their objects')
})

test('a merge that did not get to its end does not count, and one that did counts even without the day file', async () => {
  const store = new TestStore()
  const ins = [await putBlock(store, { n: 1 }), await putBlock(store, { n: 2 })]
  const replaces = ins.map((meta) => meta.key)
  const inKeys = replaces.toSorted()
  const out = await putBlock(store, { n: 3, level: 1, source: undefined, replaces })
  const logger = new Recorder()
  assert.deepEqual(keysOf(await open(store, logger)), inKeys)
  assert.deepEqual(logger.lines, ['warn: a merge was not completed, its output is left out'])
  await store.delete(ins[0]!.key)
  assert.deepEqual(keysOf(await open(store)), [ins[1]!.key], 'a buried output never comes back')
  await store.delete(DAY_FILE)
  assert.deepEqual(keysOf(await open(store)), [out.key], 'inputs go only after the merge was completed')
})

test('what is announced does not count after a crash, whatever becomes of its inputs; a completed merge takes it out again', async () => {
  const store = new MemoryStore(clock)
  const catalog = await Catalog.open({ store, logger: silentLogger })
  const ins = [await putBlock(store, { n: 1 }), await putBlock(store, { n: 2 })]
  for (const meta of ins) await catalog.publish(meta, () => {})
  const replaces = ins.map(({ key }) => key)
  const source = undefined
  const failed = await putBlock(store, { n: 3, level: 1, replaces, source, covers: { one: 2 } })
  const out = await putBlock(store, { n: 4, level: 1, replaces, source, covers: { one: 2 } })
  await catalog.bury('t', DAY, [failed.key, out.key])
  assert.equal(catalog.list('t', DAY, DAY).length, 2)
  await catalog.replace(ins, [out])
  for (const { key } of ins) await store.delete(key)
  const next = await Catalog.open({ store, logger: silentLogger })
  assert.deepEqual(next.list('t', DAY, DAY), [out])
  assert.deepEqual([...next.dayState('t', DAY)!.tombstones], [failed.key])
  assert.equal(next.flushedSequence('one', 't', DAY), 2)
  next.forget('t', DAY, [failed.key])
  assert.equal(next.dayState('t', DAY)!.tombstones.size, 0)
  await assert.rejects(next.replace(ins, []), Unavailable)
})

test('merges of merged blocks are told apart without a day file: all outputs of one count, or none', async () => {
  const store = new MemoryStore(clock)
  const a = await putBlock(store, { n: 50 })
  const middle = await putBlock(store, { n: 60, level: 1, replaces: ['gone'], source: undefined })
  const replaces = [a.key, middle.key]
  // by name the outputs stand before and behind their input; by ULID behind it
  const early = await putBlock(store, { n: 61, level: 2, replaces, source: undefined, minTime: 0 })
  const late = await putBlock(store, { n: 62, level: 2, replaces, source: undefined })
  const catalog = await Catalog.open({ store, logger: silentLogger })
  assert.deepEqual(new Set(catalog.list('t', DAY, DAY)), new Set([a, middle]), 'not completed')
  await store.delete(a.key)
  await store.delete(DAY_FILE)
  const again = await Catalog.open({ store, logger: silentLogger })
  assert.deepEqual(new Set(again.list('t', DAY, DAY)), new Set([early, late]), 'completed')
})

test('a start goes on when it cannot write a day file', async () => {
  const store = new TestStore()
  const meta = await putBlock(store, { n: 1 })
  store.fails = true
  const logger = new Recorder()
  assert.deepEqual(keysOf(await open(store, logger)), [meta.key])
  assert.match(logger.lines.join(), /cannot write a catalog file/)
})

test('a day file is read back as it was written, and other versions are refused', () => {
  const state = {
    blocks: new Map(),
    tombstones: new Set(['a', 'b']),
    flushed: new Map([
      ['__proto__', 7],
      ['one', 3],
    ]),
  }
  const bytes = encodeDayFile(state)
  assert.deepEqual(parseDayFile(bytes), state)
  assert.equal(parseDayFile(Buffer.from(bytes.toString().replace('"version":1', '"version":2'))), 'version 2 is not 1')
  assert.equal(parseDayFile(Buffer.from('')), 'it is not of format edda-catalog')
  assert.equal(parseDayFile(Buffer.from('[]')), 'it is not of format edda-catalog')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { decodeBlockPage } from './block-page.ts'
import { makeHeadPages, rowsOf, textOfRow } from './fixture/head-pages.ts'
import type { PlainRow } from './fixture/head-pages.ts'
import { openHeadPage } from './head-page.ts'
import { openLogBlock } from './open-log-block.ts'
import { decodePatterns } from './patterns/decode-patterns.ts'
import { writeLogBlock } from './write-log-block.ts'
import { Corruption } from '#/kernel/errors.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'

const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
const clock = { nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0]
const all = { lengths: true, lines: true, meta: 'all' } as const

const labelsArbitrary: fc.Arbitrary<Labels> = fc
  .dictionary(
    fc.constantFrom('app', 'pod', 'zone', '_x1'),
    fc.string({ minLength: 1, maxLength: 6, unit: 'grapheme' }),
    { minKeys: 1 },
  )
  .map((labels) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))

const metaArbitrary = fc
  .dictionary(
    fc.constantFrom('level', 'trace_id', 'user', 'größe'),
    fc.oneof(fc.constantFrom('info', '', '7', '-3', '007'), fc.nat().map(String), fc.string({ unit: 'grapheme' })),
  )
  .map((meta) => Object.entries(meta))

const timeArbitrary = fc.oneof(
  fc.maxSafeNat().map((time) => time % 86_400e9),
  fc.constantFrom(0, 86_400e9 - 1, 3_600e9 - 1, 3_600e9, 1),
  fc.nat(86_399).map((seconds) => seconds * 1e9),
)

const rowArbitrary = (streams: readonly Labels[]): fc.Arbitrary<PlainRow> =>
  fc.record({
    labels: fc.constantFrom(...streams),
    time: timeArbitrary,
    line: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('', 'GET /index.html 200').map((text) => Buffer.from(text)),
    ),
    meta: metaArbitrary,
  })

const rowsArbitrary = fc
  .uniqueArray(labelsArbitrary, { minLength: 1, maxLength: 6, selector: formatLabels })
  .chain((streams) => fc.array(rowArbitrary(streams), { minLength: 1, maxLength: 120 }))

async function writeAndStore(
  rows: readonly PlainRow[],
  rowsPerPage: number,
): Promise<{ store: MemoryStore; key: string }> {
  const { index, pages } = makeHeadPages(rows, rowsPerPage)
  const { meta, parts } = writeLogBlock({
    tenant: 'a',
    day: -3,
    level: 0,
    ulid: ULID,
    source: { ingester: 'one', fromSequence: 1, toSequence: 9 },
    minesPatterns: true,
    texts: shareTexts(index),
    labels: index.coded(),
    pages,
  })
  const store = new MemoryStore(clock)
  await store.put(meta.key, parts)
  return { store, key: meta.key }
}

async function readRows(store: MemoryStore, key: string): Promise<string[]> {
  const block = await openLogBlock(store, { key })
  const pages = await block.readPages([...block.pages.keys()], all, undefined)
  return pages.flatMap((page) => rowsOf(decodeBlockPage(page), (ordinal) => block.streams.text(ordinal)))
}

/** What the order of rows in a block is, said plainly. */
function inBlockOrder(rows: readonly PlainRow[]): string[] {
  const hour = (row: PlainRow): number => Math.floor(row.time / 3_600e9)
  const text = (row: PlainRow): Buffer => Buffer.from(formatLabels(row.labels))
  return [...rows]
    .sort((a, b) => hour(a) - hour(b) || Buffer.compare(text(a), text(b)) || a.time - b.time)
    .map(textOfRow)
}

test('a block holds the rows of its head pages, all of them, in the order of hour, stream and time', async () => {
  await fc.assert(
    fc.asyncProperty(rowsArbitrary, fc.integer({ min: 1, max: 50 }), async (rows, rowsPerPage) => {
      const { store, key } = await writeAndStore(rows, rowsPerPage)
      assert.deepEqual(await readRows(store, key), inBlockOrder(rows))
    }),
    { numRuns: 150 },
  )
})

test('a head page shows the rows that were put into it', () => {
  fc.assert(
    fc.property(rowsArbitrary, (rows) => {
      const { index, pages } = makeHeadPages(rows, 50)
      const found = pages.flatMap((page) => rowsOf(openHeadPage(page), (ordinal) => index.text(ordinal)))
      assert.deepEqual(found, rows.map(textOfRow))
    }),
  )
})

test('what the index says of pages and streams is what a look at every row says', async () => {
  await fc.assert(
    fc.asyncProperty(rowsArbitrary, timeArbitrary, timeArbitrary, async (rows, from, to) => {
      const { store, key } = await writeAndStore(rows, 30)
      const block = await openLogBlock(store, { key })
      const chosen = Uint32Array.from({ length: block.streams.count }, (_, i) => i).filter((i) => i % 2 === 0)
      const selected = new Set(block.selectPages(chosen, from, to))
      const pages = await block.readPages([...block.pages.keys()], all, undefined)
      for (const [position, bytes] of pages.entries()) {
        const page = decodeBlockPage(bytes)
        const holds = page.time.some((time, row) => time >= from && time < to && chosen.includes(page.stream[row]!))
        if (holds) assert.ok(selected.has(position), `page ${position} is not left out`)
        assert.equal(block.pages[position]!.minTime, Math.min(...page.time))
        assert.equal(block.pages[position]!.maxTime, Math.max(...page.time))
        assert.equal(block.pages[position]!.lineBytes, page.lines.length)
        assert.deepEqual([...block.pages[position]!.metaNames].sort(), [...page.metaNames].sort())
      }
      for (const stat of block.streamStats(undefined)) {
        const own = rows.filter((row) => formatLabels(row.labels) === block.streams.text(stat.ordinal))
        assert.equal(stat.rowCount, own.length)
        assert.equal(stat.minTime, Math.min(...own.map((row) => row.time)))
        assert.equal(stat.maxTime, Math.max(...own.map((row) => row.time)))
        assert.equal(
          stat.rawBytes,
          own.reduce((sum, row) => sum + rawBytesOf(row), 0),
        )
      }
    }),
    { numRuns: 60 },
  )
})

function rawBytesOf({ line, meta }: PlainRow): number {
  return meta.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), line.length)
}

test('a flipped byte is found, wherever it is, and named; no other rows are read', async () => {
  const rows: PlainRow[] = Array.from({ length: 90 }, (_, i) => ({
    labels: [['app', `a${i % 3}`]],
    time: 1e9 * (i * 37) + i,
    line: Buffer.from(`line ${i} of a block that is written to be broken`),
    meta: [
      ['level', i % 2 === 0 ? 'info' : 'error'],
      ['id', `${i * 7919}-x`],
    ],
  }))
  const { store, key } = await writeAndStore(rows, 40)
  const good = await store.get(key)
  const expected = await readRows(store, key)
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good)
    bad[at]! ^= 1 << (at % 8)
    await store.put(key, [bad])
    try {
      assert.deepEqual(await readRows(store, key), expected)
      const block = await openLogBlock(store, { key })
      const patterns = await block.readPatterns(undefined)
      if (patterns !== undefined) decodePatterns(patterns)
      // so few lines have one group of filters, which this reads
      await block.pagesWith({ kind: 'value', name: 'id', value: '7919-x' }, undefined)
      assert.ok(at < 8, `the flip at ${at} of ${good.length} was not noticed`)
    } catch (error) {
      assert.ok(error instanceof Corruption, `byte ${at}: ${String(error)}`)
      assert.equal(error.file, key)
      assert.ok(error.offset >= 0 && error.offset <= good.length, `offset ${error.offset}`)
      assert.ok(
        at >= error.offset || at >= good.length - 32,
        `byte ${at} is not before the offset ${error.offset} named`,
      )
    }
  }
})

test('a block that lost its end, or its middle, is refused', async () => {
  const rows: PlainRow[] = [{ labels: [['a', 'b']], time: 5, line: Buffer.from('x'), meta: [] }]
  const { store, key } = await writeAndStore(rows, 40)
  const good = await store.get(key)
  for (let size = 0; size < good.length; size++) {
    await store.put(key, [good.subarray(0, size)])
    await assert.rejects(readRows(store, key), Corruption)
  }
  await store.put(key, [good.subarray(0, 10), good.subarray(11)])
  await assert.rejects(readRows(store, key), Corruption)
  await store.put(key, [good, good])
  await assert.rejects(readRows(store, key), Corruption)
})

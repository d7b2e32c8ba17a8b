import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeBlockPage } from './block-page.ts'
import { cutPages, PAGE_LINE_BYTES, PAGE_ROWS } from './cut-pages.ts'
import { makeHeadPages, testBlockInput, rowsOf, textOfRow } from './fixture/head-pages.ts'
import type { PlainRow } from './fixture/head-pages.ts'
import { openHeadPage } from './head-page.ts'
import { inspectBlock, inspectCatalog } from './inspect.ts'
import type { LogBlock } from './log-block.ts'
import { openLogBlock } from './open-log-block.ts'
import { sortRows } from './sort-rows.ts'
import { writeLogBlock } from './write-log-block.ts'
import { BadRequest, NotFound } from '#/kernel/errors.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import type { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'
import type { HeadPageColumns } from './log-page.ts'

const clock = { nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0]
const all = { lengths: true, lines: true, meta: 'all' } as const
const HOUR = 3_600e9

const row = (app: string, time: number, line: string | Uint8Array, meta: PlainRow['meta'] = []): PlainRow => ({
  labels: [['app', app]],
  time,
  line: Buffer.from(line),
  meta,
})

async function writeBlock(head: {
  readonly index: LabelIndexBuilder
  readonly pages: readonly HeadPageColumns[]
}): Promise<{
  store: MemoryStore
  block: LogBlock
}> {
  const written = writeLogBlock({ ...testBlockInput(head), minesPatterns: true })
  const store = new MemoryStore(clock)
  await store.put(written.meta.key, written.parts)
  const block = await openLogBlock(store, written.meta)
  assert.deepEqual(block.meta, written.meta, 'the footer says what the writer said')
  return { store, block }
}

function pagesOf(rows: readonly PlainRow[]): number[] {
  const { index, pages } = makeHeadPages(rows, 100_000)
  return cutPages(sortRows(shareTexts(index), pages))
}

test('nothing to write is a bug', () => {
  const { index, pages } = makeHeadPages([row('a', 1, 'x')], 10)
  const input = { ...testBlockInput({ index, pages }), minesPatterns: true }
  assert.throws(() => writeLogBlock({ ...input, pages: [] }), /a block has rows/)
  assert.throws(() => writeLogBlock({ ...input, pages: [{ ...pages[0]!, rowCount: 0 }] }), /a block has rows/)
})

test('rows beyond the row count of a snapshot are not written, nor streams that have no rows', async () => {
  const { index, pages } = makeHeadPages([row('late', 3, 'two'), row('b', 2, 'one'), row('c', 1, 'three')], 10)
  const { block } = await writeBlock({ index, pages: [{ ...pages[0]!, rowCount: 2 }] })
  assert.equal(block.meta.rowCount, 2)
  assert.deepEqual([block.streams.text(0), block.streams.text(1)], ['{app="b"}', '{app="late"}'])
  assert.equal(block.streams.count, 2)
  assert.deepEqual([block.meta.minTime, block.meta.maxTime], [2, 3])
})

test('equal times keep the order of arrival, neighbouring nanoseconds stay apart', async () => {
  const at = 86_399_999_999_998
  const rows = ['x', 'b', 'a', 'b']
    .map((line) => row('a', at, line))
    .concat(row('a', at + 1, 'last'), row('a', at - 1, 'first'))
  const { block } = await writeBlock(makeHeadPages(rows, 2))
  const [bytes] = await block.readPages([0], all, undefined)
  const page = decodeBlockPage(bytes!)
  assert.equal(page.lines.toString(), 'firstxbablast')
  assert.deepEqual([...page.time], [at - 1, at, at, at, at, at + 1])
})

test('a page ends at its limits of rows and bytes', () => {
  const many = Array.from({ length: PAGE_ROWS + 10 }, (_, i) => row('a', i, ''))
  assert.deepEqual(pagesOf(many), [0, PAGE_ROWS, PAGE_ROWS + 10])
  const quarter = Buffer.alloc(PAGE_LINE_BYTES / 4)
  const bulky = Array.from({ length: 9 }, (_, i) => row('a', i, quarter))
  assert.deepEqual(pagesOf(bulky), [0, 3, 6, 9], 'three pages of equal size')
})

test('a line larger than a page is alone in its page', () => {
  const giant = Buffer.alloc(PAGE_LINE_BYTES * 3 + 1)
  assert.deepEqual(pagesOf([row('a', 1, 'x'), row('a', 2, giant), row('a', 3, 'y')]), [0, 1, 2, 3])
  assert.deepEqual(pagesOf([row('a', 1, giant), row('b', 1, giant)]), [0, 1, 2])
})

test('small streams share a page, large ones do not, and a page ends early with its hour', () => {
  const half = Buffer.alloc(PAGE_LINE_BYTES / 2)
  const quarter = Buffer.alloc(PAGE_LINE_BYTES / 4)
  assert.deepEqual(pagesOf([row('a', 1, 'x'), row('b', 1, 'x'), row('c', 1, half), row('d', 1, 'x')]), [0, 2, 3, 4])
  const part = Buffer.alloc(PAGE_LINE_BYTES * 0.4)
  assert.deepEqual(
    pagesOf(['a', 'b', 'c', 'd', 'e'].map((app) => row(app, 1, part))),
    [0, 2, 4, 5],
    'two fit, three do not',
  )
  assert.deepEqual(pagesOf([row('a', 1, quarter), row('a', HOUR, 'x'), row('b', HOUR, 'x')]), [0, 1, 3])
  assert.deepEqual(pagesOf([row('a', 1, 'x'), row('a', HOUR, 'x')]), [0, 2], 'but a handful of rows is no page')
})

test('only the columns that were asked for are read, and asking a page for another one is a bug', async () => {
  const rows = [
    row('a', 1, 'one', [
      ['level', 'info'],
      ['user', 'u1'],
    ]),
    row('a', 2, 'two', [['level', 'warn']]),
  ]
  const { block } = await writeBlock(makeHeadPages(rows, 10))
  const [bytes] = await block.readPages([0], { lengths: false, lines: false, meta: ['level', 'absent'] }, undefined)
  assert.deepEqual(
    bytes!.columns.map((column) => column.name),
    ['stream', 'time', 'meta:level'],
  )
  const page = decodeBlockPage(bytes!)
  assert.deepEqual([...page.time], [1, 2])
  assert.deepEqual(page.metaNames, ['level'])
  assert.equal(page.meta('level')?.valueOf(1), 'warn')
  assert.equal(page.meta('absent'), undefined)
  assert.throws(() => page.meta('user'), /assertion failed: metadata 'user'/)
  assert.throws(() => page.lines, /assertion failed: column 'line'/)
  assert.throws(() => page.lineStart, /assertion failed: column 'length'/)
  const [withLines] = await block.readPages([0], { lengths: false, lines: true, meta: [] }, undefined)
  assert.equal(decodeBlockPage(withLines!).lines.toString(), 'onetwo')
  await assert.rejects(block.readPages([1], all, undefined), /page 1 is one of 1/)
})

test('pages are chosen from the first nanosecond to before the last', async () => {
  const { block } = await writeBlock(makeHeadPages([row('a', 100, 'x'), row('b', 150, 'y'), row('a', 200, 'z')], 10))
  const both = Uint32Array.of(0, 1)
  for (const [ordinals, from, to, expected] of [
    [undefined, 200, 201, [0]],
    [undefined, 201, 300, []],
    [undefined, 0, 100, []],
    [undefined, 0, 101, [0]],
    [Uint32Array.of(1), 150, 151, [0]],
    [Uint32Array.of(1), 151, 201, []],
    [Uint32Array.of(1), 0, 150, []],
    [both, 200, 201, [0]],
    [Uint32Array.of(), 0, 1000, []],
  ] as const) {
    assert.deepEqual(block.selectPages(ordinals, from, to), expected, `${String(ordinals)} ${from} ${to}`)
  }
})

test('a read honours its signal and passes on what the store says', async () => {
  const { store, block } = await writeBlock(makeHeadPages([row('a', 1, 'x')], 10))
  await assert.rejects(block.readPages([0], all, AbortSignal.abort()), /cancelled/)
  await store.put(block.meta.key, [Buffer.alloc(3)])
  await assert.rejects(block.readPages([0], all, undefined), BadRequest)
  await store.delete(block.meta.key)
  await assert.rejects(block.readPages([0], all, undefined), NotFound)
  await assert.rejects(openLogBlock(store, { key: block.meta.key }), NotFound)
})

test('a hundred thousand streams of one line each are one block of few pages', async () => {
  const count = 100_000
  const rows = Array.from({ length: count }, (_, i): PlainRow => ({
    labels: [
      ['app', `app-${i % 13}`],
      ['namespace', `ns-${i % 20}`],
      ['pod', `app-${i % 13}-${(i * 2_654_435_761) % 4_294_967_296}`],
    ],
    time: (i * 7919) % HOUR,
    line: Buffer.from(`user ${i} did something that is worth a line in the log, and it took ${i % 977} ms`),
    meta: [],
  }))
  const head = makeHeadPages(rows, 50_000)
  const { block } = await writeBlock(head)
  const rawBytes = rows.reduce((sum, { line }) => sum + line.length, 0)
  assert.equal(block.meta.streamCount, count)
  assert.equal(block.meta.rawBytes, rawBytes)
  assert.ok(block.meta.pageCount <= 6, `${block.meta.pageCount} pages`)
  assert.ok(block.meta.sizeBytes < rawBytes * 0.6, `${block.meta.sizeBytes} of ${rawBytes} bytes`)
  assert.ok(block.memoryBytes < 25e6, `${block.memoryBytes} bytes of memory`)
  assert.ok(head.index.memoryBytes < count * 1024, `${head.index.memoryBytes} bytes of memory`)

  const matchers = [
    { name: 'app', matches: (value: string) => value === 'app-3' },
    { name: 'pod', matches: (value: string) => value.endsWith('7') },
  ]
  const matched = block.streams.match(matchers)
  const textsOfHead = Array.from(head.index.match(matchers), (ordinal) => head.index.text(ordinal))
  assert.deepEqual(
    Array.from(matched, (ordinal) => block.streams.text(ordinal)),
    textsOfHead.toSorted(),
  )
  assert.ok(matched.length > 100)

  const pages = await block.readPages(block.selectPages(undefined, 0, HOUR), all, undefined)
  const found = pages.flatMap((page) => rowsOf(decodeBlockPage(page), (ordinal) => block.streams.text(ordinal)))
  assert.deepEqual(found.toSorted(), rows.map(textOfRow).toSorted())
})

test('metadata of ten thousand names costs in proportion to its values', async () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => row('a', i, 'x', [[`name_${i}`, `v${i}`]]))
  const { block } = await writeBlock(makeHeadPages(rows, 10_000))
  assert.ok(block.meta.sizeBytes < 1e6, `${block.meta.sizeBytes} bytes`)
  const [bytes] = await block.readPages([0], { lengths: false, lines: false, meta: ['name_77'] }, undefined)
  assert.equal(decodeBlockPage(bytes!).meta('name_77')?.valueOf(77), 'v77')
  assert.equal(decodeBlockPage(bytes!).meta('name_77')?.valueOf(78), undefined)
})

test('a name that a row has twice counts once', async () => {
  const twice = row('a', 1, 'x', [
    ['k', 'first'],
    ['k', 'second'],
  ])
  const rows = Array.from({ length: 100 }, (_, i) => row('a', i + 2, 'y', [['k', `v${i}`]]))
  const { block } = await writeBlock(makeHeadPages([twice, ...rows], 1000))
  const [bytes] = await block.readPages([0], all, undefined)
  const column = decodeBlockPage(bytes!).meta('k')
  assert.equal(column?.valueOf(0), 'first')
  assert.equal(column?.valueOf(100), 'v99')
})

test('a head page has dictionaries for few values only, and no name that no row has', () => {
  const rows = Array.from({ length: 600 }, (_, i) =>
    row('a', i, 'x', [
      ['level', i % 3 === 0 ? 'info' : 'warn'],
      ['id', `${i}`],
    ]),
  )
  const { pages } = makeHeadPages([...rows, row('a', 1, 'x', [['later', '1']])], 1000)
  const page = openHeadPage({ ...pages[0]!, rowCount: 600 })
  assert.deepEqual([...page.metaNames], ['level', 'id'])
  assert.equal(page.meta('later'), undefined)
  assert.equal(page.meta('never'), undefined)
  assert.deepEqual(page.meta('level')?.dictionary?.values, ['info', 'warn'])
  assert.deepEqual([...page.meta('level')!.dictionary!.codes.subarray(0, 4)], [1, 2, 2, 1])
  assert.equal(page.meta('id')?.dictionary, undefined)
  assert.equal(page.meta('id')?.valueOf(599), '599')
  assert.equal(page.stream.length, 600)
  assert.equal(page.lines.length, 600)
})

test('inspection tells what is in a block, and every damage', async () => {
  const rows = Array.from({ length: 50 }, (_, i) => row(`a${i % 2}`, i, `line ${i}`, [['level', 'info']]))
  const { store, block } = await writeBlock(makeHeadPages(rows, 100))
  const { key } = block.meta
  const good = await inspectBlock(store, key)
  assert.deepEqual(good.problems, [])
  assert.deepEqual(good.streams, ['{app="a0"}', '{app="a1"}'])
  assert.deepEqual(
    good.sections.map((section) => section.type),
    ['bloom-filters', 'patterns', 'word-dictionary', 'labels', 'runs', 'pages'],
  )
  assert.deepEqual(good.patterns, {
    stepSeconds: 10,
    uncounted: 0,
    patterns: [{ lines: 50, level: 'unknown', pattern: 'line <_>' }],
  })
  assert.equal(good.filter?.words, 1)
  const level = good.pages[0]!.columns.find((column) => column.name === 'meta:level')!
  assert.equal(level.encoding, 'constant-text')
  assert.equal(level.constant, 'info')
  assert.equal(good.columns.find((column) => column.name === 'line')?.rawBytes, 340)
  const line = good.pages[0]!.columns.find((column) => column.name === 'line')!
  const bytes = await store.get(key)
  bytes[0]! ^= 1
  bytes[line.offset + 3]! ^= 1
  bytes[level.offset]! ^= 1
  await store.put(key, [bytes])
  const { problems } = await inspectBlock(store, key)
  assert.equal(problems.length, 3)
  assert.match(problems[0]!, /at byte 0: it does not begin as a block does/)
  assert.ok(problems.some((problem) => problem.includes(`at byte ${line.offset}: checksum of column 'line'`)))
  assert.deepEqual(inspectCatalog(Buffer.from('x')), { problem: 'it is not of format edda-catalog' })
})

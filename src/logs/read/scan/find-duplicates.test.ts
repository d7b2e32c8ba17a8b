import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogPage } from '#/logs/store/log-page.ts'
import { findDuplicates } from './find-duplicates.ts'
import type { DuplicatesJob, ScanPage } from './scan-job.ts'

type TestRow = readonly [stream: number, time: number, line: string, meta?: string]

function pageOf(rows: readonly TestRow[]): LogPage {
  const starts = rows.reduce((all, [, , line]) => [...all, all.at(-1)! + line.length], [0])
  return {
    rowCount: rows.length,
    stream: Uint32Array.from(rows, ([stream]) => stream),
    time: Float64Array.from(rows, ([, time]) => time),
    lineStart: Uint32Array.from(starts),
    lines: Buffer.from(rows.map(([, , line]) => line).join('')),
    metaNames: rows.some(([, , , meta]) => meta !== undefined) ? ['m'] : [],
    meta: () => ({ valueOf: (row) => rows[row]![3], dictionary: undefined }),
    release: () => undefined,
  }
}

/** Each part is a list of pages; streams have the same numbers in all parts, and stream 0 is in one source only. */
function find(parts: readonly (readonly (readonly TestRow[])[])[], options: Partial<DuplicatesJob> = {}) {
  const pages: LogPage[] = []
  const streams = new Uint32Array(new SharedArrayBuffer(20))
  streams.set([0, 1, 2, 3, 4])
  const job: DuplicatesJob = {
    kind: 'duplicates',
    from: 0,
    to: 1000,
    comparesBytes: true,
    parts: parts.map((own) => ({
      streams,
      pages: own.map((rows): ScanPage => {
        pages.push(pageOf(rows))
        return { data: undefined as never, order: pages.length - 1, isInside: true, dropped: undefined }
      }),
    })),
    ...options,
  }
  const {
    rowCount,
    dropped,
    pages: met,
  } = findDuplicates(
    job,
    ({ order }) => pages[order]!,
    () => undefined,
  )
  const masks = Object.fromEntries(dropped.map(({ order, mask }) => [order, mask[0]!.toString(2)]))
  return { rowCount, masks, met: met.toSorted((a, b) => a - b) }
}

test('rows that an earlier source has too are marked, in the later one', () => {
  const found = find([
    [
      [
        [1, 5, 'a'],
        [1, 6, 'b'],
      ],
    ],
    [
      [
        [1, 6, 'b'],
        [1, 5, 'x'],
        [1, 5, 'a'],
      ],
    ],
  ])
  assert.deepEqual(found, { rowCount: 2, masks: { 1: '101' }, met: [0, 1] })
})

test('stream, time, line and metadata must all agree', () => {
  const first: TestRow = [1, 5, 'a', 'm']
  for (const other of [
    [2, 5, 'a', 'm'],
    [1, 6, 'a', 'm'],
    [1, 5, 'b', 'm'],
    [1, 5, 'a', 'n'],
    [1, 5, 'a'],
  ] as TestRow[]) {
    assert.equal(find([[[first]], [[other]]]).rowCount, 0, String(other))
    assert.equal(find([[[other]], [[first]]]).rowCount, 0, String(other))
  }
  assert.equal(find([[[first]], [[first]]]).rowCount, 1)
})

test('equal rows of one source all stay, and one earlier row is enough to drop several', () => {
  assert.equal(find([[[[1, 5, 'a']], [[1, 5, 'a']]]]).rowCount, 0)
  assert.deepEqual(
    find([
      [[[1, 5, 'a']]],
      [
        [
          [1, 5, 'a'],
          [1, 5, 'a'],
        ],
      ],
      [[[1, 5, 'a']]],
    ]),
    { rowCount: 3, masks: { 1: '11', 2: '1' }, met: [0, 1, 2] },
  )
})

test('streams of one source and times outside of the window do not take part', () => {
  assert.equal(find([[[[0, 5, 'a']]], [[[0, 5, 'a']]]]).rowCount, 0)
  assert.equal(find([[[[1, 5, 'a']]], [[[1, 5, 'a']]]], { from: 6 }).rowCount, 0)
  assert.equal(find([[[[1, 5, 'a']]], [[[1, 5, 'a']]]], { to: 5 }).rowCount, 0)
})

test('without bytes it names all pages that have to be looked at', () => {
  const parts = [
    [[[1, 5, 'ab']], [[1, 5, 'xy']], [[1, 7, 'q']]],
    [[[1, 5, 'xy']], [[1, 7, 'qq']]],
  ] as const
  assert.deepEqual(find(parts, { comparesBytes: false }), { rowCount: 0, masks: {}, met: [0, 1, 3] })
  assert.deepEqual(find(parts), { rowCount: 1, masks: { 3: '1' }, met: [1, 3] })
})

test('thousands of rows', () => {
  const rows = Array.from({ length: 5000 }, (_, i): TestRow => [1 + (i % 4), Math.floor(i / 8), `line ${i}`])
  const found = find([[rows.slice(0, 3000)], [rows.slice(2000)]])
  assert.equal(found.rowCount, 1000)
})

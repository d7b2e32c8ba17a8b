import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeFooter, decodeTrailer, encodeFooter } from './footer.ts'
import { TRAILER_BYTES } from './format.ts'
import { decodePageDirectory, encodePageDirectory } from './page-directory.ts'
import { encodeRunTable, openRunTable, runTableVersion } from './run-table.ts'
import { Corruption } from '#/kernel/errors.ts'
import type { BlockColumn, BlockPage, StreamRuns } from '#/storage/block/contents.ts'

const origin = { file: 'f', offset: 50 }
const meta = {
  tenant: 't',
  day: -1,
  level: 0,
  minTime: 1,
  maxTime: 9,
  rowCount: 3,
  streamCount: 2,
  pageCount: 1,
  rawBytes: 7,
}

const column = (name: string, offset: number, stats: Partial<BlockColumn['stats']> = {}): BlockColumn => ({
  name,
  encoding: 0x84,
  offset,
  sizeBytes: 10,
  crc32: 0xfedc_ba98,
  stats: { rawBytes: 100, valueCount: 3, range: undefined, constant: undefined, ...stats },
})
const pages: readonly BlockPage[] = [
  { rowCount: 3, minTime: 1, maxTime: 9, columns: [column('a', 8), column('b', 20, { constant: 'ü' })] },
  {
    rowCount: 5,
    minTime: 0,
    maxTime: 86_399_999_999_999,
    columns: [column('a', 30, { range: { min: -1.5, max: 7 } })],
  },
]
const runs: StreamRuns = {
  pageEnds: Uint32Array.of(2, 3),
  stream: Uint32Array.of(0, 1, 1),
  rowCount: Uint32Array.of(1, 2, 5),
  rawBytes: Uint32Array.of(9, 8, 7),
  minTime: Float64Array.of(1, 5, 0),
  maxTime: Float64Array.of(1, 9, 86_399_999_999_999),
}

test('the page directory comes back, and none of its columns may lie behind the columns', () => {
  const bytes = encodePageDirectory(pages, 8)
  assert.deepEqual(decodePageDirectory(bytes, origin, { start: 8, end: 40 }), pages)
  assert.throws(() => decodePageDirectory(bytes, origin, { start: 8, end: 39 }), /column 2 ends at 40/)
  assert.deepEqual(decodePageDirectory(encodePageDirectory([], 8), origin, { start: 8, end: 8 }), [])
})

test('the run table comes back, and must agree with the pages and the streams', () => {
  const bytes = encodeRunTable(runs)
  const version = runTableVersion(runs)
  assert.equal(version, 1)
  assert.deepEqual(openRunTable(bytes, origin, { version, pages, streamCount: 2 }), { ...runs, lineBytes: undefined })
  const refused = (block: Parameters<typeof openRunTable>[2], message: RegExp): void =>
    assert.throws(
      () => ({ ...openRunTable(bytes, origin, block) }),
      (error) => error instanceof Corruption && message.test(error.message),
    )
  refused({ version, pages: pages.slice(1), streamCount: 2 }, /runs of 2 pages, not 1/)
  refused({ version, pages, streamCount: 1 }, /stream 1 of 1/)
  refused(
    { version, pages: [pages[0]!, { ...pages[1]!, rowCount: 6 }], streamCount: 2 },
    /runs of page 1 hold 5 rows, not 6/,
  )
  refused(
    { version, pages: [pages[0]!, { ...pages[1]!, rowCount: 4 }], streamCount: 2 },
    /runs of page 1 hold 5 rows, not 4/,
  )
  refused(
    { version, pages: [{ ...pages[0]!, rowCount: 1 }, pages[1]!], streamCount: 2 },
    /more runs than rows in page 0/,
  )
})

test('a run table with the bytes of lines is version 2, and neither is read as the other', () => {
  const second = { ...runs, lineBytes: Uint32Array.of(4, 8, 0) }
  const version = runTableVersion(second)
  assert.equal(version, 2)
  const bytes = encodeRunTable(second)
  assert.deepEqual(openRunTable(bytes, origin, { version, pages, streamCount: 2 }), second)
  assert.throws(() => openRunTable(bytes, origin, { version: 1, pages, streamCount: 2 }), Corruption)
  assert.throws(() => openRunTable(encodeRunTable(runs), origin, { version, pages, streamCount: 2 }), Corruption)
})

test('the footer comes back with fields that it knows, and skips sections that it does not', () => {
  const sections = [{ type: 77, version: 9, offset: 8, sizeBytes: 100, crc32: 0xffff_ffff }]
  const stored = { ...meta, source: undefined, replaces: ['x'], later: 1 }
  const bytes = encodeFooter({ meta: stored, sections }, 1000)
  const size = 1000 + bytes.length
  const trailerOrigin = { file: 'f', offset: size - TRAILER_BYTES }
  const trailer = decodeTrailer(bytes.subarray(-TRAILER_BYTES), trailerOrigin, size)
  const footer = decodeFooter(bytes.subarray(0, trailer.footerBytes), { file: 'f', offset: 1000 }, trailer)
  assert.deepEqual(footer, { meta: { ...meta, source: undefined, replaces: ['x'] }, sections })
  assert.throws(
    () => decodeTrailer(bytes.subarray(-TRAILER_BYTES), trailerOrigin, size + 1),
    /the object has \d+ bytes/,
  )
  assert.throws(
    () => decodeFooter(bytes.subarray(0, trailer.footerBytes), { file: 'f', offset: 107 }, trailer),
    /section 0 reaches into the footer/,
  )
})

test('metadata that makes no sense is refused, field by field', () => {
  const source = { ingester: 'i', fromSequence: 1, toSequence: 2 }
  for (const wrong of [
    { tenant: '' },
    { tenant: undefined },
    { day: 1.5 },
    { rowCount: -1 },
    { minTime: '1' },
    { rawBytes: 2 ** 53 },
    { source: 'i' },
    { source: { ...source, ingester: 7 } },
    { source: { ...source, toSequence: -1 } },
    { replaces: 'x' },
    { replaces: [1] },
  ]) {
    const stored = { ...meta, source, ...wrong } as unknown as Parameters<typeof encodeFooter>[0]['meta']
    const bytes = encodeFooter({ meta: stored, sections: [] }, 1000)
    const trailer = decodeTrailer(bytes.subarray(-TRAILER_BYTES), origin, 1000 + bytes.length)
    const decode = (): unknown =>
      decodeFooter(bytes.subarray(0, trailer.footerBytes), { file: 'f', offset: 1000 }, trailer)
    assert.throws(decode, Corruption, JSON.stringify(wrong))
  }
})

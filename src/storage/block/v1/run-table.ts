/**
 * The section "runs": which rows of which stream stand in which page, so that streams can be pruned and counted without
 * reading a page. Sealed as a whole.
 *
 *     pages uvarint · runs of each page packed ·
 *     per run: stream packed · rows packed · raw bytes packed · min time delta · (max - min time) delta ·
 *              line bytes packed (version 2)
 */
import { RUNS_VERSION, SECTION_VERSION } from './format.ts'
import { sealSection, unsealSection } from './sealed-section.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import type { BlockPage, StreamRuns } from '#/storage/block/contents.ts'
import { decodeDeltaF64, encodeDeltaF64 } from '#/storage/column/delta-f64.ts'
import { decodePackedU32, encodePackedU32 } from '#/storage/column/packed-u32.ts'

/** With the bytes of lines; without them it is version 1. */
export function runTableVersion({ lineBytes }: StreamRuns): number {
  return lineBytes === undefined ? SECTION_VERSION : RUNS_VERSION
}

export function encodeRunTable(runs: StreamRuns): Uint8Array {
  const out = new ByteWriter(64 * 1024)
  out.uvarint(runs.pageEnds.length)
  encodePackedU32(
    runs.pageEnds.map((end, page) => end - (runs.pageEnds[page - 1] ?? 0)),
    out,
  )
  encodePackedU32(runs.stream, out)
  encodePackedU32(runs.rowCount, out)
  encodePackedU32(runs.rawBytes, out)
  encodeDeltaF64(runs.minTime, out)
  encodeDeltaF64(
    runs.maxTime.map((max, run) => max - runs.minTime[run]!),
    out,
  )
  if (runs.lineBytes !== undefined) encodePackedU32(runs.lineBytes, out)
  return sealSection(out.written)
}

/** Checked against the pages and the number of streams: every page's runs hold its rows, every stream exists. */
export function decodeRunTable(
  bytes: Uint8Array,
  origin: ByteOrigin,
  block: { readonly version: number; readonly pages: readonly BlockPage[]; readonly streamCount: number },
): StreamRuns {
  const reader = new ByteReader(unsealSection(bytes, origin), origin)
  const pageCount = reader.uvarint()
  if (pageCount !== block.pages.length) throw reader.corruption(`runs of ${pageCount} pages, not ${block.pages.length}`)
  const pageEnds = decodePackedU32(reader, pageCount)
  let count = 0
  for (let page = 0; page < pageCount; page++) {
    if (pageEnds[page]! > block.pages[page]!.rowCount) throw reader.corruption(`more runs than rows in page ${page}`)
    pageEnds[page] = count += pageEnds[page]!
  }
  const stream = decodePackedU32(reader, count)
  const rowCount = decodePackedU32(reader, count)
  const rawBytes = decodePackedU32(reader, count)
  const minTime = decodeDeltaF64(reader, count)
  const maxTime = decodeDeltaF64(reader, count)
  const lineBytes = block.version === SECTION_VERSION ? undefined : decodePackedU32(reader, count)
  reader.end()
  for (let run = 0; run < count; run++) {
    maxTime[run]! += minTime[run]!
    if (stream[run]! >= block.streamCount) throw reader.corruption(`stream ${stream[run]!} of ${block.streamCount}`)
  }
  const runs = { pageEnds, stream, rowCount, rawBytes, lineBytes, minTime, maxTime }
  checkRows(runs, block.pages, reader)
  return runs
}

function checkRows({ pageEnds, rowCount }: StreamRuns, pages: readonly BlockPage[], reader: ByteReader): void {
  let run = 0
  for (const [page, { rowCount: expected }] of pages.entries()) {
    let rows = 0
    for (; run < pageEnds[page]!; run++) rows += rowCount[run]!
    if (rows !== expected) throw reader.corruption(`runs of page ${page} hold ${rows} rows, not ${expected}`)
  }
}

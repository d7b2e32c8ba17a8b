/**
 * The section "pages": where each column of each page is. Stored column by column, then sealed as a whole.
 *
 *     pages uvarint · names uvarint · name text *
 *     per page:   rows packed · min time delta · (max - min time) delta · columns packed
 *     per column: name packed · encoding packed · bytes before it since the end of the last one, packed · size packed ·
 *                 raw bytes packed · values packed · CRC u32 * · flags u8 * · for each in turn, as its flags say:
 *                 min f64 and max f64 (1), constant text (2)
 */
import { sealSection, unsealSection } from './sealed-section.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import type { BlockColumn, BlockPage, ColumnStats } from '#/storage/block/contents.ts'
import { decodeDeltaF64, encodeDeltaF64 } from '#/storage/column/delta-f64.ts'
import { decodePackedU32, encodePackedU32 } from '#/storage/column/packed-u32.ts'

const MAX_PAGES = 2 ** 24
const MAX_COLUMNS = 2 ** 26
const FLAG_RANGE = 1
const FLAG_CONSTANT = 2

/** `start` is where the first column may begin. */
export function encodePageDirectory(pages: readonly BlockPage[], start: number): Uint8Array {
  const out = new ByteWriter(64 * 1024)
  const columns = pages.flatMap((page) => page.columns)
  const names = [...new Set(columns.map((column) => column.name))]
  const idOfName = new Map(names.map((name, id) => [name, id]))
  out.uvarint(pages.length)
  out.uvarint(names.length)
  for (const name of names) out.text(name)
  encodePackedU32(
    Uint32Array.from(pages, (page) => page.rowCount),
    out,
  )
  encodeDeltaF64(
    Float64Array.from(pages, (page) => page.minTime),
    out,
  )
  encodeDeltaF64(
    Float64Array.from(pages, (page) => page.maxTime - page.minTime),
    out,
  )
  encodePackedU32(
    Uint32Array.from(pages, (page) => page.columns.length),
    out,
  )
  encodePackedU32(
    Uint32Array.from(columns, (column) => idOfName.get(column.name)!),
    out,
  )
  encodePackedU32(
    Uint32Array.from(columns, (column) => column.encoding),
    out,
  )
  let end = start
  const gaps = new Uint32Array(columns.length)
  for (const [i, column] of columns.entries()) {
    gaps[i] = column.offset - end
    end = column.offset + column.sizeBytes
  }
  encodePackedU32(gaps, out)
  encodePackedU32(
    Uint32Array.from(columns, (column) => column.sizeBytes),
    out,
  )
  encodePackedU32(
    Uint32Array.from(columns, (column) => column.stats.rawBytes),
    out,
  )
  encodePackedU32(
    Uint32Array.from(columns, (column) => column.stats.valueCount),
    out,
  )
  for (const column of columns) out.u32(column.crc32)
  for (const { stats } of columns) out.u8(flagsOf(stats))
  for (const { stats } of columns) encodeStats(stats, out)
  return sealSection(out.written)
}

/** `start` as when encoding; columns end at `end` at the latest. */
export function decodePageDirectory(
  bytes: Uint8Array,
  origin: ByteOrigin,
  bounds: { readonly start: number; readonly end: number },
): BlockPage[] {
  const reader = new ByteReader(unsealSection(bytes, origin), origin)
  const pageCount = reader.count(MAX_PAGES, 'pages')
  const names = Array.from({ length: reader.count(MAX_COLUMNS, 'column names') }, () => reader.text())
  const rowCounts = decodePackedU32(reader, pageCount)
  const minTimes = decodeDeltaF64(reader, pageCount)
  const spans = decodeDeltaF64(reader, pageCount)
  const columnCounts = decodePackedU32(reader, pageCount)
  const columns = decodeColumns(reader, names, {
    ...bounds,
    count: columnCounts.reduce((sum, count) => sum + count, 0),
  })
  reader.end()
  let next = 0
  return Array.from({ length: pageCount }, (_, page) => ({
    rowCount: rowCounts[page]!,
    minTime: minTimes[page]!,
    maxTime: minTimes[page]! + spans[page]!,
    columns: columns.slice(next, (next += columnCounts[page]!)),
  }))
}

function decodeColumns(
  reader: ByteReader,
  names: readonly string[],
  bounds: { readonly start: number; readonly end: number; readonly count: number },
): BlockColumn[] {
  const { count } = bounds
  if (count > MAX_COLUMNS) throw reader.corruption(`${count} columns exceed ${MAX_COLUMNS}`)
  const nameIds = decodePackedU32(reader, count)
  const encodings = decodePackedU32(reader, count)
  const gaps = decodePackedU32(reader, count)
  const sizes = decodePackedU32(reader, count)
  const rawBytes = decodePackedU32(reader, count)
  const valueCounts = decodePackedU32(reader, count)
  const crcs = Uint32Array.from({ length: count }, () => reader.u32())
  const flags = reader.bytes(count)
  const columns: BlockColumn[] = []
  let offset = bounds.start
  for (let i = 0; i < count; i++) {
    const name = names[nameIds[i]!]
    if (name === undefined) throw reader.corruption(`column name ${nameIds[i]!} of ${names.length}`)
    offset += gaps[i]!
    const stats = decodeStats(reader, flags[i]!, { rawBytes: rawBytes[i]!, valueCount: valueCounts[i]! })
    columns.push({ name, encoding: encodings[i]!, offset, sizeBytes: sizes[i]!, crc32: crcs[i]!, stats })
    offset += sizes[i]!
    if (offset > bounds.end)
      throw reader.corruption(`column ${i} ends at ${offset}, beyond the columns' end ${bounds.end}`)
  }
  return columns
}

function flagsOf({ range, constant }: ColumnStats): number {
  return (range === undefined ? 0 : FLAG_RANGE) | (constant === undefined ? 0 : FLAG_CONSTANT)
}

function encodeStats({ range, constant }: ColumnStats, out: ByteWriter): void {
  if (range !== undefined) {
    out.f64(range.min)
    out.f64(range.max)
  }
  if (constant !== undefined) out.text(constant)
}

function decodeStats(
  reader: ByteReader,
  flags: number,
  counts: { readonly rawBytes: number; readonly valueCount: number },
): ColumnStats {
  const range = (flags & FLAG_RANGE) === 0 ? undefined : { min: reader.f64(), max: reader.f64() }
  const constant = (flags & FLAG_CONSTANT) === 0 ? undefined : reader.text()
  return { ...counts, range, constant }
}

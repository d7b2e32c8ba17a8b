/** Any texts: packed lengths plus one (0 for absent), then the values back to back. */
import { rowsWithText } from './find-text.ts'
import { decodePackedU32Into, encodePackedU32 } from './packed-u32.ts'
import { RowRanks } from './row-ranks.ts'
import type { TextColumn, TextRanges } from './text-values.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

export function encodePlainText(ranges: TextRanges, out: ByteWriter): void {
  const { rowCount, count, source, rows, starts, ends } = ranges
  const lengths = new Uint32Array(rowCount)
  let size = 0
  for (let i = 0; i < count; i++) {
    const length = ends[i]! - starts[i]!
    lengths[rows[i]!] = length + 1
    size += length
  }
  encodePackedU32(lengths, out)
  const target = out.reserve(size)
  let at = 0
  for (let i = 0; i < count; i++) at += source.copy(target, at, starts[i]!, ends[i]!)
}

export function decodePlainText(reader: ByteReader, rowCount: number): TextColumn {
  const lengths = (lengthScratch = rowCount > lengthScratch.length ? new Uint32Array(rowCount) : lengthScratch)
  decodePackedU32Into(reader, lengths, { at: 0, count: rowCount })
  const ranges = rangesOf(reader, lengths, rowCount)
  const { count, source, rows, starts, ends } = ranges
  const ranks = count === rowCount ? undefined : new RowRanks(rows)
  return {
    valueOf: (row) => {
      const i = ranks === undefined ? row : ranks.of(row)
      return i < 0 || i >= count ? undefined : source.toString('utf8', starts[i], ends[i])
    },
    dictionary: undefined,
    ranges,
    rowsWith: (value) => rowsWithText(ranges, value),
  }
}

/** Lengths of the column at hand, which are of no use once their sums are known. */
let lengthScratch = new Uint32Array(0)
let rowScratch = new Uint32Array(0)
let startScratch = new Uint32Array(0)

/** `lengths` are one more than those of the values, 0 for absent. */
function rangesOf(reader: ByteReader, lengths: Uint32Array, rowCount: number): TextRanges {
  if (rowScratch.length <= rowCount) {
    rowScratch = new Uint32Array(rowCount + 1)
    startScratch = new Uint32Array(rowCount + 1)
  }
  const rows = rowScratch
  const starts = startScratch
  let count = 0
  let at = 0
  for (let row = 0; row < rowCount; row++) {
    const length = lengths[row]!
    // absent values are written over by the next one: no branch that nobody can foresee
    rows[count] = row
    starts[count] = at
    const isThere = length > 0 ? 1 : 0
    at += length - isThere
    count += isThere
  }
  starts[count] = at
  const edges = starts.slice(0, count + 1)
  const ends = edges.subarray(1)
  return { rowCount, count, source: reader.bytes(at), rows: rows.slice(0, count), starts: edges, ends }
}

/** Values that few rows have: count, packed steps between their rows, packed lengths, then the values back to back. */
import { rowsWithText } from './find-text.ts'
import { decodePackedU32, encodePackedU32 } from './packed-u32.ts'
import { RowRanks } from './row-ranks.ts'
import type { TextColumn, TextRanges } from './text-values.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

export function encodeSparseText({ count, source, rows, starts, ends }: TextRanges, out: ByteWriter): void {
  const steps = new Uint32Array(count)
  const lengths = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    steps[i] = i === 0 ? rows[0]! : rows[i]! - rows[i - 1]!
    lengths[i] = ends[i]! - starts[i]!
  }
  out.uvarint(count)
  encodePackedU32(steps, out)
  encodePackedU32(lengths, out)
  for (let i = 0; i < count; i++) out.bytes(source.subarray(starts[i]!, ends[i]!))
}

export function decodeSparseText(reader: ByteReader, rowCount: number): TextColumn {
  const count = reader.count(rowCount, 'values')
  const steps = decodePackedU32(reader, count)
  const lengths = decodePackedU32(reader, count)
  const rows = new Uint32Array(count)
  const starts = new Uint32Array(count)
  const ends = new Uint32Array(count)
  let row = 0
  let size = 0
  for (let i = 0; i < count; i++) {
    row += steps[i]!
    if (row >= rowCount) throw reader.corruption(`row ${row} of ${rowCount}`)
    rows[i] = row
    starts[i] = size
    size += lengths[i]!
    ends[i] = size
  }
  const source = reader.bytes(size)
  const ranges = { rowCount, count, source, rows, starts, ends }
  const ranks = new RowRanks(rows)
  return {
    valueOf: (wanted) => {
      const i = ranks.of(wanted)
      return i < 0 ? undefined : source.toString('utf8', starts[i], ends[i])
    },
    dictionary: undefined,
    ranges,
    rowsWith: (value) => rowsWithText(ranges, value),
  }
}

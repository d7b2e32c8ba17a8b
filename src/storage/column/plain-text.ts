/** Any texts: packed lengths plus one (0 for absent), then the values back to back. */
import { rowsWithText } from './find-text.ts'
import { decodePackedU32, encodePackedU32 } from './packed-u32.ts'
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
  const lengths = decodePackedU32(reader, rowCount)
  let size = 0
  for (let row = 0; row < rowCount; row++) if (lengths[row]! > 0) size += lengths[row]! - 1
  const texts = reader.bytes(size)
  let ends: Uint32Array | undefined
  let ranges: TextRanges | undefined
  return {
    valueOf: (row) => {
      const length = lengths[row]!
      if (length === 0) return undefined
      ends ??= endsOf(lengths)
      return texts.toString('utf8', ends[row]! - length + 1, ends[row]!)
    },
    dictionary: undefined,
    get ranges() {
      return (ranges ??= rangesOf(texts, lengths))
    },
    rowsWith(value) {
      return rowsWithText((ranges ??= rangesOf(texts, lengths)), value)
    },
  }
}

function endsOf(lengths: Uint32Array): Uint32Array {
  const ends = new Uint32Array(lengths.length)
  let end = 0
  for (let row = 0; row < lengths.length; row++) {
    if (lengths[row]! > 0) end += lengths[row]! - 1
    ends[row] = end
  }
  return ends
}

/** `lengths` are one more than those of the values, 0 for absent. */
function rangesOf(source: Buffer, lengths: Uint32Array): TextRanges {
  const rowCount = lengths.length
  const rows = new Uint32Array(rowCount)
  const starts = new Uint32Array(rowCount)
  const ends = new Uint32Array(rowCount)
  let count = 0
  let at = 0
  for (let row = 0; row < rowCount; row++) {
    const length = lengths[row]!
    if (length === 0) continue
    rows[count] = row
    starts[count] = at
    at += length - 1
    ends[count++] = at
  }
  return { rowCount, count, source, rows, starts, ends }
}

/** Any texts: packed lengths plus one (0 for absent), then the values back to back. */
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
  const ends = new Float64Array(rowCount)
  let size = 0
  for (let row = 0; row < rowCount; row++) {
    if (lengths[row]! > 0) size += lengths[row]! - 1
    ends[row] = size
  }
  const texts = reader.bytes(size)
  return {
    valueOf: (row) => {
      const length = lengths[row]!
      return length === 0 ? undefined : texts.toString('utf8', ends[row]! - length + 1, ends[row]!)
    },
    dictionary: undefined,
  }
}

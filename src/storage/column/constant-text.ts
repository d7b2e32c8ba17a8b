/** One value for every row that has one: presence, then the value. */
import { decodePresence, encodePresence, isPresent } from './presence.ts'
import type { TextColumn, TextRanges } from './text-values.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

export function encodeConstantText(ranges: TextRanges, value: Uint8Array, out: ByteWriter): void {
  encodePresence(ranges, out)
  out.bytes(value)
}

export function decodeConstantText(reader: ByteReader, rowCount: number): TextColumn {
  const presence = decodePresence(reader, rowCount)
  const value = reader.bytes(reader.remaining).toString()
  return {
    constant: presence === undefined ? value : undefined,
    valueOf: (row) => (isPresent(presence, row) ? value : undefined),
    get dictionary() {
      const codes = new Uint32Array(rowCount)
      for (let row = 0; row < rowCount; row++) codes[row] = isPresent(presence, row) ? 1 : 0
      return { codes, values: [value] }
    },
  }
}

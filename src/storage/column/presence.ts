/** Which rows have a value: u8 0 for all, else u8 1 and a bitmap, low bits first. */
import type { TextRanges } from './text-values.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

export function encodePresence({ rowCount, count, rows }: TextRanges, out: ByteWriter): void {
  if (count === rowCount) {
    out.u8(0)
    return
  }
  out.u8(1)
  const bitmap = out.reserve((rowCount + 7) >>> 3).fill(0)
  for (let i = 0; i < count; i++) bitmap[rows[i]! >>> 3]! |= 1 << (rows[i]! & 7)
}

/** The bitmap; undefined when every row has a value. */
export function decodePresence(reader: ByteReader, rowCount: number): Uint8Array | undefined {
  const kind = reader.u8()
  if (kind > 1) throw reader.corruption(`presence kind ${kind} is neither 0 nor 1`)
  return kind === 0 ? undefined : reader.bytes((rowCount + 7) >>> 3)
}

export function isPresent(presence: Uint8Array | undefined, row: number): boolean {
  return presence === undefined || ((presence[row >>> 3]! >>> (row & 7)) & 1) === 1
}

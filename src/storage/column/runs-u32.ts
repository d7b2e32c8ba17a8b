/** Unsigned 32-bit integers as runs of equal values: the packed values of the runs, then their packed lengths. */
import { decodePackedU32, encodePackedU32 } from './packed-u32.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

export function encodeRunsU32(values: Uint32Array, lengths: Uint32Array, out: ByteWriter): void {
  out.uvarint(values.length)
  encodePackedU32(values, out)
  encodePackedU32(lengths, out)
}

/** All `count` values, runs written out. */
export function decodeRunsU32(reader: ByteReader, count: number): Uint32Array {
  const runCount = reader.count(count, 'runs')
  const values = decodePackedU32(reader, runCount)
  const lengths = decodePackedU32(reader, runCount)
  const result = new Uint32Array(count)
  let at = 0
  for (let run = 0; run < runCount; run++) {
    const end = at + lengths[run]!
    if (end > count) throw reader.corruption(`runs hold more than ${count} values`)
    result.fill(values[run]!, at, end)
    at = end
  }
  if (at !== count) throw reader.corruption(`runs hold ${at} values, not ${count}`)
  return result
}

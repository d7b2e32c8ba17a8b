/** Unsigned 32-bit integers as runs of equal values: the packed values of the runs, then their packed lengths. */
import { decodePackedU32, encodePackedU32 } from './packed-u32.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const SHORT_RUN = 32

export function encodeRunsU32(values: Uint32Array, lengths: Uint32Array, out: ByteWriter): void {
  out.uvarint(values.length)
  encodePackedU32(values, out)
  encodePackedU32(lengths, out)
}

/** Run i is `values[i]` at the positions `[ends[i - 1] ?? 0, ends[i])`. */
export type RunsU32 = { readonly values: Uint32Array; readonly ends: Uint32Array }

/** Runs that together hold `count` values. */
export function decodeRuns(reader: ByteReader, count: number): RunsU32 {
  const runCount = reader.count(count, 'runs')
  const values = decodePackedU32(reader, runCount)
  const ends = decodePackedU32(reader, runCount)
  let at = 0
  for (let run = 0; run < runCount; run++) {
    ends[run] = at += ends[run]!
    if (at > count) throw reader.corruption(`runs hold more than ${count} values`)
  }
  if (at !== count) throw reader.corruption(`runs hold ${at} values, not ${count}`)
  return { values, ends }
}

/** All values, runs written out. */
export function spreadRuns({ values, ends }: RunsU32): Uint32Array {
  const result = new Uint32Array(ends.at(-1) ?? 0)
  for (let run = 0, at = 0; run < values.length; run++) {
    const value = values[run]!
    const end = ends[run]!
    // the runtime's way of filling costs as much as writing a few dozen
    if (end - at > SHORT_RUN) result.fill(value, at, end)
    else for (let i = at; i < end; i++) result[i] = value
    at = end
  }
  return result
}

/** All `count` values, runs written out. */
export function decodeRunsU32(reader: ByteReader, count: number): Uint32Array {
  return spreadRuns(decodeRuns(reader, count))
}

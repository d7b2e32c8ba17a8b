/** Sealed columns of numbers: lengths, streams, times. */
import { decodeDeltaF64, encodeDeltaF64 } from './delta-f64.ts'
import { newMemory, type ColumnMemory } from './column-memory.ts'
import {
  ENCODING_BYTES,
  ENCODING_DELTA_F64,
  ENCODING_PACKED_U32,
  ENCODING_RUNS_U32,
  ENCODING_ZSTD_FLAG,
} from './encoding.ts'
import { decodePackedU32, encodePackedU32 } from './packed-u32.ts'
import { decodeRuns, decodeRunsU32, encodeRunsU32 } from './runs-u32.ts'
import type { RunsU32 } from './runs-u32.ts'
import type { ScratchBuffers } from './scratch-buffers.ts'
import { sealColumn, unsealColumn, unsealColumnInto } from './sealed.ts'
import type { SealedColumn } from './sealed.ts'
import { unsealByKernel } from './value-cells.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'

const writer = new ByteWriter(64 * 1024)

export function sealU32(values: Uint32Array): SealedColumn {
  writer.clear()
  encodePackedU32(values, writer)
  return sealColumn(ENCODING_PACKED_U32, writer.written)
}

/** Runs of equal values: `lengths[i]` times `values[i]`. */
export function sealRunsU32(values: Uint32Array, lengths: Uint32Array): SealedColumn {
  writer.clear()
  encodeRunsU32(values, lengths, writer)
  return sealColumn(ENCODING_RUNS_U32, writer.written)
}

/** Integers with a magnitude below 2^52. */
export function sealF64(values: Float64Array): SealedColumn {
  writer.clear()
  encodeDeltaF64(values, writer)
  return sealColumn(ENCODING_DELTA_F64, writer.written)
}

/** @throws Corruption, as all below. */
export function unsealU32(
  column: SealedColumn,
  count: number,
  origin: ByteOrigin,
  memory: ColumnMemory = newMemory,
): Uint32Array {
  const encoding = column.encoding & ~ENCODING_ZSTD_FLAG
  const reader = new ByteReader(unsealColumn(column.encoding, column.bytes, origin, memory), origin)
  if (encoding !== ENCODING_PACKED_U32 && encoding !== ENCODING_RUNS_U32) {
    throw reader.corruption(`${encoding} is not an encoding of 32-bit integers`)
  }
  const values = encoding === ENCODING_RUNS_U32 ? decodeRunsU32(reader, count) : decodePackedU32(reader, count, memory)
  reader.end()
  return values
}

/** The runs of a column that is stored as such; undefined when it is not. */
export function unsealRuns(column: SealedColumn, count: number, origin: ByteOrigin): RunsU32 | undefined {
  if ((column.encoding & ~ENCODING_ZSTD_FLAG) !== ENCODING_RUNS_U32) return undefined
  const reader = new ByteReader(unsealColumn(column.encoding, column.bytes, origin), origin)
  const runs = decodeRuns(reader, count)
  reader.end()
  return runs
}

export function unsealF64(
  column: SealedColumn,
  count: number,
  origin: ByteOrigin,
  memory: ColumnMemory = newMemory,
): Float64Array {
  // where the kernel does not understand a column, what follows says why
  const decoded = unsealByKernel(column, count, origin, memory)
  if (decoded !== undefined) return decoded
  const reader = new ByteReader(unsealColumn(column.encoding, column.bytes, origin), origin)
  const encoding = column.encoding & ~ENCODING_ZSTD_FLAG
  if (encoding !== ENCODING_DELTA_F64) throw reader.corruption(`${encoding} is not an encoding of float64`)
  const values = decodeDeltaF64(reader, count)
  reader.end()
  return values
}

/** Bytes as they are: lines back to back. */
export function unsealBytes(column: SealedColumn, origin: ByteOrigin): Buffer {
  checkIsBytes(column, origin)
  return unsealColumn(column.encoding, column.bytes, origin)
}

/**
 * As {@link unsealBytes}; the bytes lie in `taken`, which came from `memory` and may be given back to it, or, when `taken`
 * is undefined, in the column itself.
 */
export function unsealBytesInto(
  column: SealedColumn,
  origin: ByteOrigin,
  memory: ScratchBuffers,
): { readonly raw: Buffer; readonly taken: Buffer | undefined } {
  checkIsBytes(column, origin)
  return unsealColumnInto(column, origin, memory)
}

function checkIsBytes(column: SealedColumn, origin: ByteOrigin): void {
  const encoding = column.encoding & ~ENCODING_ZSTD_FLAG
  if (encoding !== ENCODING_BYTES) {
    throw new ByteReader(column.bytes, origin).corruption(`${encoding} is not the encoding of bytes`)
  }
}

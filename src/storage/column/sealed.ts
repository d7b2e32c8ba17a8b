/**
 * The outermost layer of a column: zstd where it helps. Compressed bytes begin with their raw size as uvarint, and the
 * encoding carries {@link ENCODING_ZSTD_FLAG}.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

import { decompressInto } from './decompress-into.ts'
import { ENCODING_ZSTD_FLAG } from './encoding.ts'
import type { ScratchBuffers } from './scratch-buffers.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { MAX_UVARINT_BYTES, writeUvarint } from '#/kernel/varint.ts'

/** Encoded bytes of a column. They own their memory. */
export type SealedColumn = { readonly encoding: number; readonly bytes: Uint8Array }

/** No column is larger after decompression: the longest line plus a page, with room. */
export const MAX_COLUMN_BYTES = 1024 * 1024 * 1024

/** Fewer bytes are not worth a zstd frame. */
const MIN_ZSTD_BYTES = 64
/** Compressed bytes must be fewer than this part of the raw ones. */
const MAX_ZSTD_RATIO = 0.95
/** First guess of an output size; larger outputs come in more steps. */
const MAX_CHUNK_BYTES = 64 * 1024 * 1024
const MIN_CHUNK_BYTES = 64
const levelOne = { [constants.ZSTD_c_compressionLevel]: 1 }

/** Compresses `raw` if that helps; else copies it. `raw` may be overwritten afterwards. */
export function sealColumn(encoding: number, raw: Uint8Array): SealedColumn {
  if (raw.length >= MIN_ZSTD_BYTES) {
    const chunkSize = Math.max(MIN_CHUNK_BYTES, Math.min(MAX_CHUNK_BYTES, raw.length >>> 1))
    const frame = zstdCompressSync(raw, { params: levelOne, chunkSize })
    if (frame.length < raw.length * MAX_ZSTD_RATIO)
      return { encoding: encoding | ENCODING_ZSTD_FLAG, bytes: framed(raw.length, frame) }
  }
  return { encoding, bytes: Uint8Array.from(raw) }
}

/** Undoes {@link sealColumn}. @throws Corruption at `origin` when the bytes are not a frame of the size that they tell. */
export function unsealColumn(encoding: number, bytes: Uint8Array, origin: ByteOrigin): Buffer {
  const reader = new ByteReader(bytes, origin)
  if ((encoding & ENCODING_ZSTD_FLAG) === 0) return reader.bytes(bytes.length)
  const size = reader.count(MAX_COLUMN_BYTES, 'column size')
  const frame = reader.bytes(reader.remaining)
  // one byte of room more than needed saves zlib a second turn
  const chunkSize = Math.max(MIN_CHUNK_BYTES, Math.min(MAX_CHUNK_BYTES, size + 1))
  let raw: Buffer
  try {
    raw = zstdDecompressSync(frame, { maxOutputLength: Math.max(size, 1), chunkSize })
  } catch (error) {
    throw reader.corruption('bytes are not a zstd frame of the size that precedes them', error)
  }
  if (raw.length !== size) throw reader.corruption(`zstd frame holds ${raw.length} bytes, not ${size}`)
  return raw
}

/**
 * As {@link unsealColumn}, with decompressed bytes in `memory`; `taken` is what to give back, undefined when the bytes lie in the
 * column itself.
 */
export function unsealColumnInto(
  { encoding, bytes }: SealedColumn,
  origin: ByteOrigin,
  memory: ScratchBuffers,
): { readonly raw: Buffer; readonly taken: Buffer | undefined } {
  if ((encoding & ENCODING_ZSTD_FLAG) === 0) return { raw: unsealColumn(encoding, bytes, origin), taken: undefined }
  const reader = new ByteReader(bytes, origin)
  const size = reader.count(MAX_COLUMN_BYTES, 'column size')
  const frame = reader.bytes(reader.remaining)
  // one byte more than needed tells a frame that is too large
  const taken = memory.take(size + 1)
  let found: number
  try {
    found = decompressInto(frame, taken)
  } catch (error) {
    memory.giveBack(taken)
    throw reader.corruption('bytes are not a zstd frame of the size that precedes them', error)
  }
  if (found !== size) {
    memory.giveBack(taken)
    throw reader.corruption(`zstd frame holds ${found} bytes, not ${size}`)
  }
  return { raw: taken.subarray(0, size), taken }
}

function framed(rawSize: number, frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(frame.length + MAX_UVARINT_BYTES)
  const start = writeUvarint(bytes, 0, rawSize)
  bytes.set(frame, start)
  return bytes.subarray(0, start + frame.length)
}

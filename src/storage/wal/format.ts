/**
 * Bytes of the write-ahead log, version 1; docs/formats/wal.md is the specification. All integers are little-endian.
 *
 *     segment  = header, the same header again, records
 *     record   = 32 bytes of header, payload, zeros up to a multiple of 8
 *
 * The checksums of a record start from the segment's random salt and the record's place in the file. So bytes that look like
 * a record, because somebody logged a piece of a WAL, are not one, and a reader that lost its way finds the next true record by
 * trying every multiple of 8.
 */
import { assert } from '#/kernel/assert.ts'
import { crc32 } from '#/kernel/crc32.ts'

export const WAL_VERSION = 1
export const SEGMENT_MAGIC = 'EDDAWAL1'
/** Both copies of the header. */
export const SEGMENT_HEADER_BYTES = 128
export const RECORD_HEADER_BYTES = 32
export const RECORD_ALIGNMENT = 8
/** Longest payload; a push body is limited to less. */
export const MAX_PAYLOAD_BYTES = 512 * 1024 * 1024
export const INGESTER_ID_LENGTH = 24

const HEADER_COPY_BYTES = 64
const RECORD_MARKER = 0x43_45_52_45 // "EREC"
const TWO_32 = 2 ** 32

export type SegmentHeader = {
  readonly segment: number
  readonly ingesterId: string
  /** No record of the segment has a lower sequence. */
  readonly firstSequence: number
  /** Random start of all record checksums. */
  readonly salt: number
  /** Bytes of the previous segment that were synced when this one was made; 0 when nobody knows. */
  readonly previousSyncedBytes: number
}

export type RecordHeader = {
  readonly payloadBytes: number
  readonly sequence: number
  /** Bytes of this file that were synced before this record was written: whatever is wrong before them is not a torn write. */
  readonly syncedBytes: number
  readonly payloadCrc: number
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  assert(header.ingesterId.length <= INGESTER_ID_LENGTH, `ingester id '${header.ingesterId}' fits the header`)
  const copy = Buffer.alloc(HEADER_COPY_BYTES)
  copy.write(SEGMENT_MAGIC, 0, 'latin1')
  copy.writeUInt32LE(WAL_VERSION, 8)
  copy.writeUInt32LE(header.segment, 12)
  writeU64(copy, header.firstSequence, 16)
  copy.writeUInt32LE(header.salt, 24)
  copy.writeUInt32LE(header.previousSyncedBytes, 28)
  copy.write(header.ingesterId, 32, 'latin1')
  copy.writeUInt32LE(crc32(copy.subarray(0, 60)), 60)
  return Buffer.concat([copy, copy])
}

/** The header of a segment, and whether one of its copies is damaged; undefined when neither can be read. */
export function decodeSegmentHeader(bytes: Buffer): { header: SegmentHeader; isDamaged: boolean } | undefined {
  const first = decodeHeaderCopy(bytes.subarray(0, HEADER_COPY_BYTES))
  const second = decodeHeaderCopy(bytes.subarray(HEADER_COPY_BYTES, SEGMENT_HEADER_BYTES))
  const header = first ?? second
  return header && { header, isDamaged: first === undefined || second === undefined }
}

function decodeHeaderCopy(copy: Buffer): SegmentHeader | undefined {
  if (copy.length < HEADER_COPY_BYTES || copy.toString('latin1', 0, 8) !== SEGMENT_MAGIC) return undefined
  if (copy.readUInt32LE(60) !== crc32(copy.subarray(0, 60))) return undefined
  if (copy.readUInt32LE(8) !== WAL_VERSION) return undefined
  return {
    segment: copy.readUInt32LE(12),
    firstSequence: readU64(copy, 16),
    salt: copy.readUInt32LE(24),
    previousSyncedBytes: copy.readUInt32LE(28),
    ingesterId: copy.toString('latin1', 32, 32 + INGESTER_ID_LENGTH).replace(/\0+$/, ''),
  }
}

/** Checksum of a payload in parts, for the record at `offset` of a segment with `salt`. */
export function payloadChecksum(parts: readonly Uint8Array[], salt: number, offset: number): number {
  let crc = (salt + offset) >>> 0
  for (const part of parts) crc = crc32(part, crc)
  return crc
}

/** Writes the header of the record at `offset` of its segment to `target[at, at + 32)`. */
export function writeRecordHeader(
  target: Buffer,
  at: number,
  { payloadBytes, sequence, syncedBytes, payloadCrc }: RecordHeader,
  { salt, offset }: { readonly salt: number; readonly offset: number },
): void {
  target.writeUInt32LE(RECORD_MARKER, at)
  target.writeUInt32LE(payloadBytes, at + 4)
  writeU64(target, sequence, at + 8)
  target.writeUInt32LE(syncedBytes, at + 16)
  target.writeUInt32LE(payloadCrc, at + 20)
  target.writeUInt32LE(0, at + 24)
  target.writeUInt32LE(crc32(target.subarray(at, at + 28), (salt + offset) >>> 0), at + 28)
}

/** The header of the record at `offset` of its segment, from the front of `bytes`; undefined when there is none. */
export function readRecordHeader(bytes: Buffer, salt: number, offset: number): RecordHeader | undefined {
  if (bytes.length < RECORD_HEADER_BYTES || bytes.readUInt32LE(0) !== RECORD_MARKER) return undefined
  if (bytes.readUInt32LE(28) !== crc32(bytes.subarray(0, 28), (salt + offset) >>> 0)) return undefined
  return {
    payloadBytes: bytes.readUInt32LE(4),
    sequence: readU64(bytes, 8),
    syncedBytes: bytes.readUInt32LE(16),
    payloadCrc: bytes.readUInt32LE(20),
  }
}

/** The first place at or after `from` where a record header might stand, judged by the marker alone; -1 when there is none. */
export function findMarker(bytes: Buffer, from: number): number {
  for (let at = from; at + 4 <= bytes.length; at += RECORD_ALIGNMENT) {
    if (bytes.readUInt32LE(at) === RECORD_MARKER) return at
  }
  return -1
}

/** Bytes that a record with such a payload takes in the file. */
export function recordBytes(payloadBytes: number): number {
  return RECORD_HEADER_BYTES + Math.ceil(payloadBytes / RECORD_ALIGNMENT) * RECORD_ALIGNMENT
}

export function segmentName(segment: number): string {
  return `${String(segment).padStart(8, '0')}.wal`
}

/** The number in a segment's file name; undefined for other files. */
export function parseSegmentName(name: string): number | undefined {
  return /^\d{8,}\.wal$/.test(name) ? Number.parseInt(name, 10) : undefined
}

function writeU64(target: Buffer, value: number, at: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is a whole number`)
  target.writeUInt32LE(value % TWO_32, at)
  target.writeUInt32LE(Math.floor(value / TWO_32), at + 4)
}

function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_32
}

/**
 * The binary form of an entry batch with its tenant: the payload of a WAL record and the body of a push between roles. Columns
 * are written as they lie in memory, so encoding copies nothing but a batch's scattered lines, and decoding makes views.
 *
 *      0  u32  0x31424545 "EEB1", the version is its last byte
 *      4  u32  flags: 1 all rows are of one day, 2 no row has metadata
 *      8  u32  rows                12  u32  streams           16  u32  metadata names
 *     20  u32  bytes of lines      24  u32  bytes of metadata
 *     28  i32  the day, or 0       32  u32  bytes of texts
 *     36  texts: u32 length of the tenant, of each stream and of each name, then their UTF-8; zeros up to a multiple of 8
 *         time      f64 × rows
 *         stream    u32 × rows
 *         length    u32 × rows
 *         day       i32 × rows, unless flag 1
 *         meta length  u32 × rows, unless flag 2
 *         lines, then metadata, back to back in the order of rows
 *
 * All integers are little-endian.
 */
import type { EntryBatch } from './entry-batch.ts'
import { assert } from '#/kernel/assert.ts'
import { asBuffer, asDataView } from '#/kernel/byte-reader.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { hashesOf, type HashedTexts, textStart } from '#/storage/index/text-table.ts'

const MAGIC = 0x31_42_45_45
const ONE_DAY = 1
const NO_META = 2
const HEADER_BYTES = 36
const MAX_SECTION_BYTES = 2 ** 31

/**
 * The same entries with lines and metadata back to back in the order of rows, from offset 0. A batch that is so already is
 * returned as it is; else lines are copied once.
 */
export function compactBatch(batch: EntryBatch): EntryBatch {
  const lines = packRanges(batch.bytes, batch.lineStart, batch.lineLength, batch.rowCount)
  const meta = packRanges(batch.meta, batch.metaStart, batch.metaLength, batch.rowCount)
  return { ...batch, bytes: lines.bytes, lineStart: lines.start, meta: meta.bytes, metaStart: meta.start }
}

/**
 * As {@link compactBatch}, but lines that stand in the order of rows are moved to the front of the memory that they lie in: what was
 * between them is lost, and `batch` must not be used any more.
 */
export function compactInPlace(batch: EntryBatch): EntryBatch {
  const { bytes, lineStart, lineLength, rowCount } = batch
  if (!areAscending(lineStart, lineLength, rowCount)) return compactBatch(batch)
  let at = 0
  for (let row = 0; row < rowCount; row++) {
    const from = lineStart[row]!
    const size = lineLength[row]!
    lineStart[row] = at
    if (from !== at) copyRange(bytes, from, size, bytes, at)
    at += size
  }
  const meta = packRanges(batch.meta, batch.metaStart, batch.metaLength, rowCount)
  return { ...batch, bytes: bytes.subarray(0, at), meta: meta.bytes, metaStart: meta.start }
}

/** Whether each range begins where the one before has ended, or behind that. */
function areAscending(start: Uint32Array, length: Uint32Array, rowCount: number): boolean {
  let end = 0
  for (let row = 0; row < rowCount; row++) {
    if (start[row]! < end) return false
    end = start[row]! + length[row]!
  }
  return true
}

function packRanges(
  bytes: Buffer,
  start: Uint32Array,
  length: Uint32Array,
  rowCount: number,
): { readonly bytes: Buffer; readonly start: Uint32Array } {
  let total = 0
  let isPacked = true
  for (let row = 0; row < rowCount; row++) {
    if (start[row] !== total) isPacked = false
    total += length[row]!
  }
  assert(total < MAX_SECTION_BYTES, `${total} bytes of one batch fit a section`)
  if (isPacked) return { bytes: bytes.length === total ? bytes : bytes.subarray(0, total), start }
  const packed = Buffer.allocUnsafeSlow(total)
  const packedStart = new Uint32Array(rowCount)
  let at = 0
  for (let row = 0; row < rowCount; row++) {
    const from = start[row]!
    const size = length[row]!
    packedStart[row] = at
    copyRange(bytes, from, size, packed, at)
    at += size
  }
  return { bytes: packed, start: packedStart }
}

/** For short ranges a loop is cheaper than a call out of JavaScript. */
function copyRange(source: Buffer, from: number, size: number, target: Buffer, at: number): void {
  if (size > 48) {
    source.copy(target, at, from, from + size)
    return
  }
  for (let i = 0; i < size; i++) target[at + i] = source[from + i]!
}

/** Buffers that, back to back, are the batch; they share memory with it. */
export function encodeEntryBatch(tenant: string, batch: EntryBatch): Uint8Array[] {
  const { rowCount } = batch
  const { bytes, meta } = compactBatch(batch)
  const isOneDay = allEqual(batch.day, rowCount)
  const hasMeta = meta.length > 0
  const parts: Uint8Array[] = [
    encodeHead(tenant, batch, { isOneDay, lineBytes: bytes.length, metaBytes: meta.length }),
    bytesOf(batch.time, rowCount),
    bytesOf(batch.stream, rowCount),
    bytesOf(batch.lineLength, rowCount),
  ]
  if (!isOneDay) parts.push(bytesOf(batch.day, rowCount))
  if (hasMeta) parts.push(bytesOf(batch.metaLength, rowCount))
  parts.push(bytes)
  if (hasMeta) parts.push(meta)
  return parts
}

type HeadFacts = { readonly isOneDay: boolean; readonly lineBytes: number; readonly metaBytes: number }

function encodeHead(tenant: string, batch: EntryBatch, { isOneDay, lineBytes, metaBytes }: HeadFacts): Buffer {
  const { rowCount, streams, metaNames } = batch
  const own = [tenant, ...metaNames].map((text) => Buffer.from(text))
  const streamBytes = textStart(streams, streams.length)
  const textBytes = own.reduce((sum, { length }) => sum + length, 4 * (own.length + streams.length) + streamBytes)
  const size = HEADER_BYTES + textBytes
  const head = Buffer.alloc(size + ((8 - (size % 8)) % 8))
  head.writeUInt32LE(MAGIC, 0)
  head.writeUInt32LE((isOneDay ? ONE_DAY : 0) | (metaBytes === 0 ? NO_META : 0), 4)
  head.writeUInt32LE(rowCount, 8)
  head.writeUInt32LE(streams.length, 12)
  head.writeUInt32LE(metaNames.length, 16)
  head.writeUInt32LE(lineBytes, 20)
  head.writeUInt32LE(metaBytes, 24)
  head.writeInt32LE(isOneDay && rowCount > 0 ? batch.day[0]! : 0, 28)
  head.writeUInt32LE(textBytes, 32)
  const [name, ...names] = own
  let at = head.writeUInt32LE(name!.length, HEADER_BYTES)
  for (let i = 0; i < streams.length; i++) at = head.writeUInt32LE(streams.ends[i]! - textStart(streams, i), at)
  for (const { length } of names) at = head.writeUInt32LE(length, at)
  at += name!.copy(head, at)
  at += asBuffer(streams.bytes).copy(head, at, 0, streamBytes)
  for (const text of names) at += text.copy(head, at)
  return head
}

function allEqual(values: Int32Array, count: number): boolean {
  for (let i = 1; i < count; i++) if (values[i] !== values[0]) return false
  return true
}

function bytesOf(column: Float64Array | Uint32Array | Int32Array, count: number): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, count * column.BYTES_PER_ELEMENT)
}

/**
 * The batch in `bytes`, whose memory it shares where the alignment allows; lines and metadata are back to back.
 * @throws BadRequest when `bytes` is not an encoded batch.
 */
export function decodeEntryBatch(bytes: Buffer): { readonly tenant: string; readonly batch: EntryBatch } {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC) throw malformed('it does not begin as one')
  const flags = bytes.readUInt32LE(4)
  const rowCount = bytes.readUInt32LE(8)
  const streamCount = bytes.readUInt32LE(12)
  const nameCount = bytes.readUInt32LE(16)
  const lineBytes = bytes.readUInt32LE(20)
  const metaBytes = bytes.readUInt32LE(24)
  const textEnd = HEADER_BYTES + bytes.readUInt32LE(32)
  const columns = new ColumnReader(bytes, Math.ceil(textEnd / 8) * 8)
  const { tenant, streams, metaNames } = readTexts(bytes, { streamCount, nameCount, end: textEnd })
  const time = columns.float64(rowCount)
  const stream = columns.uint32(rowCount)
  const lineLength = columns.uint32(rowCount)
  const day = flags & ONE_DAY ? new Int32Array(rowCount).fill(bytes.readInt32LE(28)) : columns.int32(rowCount)
  const metaLength = flags & NO_META ? new Uint32Array(rowCount) : columns.uint32(rowCount)
  const lines = columns.take(lineBytes)
  const meta = columns.take(metaBytes)
  const batch: EntryBatch = {
    rowCount,
    streams,
    stream,
    day,
    time,
    bytes: lines,
    lineStart: starts(lineLength, lineBytes),
    lineLength,
    meta,
    metaStart: starts(metaLength, metaBytes),
    metaLength,
    metaNames,
  }
  for (let row = 0; row < rowCount; row++) if (stream[row]! >= streamCount) throw malformed('a stream is out of range')
  return { tenant, batch }
}

type Texts = Pick<EntryBatch, 'streams' | 'metaNames'> & { readonly tenant: string }

/** The texts of the streams stay where they are. */
function readTexts(
  bytes: Buffer,
  { streamCount, nameCount, end }: { readonly streamCount: number; readonly nameCount: number; readonly end: number },
): Texts {
  const count = 1 + streamCount + nameCount
  const firstAt = HEADER_BYTES + 4 * count
  if (firstAt > end || end > bytes.length) throw malformed('its texts are cut short')
  const ends = new Uint32Array(count)
  let at = firstAt
  for (let i = 0; i < count; i++) {
    at += bytes.readUInt32LE(HEADER_BYTES + 4 * i)
    if (at > end) throw malformed('its texts are cut short')
    ends[i] = at
  }
  const tenant = bytes.toString('utf8', firstAt, ends[0])
  const metaNames = Array.from({ length: nameCount }, (_, i) =>
    bytes.toString('utf8', ends[streamCount + i], ends[streamCount + i + 1]),
  )
  return { tenant, streams: readStreams(bytes, ends.subarray(0, streamCount + 1)), metaNames }
}

/** `bounds`: the beginning of the first text and the end of each. */
function readStreams(bytes: Buffer, bounds: Uint32Array): HashedTexts {
  const first = bounds[0]!
  const texts = bytes.subarray(first, bounds.at(-1))
  const view = asDataView(texts)
  const ends = bounds.slice(1)
  for (let i = 0; i < ends.length; i++) ends[i]! -= first
  return { length: ends.length, bytes: texts, view, ends, hashes: hashesOf(view, ends) }
}

function starts(length: Uint32Array, total: number): Uint32Array {
  const start = new Uint32Array(length.length)
  let at = 0
  for (let row = 0; row < length.length; row++) {
    start[row] = at
    at += length[row]!
  }
  if (at !== total) throw malformed(`its lengths sum up to ${at}, it has ${total} bytes`)
  return start
}

/** Takes typed arrays off the front; a view when its place in memory is aligned, else a copy. */
class ColumnReader {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw malformed(`it has ${this.#bytes.length} bytes, too few`)
    const taken = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return taken
  }

  float64(count: number): Float64Array {
    const { buffer, byteOffset } = this.#aligned(count * 8, 8)
    return new Float64Array(buffer, byteOffset, count)
  }

  uint32(count: number): Uint32Array {
    const { buffer, byteOffset } = this.#aligned(count * 4, 4)
    return new Uint32Array(buffer, byteOffset, count)
  }

  int32(count: number): Int32Array {
    const { buffer, byteOffset } = this.#aligned(count * 4, 4)
    return new Int32Array(buffer, byteOffset, count)
  }

  #aligned(length: number, alignment: number): Uint8Array {
    const taken = this.take(length)
    return taken.byteOffset % alignment === 0 ? taken : new Uint8Array(taken)
  }
}

function malformed(what: string): BadRequest {
  return new BadRequest(`not an encoded batch of entries: ${what}`)
}

/**
 * Texts that are lower-case hexadecimal digits, all of one even length, as trace ids are, or UUIDs: presence, bytes of a value (128
 * more for UUIDs), then the values with two digits in a byte.
 */
import { rowsWithHex } from './find-text.ts'
import { decodePresence, encodePresence, isPresent, PresenceRanks } from './presence.ts'
import type { HexValues, TextColumn, TextRanges } from './text-values.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const MAX_VALUE_BYTES = 32
const NOT_HEX = 255
const UUID_LENGTH = 36
const UUID_BYTES = 16
const UUID_FLAG = 0x80
const DASH = 0x2d

/** The values as bytes; undefined when one is not of that kind. */
export function tryHex(ranges: TextRanges): HexValues | undefined {
  const { rowCount, count, rows, starts, ends } = ranges
  const length = count === 0 ? 0 : ends[0]! - starts[0]!
  const isUuid = length === UUID_LENGTH
  if (length === 0 || length % 2 !== 0 || (length > MAX_VALUE_BYTES * 2 && !isUuid)) return undefined
  const bytesPerValue = isUuid ? UUID_BYTES : length / 2
  const bytes = new Uint8Array(count * bytesPerValue)
  const presence = count === rowCount ? undefined : new Uint8Array((rowCount + 7) >>> 3)
  for (let i = 0; i < count; i++) {
    if (ends[i]! - starts[i]! !== length) return undefined
    if (!putValue(ranges, i, isUuid, bytes)) return undefined
    if (presence !== undefined) presence[rows[i]! >>> 3]! |= 1 << (rows[i]! & 7)
  }
  return { bytesPerValue, isUuid, bytes, presence }
}

/** False when the value is not of the kind. */
function putValue({ source, starts, ends }: TextRanges, i: number, isUuid: boolean, bytes: Uint8Array): boolean {
  const start = starts[i]!
  const end = ends[i]!
  let at = i * (isUuid ? UUID_BYTES : (end - start) / 2)
  for (let p = start; p < end; p += 2) {
    if (isUuid && isDashAt(p - start)) {
      if (source[p] !== DASH) return false
      p++
    }
    const high = nibbles[source[p]!]!
    const low = nibbles[source[p + 1]!]!
    if (high === NOT_HEX || low === NOT_HEX) return false
    bytes[at++] = (high << 4) | low
  }
  return true
}

function isDashAt(position: number): boolean {
  return position === 8 || position === 13 || position === 18 || position === 23
}

export function encodeHexText(ranges: TextRanges, { bytesPerValue, isUuid, bytes }: HexValues, out: ByteWriter): void {
  encodePresence(ranges, out)
  out.u8(isUuid ? bytesPerValue | UUID_FLAG : bytesPerValue)
  out.bytes(bytes)
}

export function decodeHexText(reader: ByteReader, rowCount: number): TextColumn {
  const presence = decodePresence(reader, rowCount)
  const kind = reader.u8()
  const isUuid = kind === (UUID_BYTES | UUID_FLAG)
  if (!isUuid && (kind === 0 || kind > MAX_VALUE_BYTES))
    throw reader.corruption(`${kind} is no kind of hexadecimal values`)
  const bytesPerValue = isUuid ? UUID_BYTES : kind
  const ranks = presence && new PresenceRanks(presence, rowCount)
  const bytes = reader.bytes((ranks?.count ?? rowCount) * bytesPerValue)
  const valueOf = (row: number): string | undefined => {
    if (row >= rowCount || !isPresent(presence, row)) return undefined
    const from = (ranks?.rankOf(row) ?? row) * bytesPerValue
    const text = bytes.toString('hex', from, from + bytesPerValue)
    return isUuid ? withDashes(text) : text
  }
  const hex = { bytesPerValue, isUuid, bytes, presence }
  let ranges: TextRanges | undefined
  return {
    valueOf,
    dictionary: undefined,
    hex,
    get ranges() {
      return (ranges ??= rangesOf(hex, rowCount))
    },
    rowsWith: (value) => rowsWithHex(hex, rowCount, packHex(value, hex)),
  }
}

/** The bytes that a value has in a column; undefined when it cannot be in it. */
function packHex(value: Buffer, { bytesPerValue, isUuid }: HexValues): Buffer | undefined {
  if (value.length !== (isUuid ? UUID_LENGTH : bytesPerValue * 2)) return undefined
  const packed = Buffer.alloc(bytesPerValue)
  const starts = Uint32Array.of(0)
  const ranges = { rowCount: 1, count: 1, source: value, rows: starts, starts, ends: Uint32Array.of(value.length) }
  return putValue(ranges, 0, isUuid, packed) ? packed : undefined
}

/** The values as they were, one behind the other. */
function rangesOf({ bytesPerValue, isUuid, bytes, presence }: HexValues, rowCount: number): TextRanges {
  const count = bytes.length / bytesPerValue
  const digits = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  const source = isUuid ? dashed(Buffer.from(digits, 'latin1'), count) : Buffer.from(digits, 'latin1')
  const length = isUuid ? UUID_LENGTH : bytesPerValue * 2
  const rows = new Uint32Array(count)
  const starts = new Uint32Array(count)
  const ends = new Uint32Array(count)
  for (let row = 0, i = 0; row < rowCount && i < count; row++) {
    if (!isPresent(presence, row)) continue
    rows[i] = row
    starts[i] = i * length
    ends[i] = ++i * length
  }
  return { rowCount, count, source, rows, starts, ends }
}

/** UUIDs from their 32 digits. */
function dashed(digits: Buffer, count: number): Buffer {
  const source = Buffer.allocUnsafe(count * UUID_LENGTH)
  for (let i = 0, from = 0, to = 0; i < count; i++) {
    for (let position = 0; position < UUID_LENGTH; position++) {
      source[to++] = isDashAt(position) ? DASH : digits[from++]!
    }
  }
  return source
}

/** The bytes of every row, zeros where it has no value, into `target`. */
export function spreadHex({ bytesPerValue, bytes, presence }: HexValues, rowCount: number, target: Uint8Array): void {
  if (presence === undefined) {
    target.set(bytes)
    return
  }
  let from = 0
  let to = 0
  for (let row = 0; row < rowCount; row++) {
    if (isPresent(presence, row)) for (let i = 0; i < bytesPerValue; i++) target[to++] = bytes[from++]!
    else for (let i = 0; i < bytesPerValue; i++) target[to++] = 0
  }
}

function withDashes(text: string): string {
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`
}

const nibbles = new Uint8Array(256).fill(NOT_HEX)
for (const [value, digit] of Buffer.from('0123456789abcdef').entries()) nibbles[digit] = value

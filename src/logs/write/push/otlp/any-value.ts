/**
 * OTLP's `AnyValue` as text, read in place:
 *
 *     1 string  2 bool  3 int64  4 double  5 array (1 values…)  6 map (1 key-values…)  7 bytes
 *
 * Texts are as they are; numbers and bools in decimal and words; bytes in base64; arrays and maps as compact JSON with sorted
 * keys. The last field counts, as for any union in protobuf.
 */
import { BadRequest } from '#/kernel/errors.ts'
import type { ProtobufCursor } from '#/kernel/protobuf-cursor.ts'

export const ANY_STRING = 0x0a
const ANY_BOOL = 0x10
const ANY_INT = 0x18
const ANY_DOUBLE = 0x21
const ANY_ARRAY = 0x2a
export const ANY_MAP = 0x32
const ANY_BYTES = 0x3a

/** How deep values may be nested. */
export const maxValueDepth = 64

type Plain = string | number | bigint | boolean | null | readonly Plain[] | ReadonlyMap<string, Plain>

/** The field that a value is set by, with the range of its bytes (of a varint or double: where it begins). */
export type AnyField = { tag: number; start: number; end: number }

/** Finds which field of the value in [cursor.at, end) counts; the cursor ends at `end`. */
export function findField(cursor: ProtobufCursor, end: number, field: AnyField): void {
  const outerEnd = cursor.end
  cursor.end = end
  field.tag = 0
  field.start = field.end = cursor.at
  while (cursor.at < end) {
    const tag = cursor.tag()
    if ((tag & 7) === 2) {
      field.end = cursor.enter()
      field.start = cursor.at
      cursor.at = field.end
    } else {
      field.start = cursor.at
      cursor.skip(tag)
      field.end = cursor.at
    }
    field.tag = tag
  }
  cursor.end = outerEnd
}

/** The text of a value that is no string. */
export function textOf(cursor: ProtobufCursor, field: AnyField): string {
  const value = plainOf(cursor, field, 0)
  if (value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number') return formatDouble(value)
  return typeof value === 'object' ? toJson(value) : String(value)
}

function plainOf(cursor: ProtobufCursor, field: AnyField, depth: number): Plain {
  if (depth > maxValueDepth) throw new BadRequest(`attribute values nested deeper than ${maxValueDepth} levels`)
  const { tag, start, end } = field
  const bytes = cursor.bytes as Buffer
  switch (tag) {
    case ANY_STRING:
      return bytes.toString('utf8', start, end)
    case ANY_BOOL:
      return bytes.subarray(start, end).some((byte) => (byte & 0x7f) !== 0)
    case ANY_INT:
      return int64Of(bytes, start, end)
    case ANY_DOUBLE:
      return bytes.readDoubleLE(start)
    case ANY_BYTES:
      return bytes.toString('base64', start, end)
    case ANY_ARRAY:
      return listOf(cursor, field, (itemEnd) => {
        const inner: AnyField = { tag: 0, start: 0, end: 0 }
        findField(cursor, itemEnd, inner)
        return plainOf(cursor, inner, depth + 1)
      })
    case ANY_MAP: {
      const entries = listOf(cursor, field, (itemEnd): [string, Plain] => {
        const pair = readKeyValue(cursor, itemEnd)
        return [bytes.toString('utf8', pair.keyStart, pair.keyEnd), plainOf(cursor, pair.value, depth + 1)]
      })
      return new Map(entries)
    }
    default:
      return null
  }
}

/** Reads every repeated field 1 of the message in [field.start, field.end). */
export function listOf<T>(cursor: ProtobufCursor, field: AnyField, read: (itemEnd: number) => T): T[] {
  const { at: outerAt, end: outerEnd } = cursor
  const items: T[] = []
  cursor.at = field.start
  cursor.end = field.end
  while (cursor.at < field.end) {
    const tag = cursor.tag()
    if (tag === 0x0a) items.push(read(cursor.enter()))
    else cursor.skip(tag)
  }
  cursor.at = outerAt
  cursor.end = outerEnd
  return items
}

export type KeyValue = { keyStart: number; keyEnd: number; readonly value: AnyField }

/** A `KeyValue` (1 key, 2 value) in [cursor.at, end). */
export function readKeyValue(cursor: ProtobufCursor, end: number): KeyValue {
  const pair: KeyValue = { keyStart: cursor.at, keyEnd: cursor.at, value: { tag: 0, start: end, end } }
  const outerEnd = cursor.end
  cursor.end = end
  while (cursor.at < end) {
    const tag = cursor.tag()
    if (tag === 0x0a) {
      pair.keyEnd = cursor.enter()
      pair.keyStart = cursor.at
      cursor.at = pair.keyEnd
    } else if (tag === 0x12) {
      findField(cursor, cursor.enter(), pair.value)
    } else {
      cursor.skip(tag)
    }
  }
  cursor.end = outerEnd
  return pair
}

function int64Of(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n
  for (let at = start; at < end; at++) value |= BigInt(bytes[at]! & 0x7f) << BigInt(7 * (at - start))
  return BigInt.asIntN(64, value)
}

/** What JSON has no word for is written as Go does. */
function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return Object.is(value, -0) ? '-0' : String(value)
}

function toJson(value: Plain): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, Plain>)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${members.map(([key, one]) => `${JSON.stringify(key)}:${toJson(one)}`).join(',')}}`
  }
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${formatDouble(value)}"`
  return value === true ? 'true' : value === false ? 'false' : (value as bigint).toString()
}

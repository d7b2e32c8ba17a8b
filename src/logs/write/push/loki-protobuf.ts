/**
 * Loki's protobuf `PushRequest`, read by a cursor into columns: no object and no string per entry.
 *
 *     PushRequest  1 streams (StreamAdapter, repeated)
 *     StreamAdapter  1 labels (text)  2 entries (EntryAdapter, repeated)
 *     EntryAdapter  1 timestamp (1 seconds, 2 nanos)  2 line  3 structured metadata (1 name, 2 value; repeated)
 *
 * Fields may come in any order, unknown ones are passed over, and of a field that must not repeat the last one counts.
 */
import { PushColumnsBuilder, type PushColumns } from './push-columns.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { ProtobufCursor } from '#/kernel/protobuf-cursor.ts'
import type { WorkMemory } from '#/platform/memory/work-memory.ts'
import { dayOfSeconds, timeOfSeconds } from '#/logs/model/day.ts'

/** Tags of length-delimited fields 1, 2 and 3, and of varint fields 1 and 2. */
const BYTES_1 = 0x0a
const BYTES_2 = 0x12
const BYTES_3 = 0x1a
const VARINT_1 = 0x08
const VARINT_2 = 0x10

/** Years 1 to 9999, the range of protobuf's Timestamp. */
const firstSecond = -62_135_596_800
const endSecond = 253_402_300_800

/** @param body The decompressed message; lines and metadata stay ranges of it. @throws BadRequest, TooLarge */
export function decodeLokiProtobuf(body: Buffer, memory?: WorkMemory): PushColumns {
  const columns = new PushColumnsBuilder(body.length, memory, body)
  const cursor = new ProtobufCursor(body)
  while (cursor.at < cursor.end) {
    const tag = cursor.tag()
    if (tag === BYTES_1) decodeStream(cursor, body, columns)
    else cursor.skip(tag)
  }
  return columns.build({ format: 'loki', syntax: 'selector', bytes: body, pairBytes: body })
}

function decodeStream(cursor: ProtobufCursor, body: Buffer, columns: PushColumnsBuilder): void {
  const outerEnd = cursor.end
  cursor.end = cursor.enter()
  const stream = columns.addStream()
  while (cursor.at < cursor.end) {
    const tag = cursor.tag()
    if (tag === BYTES_2) {
      decodeEntry(cursor, stream, columns)
    } else if (tag === BYTES_1) {
      const end = cursor.enter()
      columns.setStream(stream, body, cursor.at, end)
      cursor.at = end
    } else {
      cursor.skip(tag)
    }
  }
  cursor.end = outerEnd
}

function decodeEntry(cursor: ProtobufCursor, stream: number, columns: PushColumnsBuilder): void {
  const outerEnd = cursor.end
  const end = cursor.enter()
  cursor.end = end
  let seconds = 0
  let nanos = 0
  let lineStart = cursor.at
  let lineEnd = lineStart
  while (cursor.at < end) {
    const tag = cursor.tag()
    if (tag === BYTES_2) {
      lineEnd = cursor.enter()
      lineStart = cursor.at
      cursor.at = lineEnd
    } else if (tag === BYTES_1) {
      const timeEnd = cursor.enter()
      cursor.end = timeEnd
      while (cursor.at < timeEnd) {
        const timeTag = cursor.tag()
        if (timeTag === VARINT_1) seconds = cursor.int64()
        else if (timeTag === VARINT_2) nanos = cursor.int64()
        else cursor.skip(timeTag)
      }
      cursor.end = end
    } else if (tag === BYTES_3) {
      decodePair(cursor, columns)
    } else {
      cursor.skip(tag)
    }
  }
  cursor.end = outerEnd
  if (!(seconds >= firstSecond && seconds < endSecond && nanos >= 0 && nanos < 1e9)) throw badTimestamp(seconds, nanos)
  columns.addRow(stream, dayOfSeconds(seconds), timeOfSeconds(seconds, nanos), lineStart, lineEnd)
}

function decodePair(cursor: ProtobufCursor, columns: PushColumnsBuilder): void {
  const outerEnd = cursor.end
  const end = cursor.enter()
  cursor.end = end
  let nameStart = cursor.at
  let nameEnd = nameStart
  let valueStart = nameStart
  let valueEnd = nameStart
  while (cursor.at < end) {
    const tag = cursor.tag()
    if (tag === BYTES_1) {
      nameEnd = cursor.enter()
      nameStart = cursor.at
      cursor.at = nameEnd
    } else if (tag === BYTES_2) {
      valueEnd = cursor.enter()
      valueStart = cursor.at
      cursor.at = valueEnd
    } else {
      cursor.skip(tag)
    }
  }
  cursor.end = outerEnd
  columns.addPair(nameStart, nameEnd, valueStart, valueEnd)
}

function badTimestamp(seconds: number, nanos: number): BadRequest {
  const value = `timestamp: seconds:${seconds} nanos:${nanos}`
  if (seconds < firstSecond) return new BadRequest(`${value} before 0001-01-01`)
  if (seconds >= endSecond) return new BadRequest(`${value} after 10000-01-01`)
  return new BadRequest(`${value}: nanos not in range [0, 1e9)`)
}

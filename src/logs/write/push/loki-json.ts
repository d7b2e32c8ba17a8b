/**
 * The JSON of `/loki/api/v1/push`, read by a cursor into columns without building values:
 *
 *     {"streams": [{"stream": {"label": "value"}, "values": [["<ns>", "<line>", {"name": "value"}?], …]}, …]}
 *
 * Texts are unescaped where they lie in the body, so the body is changed. Unknown keys, elements behind the third, `null` in
 * place of `streams` or `values` or an entry are passed over.
 */
import { PushColumnsBuilder, type PushColumns } from './push-columns.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { JsonCursor } from '#/kernel/json-cursor.ts'
import type { WorkMemory } from '#/platform/memory/work-memory.ts'
import { dayOfSeconds, timeOfSeconds } from '#/logs/model/day.ts'

const streamsKey = Buffer.from('streams')
const streamKey = Buffer.from('stream')
const valuesKey = Buffer.from('values')
const OPEN_BRACE = 0x7b
/** Labels of a stream that comes without any. */
const noLabels = Buffer.from('{}')

/** @param body Decompressed; written over. @throws BadRequest, TooLarge */
export function decodeLokiJson(body: Buffer, memory?: WorkMemory): PushColumns {
  const cursor = new JsonCursor(body)
  const columns = new PushColumnsBuilder(body.length, memory)
  cursor.open('{')
  while (cursor.nextMember()) {
    if (!cursor.keyIs(streamsKey)) cursor.skipValue()
    else if (!cursor.acceptNull()) readStreams(cursor, columns)
  }
  cursor.expectEnd()
  return columns.build({ format: 'loki', syntax: 'json', bytes: body, pairBytes: body })
}

function readStreams(cursor: JsonCursor, columns: PushColumnsBuilder): void {
  cursor.open('[')
  while (cursor.nextElement()) if (!cursor.acceptNull()) readStream(cursor, columns)
}

function readStream(cursor: JsonCursor, columns: PushColumnsBuilder): void {
  const stream = columns.addStream()
  columns.setStream(stream, noLabels, 0, noLabels.length)
  cursor.open('{')
  while (cursor.nextMember()) {
    if (cursor.keyIs(streamKey)) {
      if (cursor.acceptNull()) continue
      if (cursor.peek() !== OPEN_BRACE) cursor.fail('an object of labels')
      const start = cursor.at
      cursor.skipValue()
      columns.setStream(stream, cursor.bytes, start, cursor.at)
    } else if (cursor.keyIs(valuesKey)) {
      if (cursor.acceptNull()) continue
      cursor.open('[')
      while (cursor.nextElement()) if (!cursor.acceptNull()) readEntry(cursor, stream, columns)
    } else {
      cursor.skipValue()
    }
  }
}

function readEntry(cursor: JsonCursor, stream: number, columns: PushColumnsBuilder): void {
  cursor.open('[')
  if (!cursor.nextElement()) cursor.fail('a timestamp')
  cursor.string()
  const timeStart = cursor.start
  const timeEnd = cursor.stop
  if (!cursor.nextElement()) cursor.fail('a log line')
  cursor.unescapedString()
  const lineStart = cursor.start
  const lineEnd = cursor.stop
  if (cursor.nextElement()) {
    readMetadata(cursor, columns)
    while (cursor.nextElement()) cursor.skipValue()
  }
  parseNanos(cursor.bytes, timeStart, timeEnd)
  columns.addRow(stream, dayOfSeconds(parsedSeconds), timeOfSeconds(parsedSeconds, parsedNanos), lineStart, lineEnd)
}

/** `{"name": "value"}`; the bytes of names count as they stand, values are unescaped. */
function readMetadata(cursor: JsonCursor, columns: PushColumnsBuilder): void {
  cursor.open('{')
  while (cursor.nextMember()) {
    const nameStart = cursor.start
    const nameEnd = cursor.stop
    cursor.unescapedString()
    columns.addPair(nameStart, nameEnd, cursor.start, cursor.stop)
  }
}

/** Results of {@link parseNanos}, so that it need not make an object per entry. */
let parsedSeconds = 0
let parsedNanos = 0

const ZERO = 0x30
const maxInt64Seconds = 9_223_372_036
const maxInt64Nanos = 854_775_807

/** Reads a decimal int64 of nanoseconds into seconds, rounded down, and the rest. */
function parseNanos(bytes: Buffer, start: number, end: number): void {
  const sign = bytes[start]
  const hasSign = sign === 0x2d || sign === 0x2b
  const first = hasSign ? start + 1 : start
  let seconds = 0
  let nanos = 0
  const split = end - 9
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit < 0 || digit > 9) throw badTime(bytes, start, end)
    if (at < split) seconds = seconds * 10 + digit
    else nanos = nanos * 10 + digit
  }
  if (first >= end) throw badTime(bytes, start, end)
  const isNegative = sign === 0x2d
  // the least int64 is one further from zero than the greatest
  const limit = isNegative ? maxInt64Nanos + 1 : maxInt64Nanos
  if (seconds > maxInt64Seconds || (seconds === maxInt64Seconds && nanos > limit)) {
    throw badTime(bytes, start, end, 'value out of range')
  }
  parsedSeconds = isNegative ? (nanos === 0 ? -seconds : -seconds - 1) : seconds
  parsedNanos = isNegative && nanos !== 0 ? 1e9 - nanos : nanos
}

function badTime(bytes: Buffer, start: number, end: number, why = 'invalid syntax'): BadRequest {
  const text = bytes.toString('utf8', start, Math.min(end, start + 64))
  return new BadRequest(`timestamp ${JSON.stringify(text)} is not a number of nanoseconds: ${why}`)
}

/**
 * The JSON of `/api/prom/push`, which is protobuf's JSON of `PushRequest`:
 *
 *     {"streams": [{"labels": "{a=\"b\"}", "entries": [{"ts": "<RFC 3339>", "line": "…", "structuredMetadata": […]?}]}]}
 *
 * Structured metadata is a list of `{"name", "value"}` or an object. Few clients still send this: it is read without haste, but
 * with the same bounds as everything else.
 */
import { PushColumnsBuilder, type PushColumns } from './push-columns.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { JsonCursor } from '#/kernel/json-cursor.ts'
import type { WorkMemory } from '#/platform/memory/work-memory.ts'
import { dayOfSeconds, timeOfSeconds } from '#/logs/model/day.ts'

const OPEN_BRACKET = 0x5b
const rfc3339 = /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2})$/

/** @param body Decompressed; written over. @throws BadRequest, TooLarge */
export function decodeLegacyJson(body: Buffer, memory?: WorkMemory): PushColumns {
  const cursor = new JsonCursor(body)
  const columns = new PushColumnsBuilder(body.length, memory)
  readObject(cursor, {
    streams: () => readList(cursor, () => readStream(cursor, columns)),
  })
  cursor.expectEnd()
  return columns.build({ format: 'loki', syntax: 'selector', bytes: body, pairBytes: body })
}

function readStream(cursor: JsonCursor, columns: PushColumnsBuilder): void {
  const stream = columns.addStream()
  readObject(cursor, {
    labels: () => {
      cursor.unescapedString()
      columns.setStream(stream, cursor.bytes, cursor.start, cursor.stop)
    },
    entries: () => readList(cursor, () => readEntry(cursor, stream, columns)),
  })
}

function readEntry(cursor: JsonCursor, stream: number, columns: PushColumnsBuilder): void {
  let time = { seconds: 0, nanos: 0 }
  let lineStart = 0
  let lineEnd = 0
  readObject(cursor, {
    ts: () => {
      time = parseTime(cursor.stringText())
    },
    line: () => {
      cursor.unescapedString()
      lineStart = cursor.start
      lineEnd = cursor.stop
    },
    structuredMetadata: () => readMetadata(cursor, columns),
  })
  columns.addRow(stream, dayOfSeconds(time.seconds), timeOfSeconds(time.seconds, time.nanos), lineStart, lineEnd)
}

function readMetadata(cursor: JsonCursor, columns: PushColumnsBuilder): void {
  const range = (): [start: number, end: number] => {
    cursor.unescapedString()
    return [cursor.start, cursor.stop]
  }
  if (cursor.peek() === OPEN_BRACKET) {
    return readList(cursor, () => {
      let name: [start: number, end: number] = [0, 0]
      let value: [start: number, end: number] = [0, 0]
      readObject(cursor, {
        name: () => {
          name = range()
        },
        value: () => {
          value = range()
        },
      })
      columns.addPair(...name, ...value)
    })
  }
  cursor.open('{')
  while (cursor.nextMember()) {
    const { start, stop } = cursor
    columns.addPair(start, stop, ...range())
  }
}

/** Calls the reader of each known key; other keys, and known ones with `null`, are passed over. */
function readObject(cursor: JsonCursor, readers: Readonly<Record<string, () => void>>): void {
  cursor.open('{')
  while (cursor.nextMember()) {
    const key = cursor.keyText()
    const reader = Object.hasOwn(readers, key) ? readers[key] : undefined
    if (cursor.acceptNull()) continue
    if (reader === undefined) cursor.skipValue()
    else reader()
  }
}

function readList(cursor: JsonCursor, read: () => void): void {
  cursor.open('[')
  while (cursor.nextElement()) if (!cursor.acceptNull()) read()
}

function parseTime(text: string): { readonly seconds: number; readonly nanos: number } {
  const [, main = '', fraction = '', zone = ''] = rfc3339.exec(text) ?? []
  const ms = Date.parse(`${main.toUpperCase()}${zone.toUpperCase()}`)
  if (Number.isNaN(ms)) throw new BadRequest(`timestamp ${JSON.stringify(text.slice(0, 64))} is not RFC 3339`)
  return { seconds: ms / 1000, nanos: Number(fraction.padEnd(9, '0')) }
}

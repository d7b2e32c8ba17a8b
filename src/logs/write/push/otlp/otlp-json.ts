/**
 * OTLP's JSON, rewritten as OTLP's protobuf, which then has the only decoder. Tables say which key is which field; keys may be
 * in camelCase or snake_case, 64-bit integers texts or numbers, trace and span ids are hexadecimal. Unknown keys and `null` are
 * passed over. Nothing is built but the bytes of the message, which are about as many as those of the JSON.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { JsonCursor } from '#/kernel/json-cursor.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'

type Kind = 'string' | 'bool' | 'int64' | 'uint32' | 'fixed32' | 'fixed64' | 'double' | 'hex' | 'base64' | 'severity'
type Field = { readonly number: number; readonly kind: Kind | Message }
/** Fields by the name of their key. */
type Message = { readonly [key: string]: Field }

function field(number: number, kind: Kind | Message): Field {
  return { number, kind }
}

// values nest, so the tables of values refer to each other
const anyValue: Record<string, Field> = {
  stringValue: field(1, 'string'),
  boolValue: field(2, 'bool'),
  intValue: field(3, 'int64'),
  doubleValue: field(4, 'double'),
  bytesValue: field(7, 'base64'),
}
const keyValue: Message = { key: field(1, 'string'), value: field(2, anyValue) }
anyValue['arrayValue'] = field(5, { values: field(1, anyValue) })
anyValue['kvlistValue'] = field(6, { values: field(1, keyValue) })

const logRecord: Message = {
  timeUnixNano: field(1, 'fixed64'),
  severityNumber: field(2, 'severity'),
  severityText: field(3, 'string'),
  body: field(5, anyValue),
  attributes: field(6, keyValue),
  droppedAttributesCount: field(7, 'uint32'),
  flags: field(8, 'fixed32'),
  traceId: field(9, 'hex'),
  spanId: field(10, 'hex'),
  observedTimeUnixNano: field(11, 'fixed64'),
  eventName: field(12, 'string'),
}
const scope: Message = {
  name: field(1, 'string'),
  version: field(2, 'string'),
  attributes: field(3, keyValue),
  droppedAttributesCount: field(4, 'uint32'),
}
const scopeLogs: Message = { scope: field(1, scope), logRecords: field(2, logRecord) }
const resource: Message = { attributes: field(1, keyValue), droppedAttributesCount: field(2, 'uint32') }
const resourceLogs: Message = { resource: field(1, resource), scopeLogs: field(2, scopeLogs) }
const request: Message = { resourceLogs: field(1, resourceLogs) }

const severities = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const wireTypes: Readonly<Record<Kind, number>> = {
  bool: 0,
  int64: 0,
  uint32: 0,
  severity: 0,
  fixed64: 1,
  double: 1,
  string: 2,
  hex: 2,
  base64: 2,
  fixed32: 5,
}
/** Room for the length of a message, which is known only behind it. */
const noLength = Buffer.alloc(5)

/** @param body Decompressed; written over. @throws BadRequest */
export function otlpJsonToProtobuf(body: Buffer): Buffer {
  const cursor = new JsonCursor(body)
  const out = new ByteWriter(body.length + 1024)
  writeMessage(cursor, request, out)
  cursor.expectEnd()
  return out.written
}

function writeMessage(cursor: JsonCursor, message: Message, out: ByteWriter): void {
  cursor.open('{')
  while (cursor.nextMember()) {
    const key = camelCase(cursor.keyText())
    const known = Object.hasOwn(message, key) ? message[key] : undefined
    if (known === undefined) {
      cursor.skipValue()
    } else if (cursor.peek() === 0x5b) {
      cursor.open('[')
      while (cursor.nextElement()) if (!cursor.acceptNull()) writeField(cursor, known, out)
    } else if (!cursor.acceptNull()) {
      writeField(cursor, known, out)
    }
  }
}

function writeField(cursor: JsonCursor, { number, kind }: Field, out: ByteWriter): void {
  if (typeof kind === 'object') {
    out.uvarint(number * 8 + 2)
    const at = out.size
    out.bytes(noLength)
    writeMessage(cursor, kind, out)
    writeLength(out.written, at, out.size - at - noLength.length)
    return
  }
  out.uvarint(number * 8 + wireTypes[kind])
  switch (kind) {
    case 'string':
      cursor.unescapedString()
      out.uvarint(cursor.stop - cursor.start)
      out.bytes(cursor.bytes.subarray(cursor.start, cursor.stop))
      return
    case 'hex':
    case 'base64':
      return writeBytes(cursor.stringText(), kind, out)
    case 'bool':
      return writeBool(cursor, out)
    case 'double':
      return writeDouble(cursor, out)
    case 'severity':
      return writeVarint(severityOf(cursor), out)
    case 'int64':
    case 'uint32':
      return writeVarint(integerOf(cursor), out)
    case 'fixed32':
      return out.u32(Number(BigInt.asUintN(32, integerOf(cursor))))
    case 'fixed64': {
      const value = BigInt.asUintN(64, integerOf(cursor))
      out.u32(Number(value & 0xffff_ffffn))
      out.u32(Number(value >> 32n))
    }
  }
}

/** A varint of five bytes, however small. */
function writeLength(bytes: Buffer, at: number, length: number): void {
  for (let index = 0; index < 4; index++) bytes[at + index] = ((length >>> (7 * index)) & 0x7f) | 0x80
  bytes[at + 4] = length >>> 28
}

function writeBytes(text: string, encoding: 'hex' | 'base64', out: ByteWriter): void {
  const isHex = /^(?:[0-9a-fA-F]{2})*$/.test(text)
  if (encoding === 'hex' && !isHex) throw new BadRequest(`${JSON.stringify(text.slice(0, 64))} is not hexadecimal`)
  const bytes = Buffer.from(text, encoding)
  out.uvarint(bytes.length)
  out.bytes(bytes)
}

function writeBool(cursor: JsonCursor, out: ByteWriter): void {
  const text = scalarText(cursor)
  if (text !== 'true' && text !== 'false') throw new BadRequest(`expected true or false, found ${text.slice(0, 64)}`)
  out.u8(text === 'true' ? 1 : 0)
}

function writeDouble(cursor: JsonCursor, out: ByteWriter): void {
  const text = scalarText(cursor)
  const value = text === '' ? Number.NaN : Number(text)
  if (Number.isNaN(value) && text !== 'NaN') throw new BadRequest(`expected a number, found ${text.slice(0, 64)}`)
  out.f64(value)
}

/** A number, or the name of one: `SEVERITY_NUMBER_INFO2` is 10. */
function severityOf(cursor: JsonCursor): bigint {
  if (!cursor.isString()) return integerOf(cursor)
  const text = cursor.stringText()
  const [, name = '', step = '1'] = /^SEVERITY_NUMBER_([A-Z]+)([1-4]?)$/.exec(text) ?? []
  if (name === 'UNSPECIFIED') return 0n
  const index = severities.indexOf(name)
  return index < 0 ? integerOfText(text) : BigInt(index * 4 + Number(step === '' ? 1 : step))
}

function integerOf(cursor: JsonCursor): bigint {
  return integerOfText(scalarText(cursor))
}

function integerOfText(text: string): bigint {
  const isPlain = /^[+-]?\d{1,20}$/.test(text)
  // 1e3 and 1.0 are integers too, as long as a double holds them
  const number = isPlain ? 0 : Number(text)
  if (!isPlain && (text === '' || !Number.isSafeInteger(number))) {
    throw new BadRequest(`expected a whole number, found ${JSON.stringify(text.slice(0, 64))}`)
  }
  return isPlain ? BigInt(text.replace('+', '')) : BigInt(number)
}

/** The text of a number or word, in quotes or not. */
function scalarText(cursor: JsonCursor): string {
  return cursor.isString() ? cursor.stringText() : cursor.rawText()
}

function writeVarint(value: bigint, out: ByteWriter): void {
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) out.u8(Number(rest & 0x7fn) | 0x80)
  out.u8(Number(rest))
}

function camelCase(key: string): string {
  return key.includes('_') ? key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : key
}

/**
 * One OTLP `LogRecord`, as ranges of the body:
 *
 *     1 time (fixed64)  2 severity number  3 severity text  5 body  6 attributes*  7 dropped attributes  8 flags (fixed32)
 *     9 trace id  10 span id  11 observed time (fixed64)  12 event name
 *
 * There is one object per push, filled again for each record.
 */
import { findField, type AnyField } from './any-value.ts'
import type { ProtobufCursor } from '#/kernel/protobuf-cursor.ts'

/** 86,400e9 = 65,536 × 1,318,359,375: the day of a 64-bit time without BigInt. */
const dayOver65536 = 1_318_359_375

/** An unsigned 64-bit count of nanoseconds since the epoch. */
export class Fixed64Time {
  low = 0
  high = 0

  get isZero(): boolean {
    return this.low === 0 && this.high === 0
  }

  get day(): number {
    return Math.floor((this.high * 65_536 + (this.low >>> 16)) / dayOver65536)
  }

  get timeInDay(): number {
    return (this.high * 65_536 + (this.low >>> 16) - this.day * dayOver65536) * 65_536 + (this.low & 0xffff)
  }

  toString(): string {
    return String((BigInt(this.high) << 32n) | BigInt(this.low))
  }
}

export class LogRecord {
  readonly time = new Fixed64Time()
  readonly observedTime = new Fixed64Time()
  severityNumber = 0
  severityTextStart = 0
  severityTextEnd = 0
  readonly body: AnyField = { tag: 0, start: 0, end: 0 }
  /** Start and end of each key-value message. */
  readonly attributes: number[] = []
  dropped = 0
  flags = 0
  traceIdStart = 0
  traceIdEnd = 0
  spanIdStart = 0
  spanIdEnd = 0
  eventNameStart = 0
  eventNameEnd = 0

  clear(): void {
    this.time.low = this.time.high = this.observedTime.low = this.observedTime.high = 0
    this.severityNumber = this.dropped = this.flags = 0
    this.severityTextStart = this.severityTextEnd = 0
    this.traceIdStart = this.traceIdEnd = this.spanIdStart = this.spanIdEnd = 0
    this.eventNameStart = this.eventNameEnd = 0
    this.body.tag = this.body.start = this.body.end = 0
    this.attributes.length = 0
  }
}

const TIME = 0x09
const SEVERITY_NUMBER = 0x10
const SEVERITY_TEXT = 0x1a
const BODY = 0x2a
const ATTRIBUTE = 0x32
const DROPPED = 0x38
const FLAGS = 0x45
const TRACE_ID = 0x4a
const SPAN_ID = 0x52
const OBSERVED_TIME = 0x59
const EVENT_NAME = 0x62

/** Reads the record in [cursor.at, end) into `record`. */
export function readLogRecord(cursor: ProtobufCursor, end: number, record: LogRecord): void {
  const outerEnd = cursor.end
  cursor.end = end
  record.clear()
  while (cursor.at < end) {
    const tag = cursor.tag()
    if ((tag & 7) === 2) readRange(cursor, tag, record)
    else readNumber(cursor, tag, record)
  }
  cursor.end = outerEnd
}

function readRange(cursor: ProtobufCursor, tag: number, record: LogRecord): void {
  const end = cursor.enter()
  const start = cursor.at
  if (tag === BODY) {
    findField(cursor, end, record.body)
  } else if (tag === ATTRIBUTE) {
    record.attributes.push(start, end)
  } else if (tag === SEVERITY_TEXT) {
    record.severityTextStart = start
    record.severityTextEnd = end
  } else if (tag === TRACE_ID) {
    record.traceIdStart = start
    record.traceIdEnd = end
  } else if (tag === SPAN_ID) {
    record.spanIdStart = start
    record.spanIdEnd = end
  } else if (tag === EVENT_NAME) {
    record.eventNameStart = start
    record.eventNameEnd = end
  }
  cursor.at = end
}

function readNumber(cursor: ProtobufCursor, tag: number, record: LogRecord): void {
  if (tag === TIME || tag === OBSERVED_TIME) {
    const time = tag === TIME ? record.time : record.observedTime
    time.low = cursor.fixed32()
    time.high = cursor.fixed32()
  } else if (tag === SEVERITY_NUMBER) {
    record.severityNumber = cursor.int64()
  } else if (tag === DROPPED) {
    record.dropped = cursor.uint()
  } else if (tag === FLAGS) {
    record.flags = cursor.fixed32()
  } else {
    cursor.skip(tag)
  }
}

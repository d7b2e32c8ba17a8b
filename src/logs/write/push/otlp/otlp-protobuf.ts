/**
 * OTLP's `ExportLogsServiceRequest`, read by a cursor into columns:
 *
 *     request  1 ResourceLogs*  →  1 resource (1 attributes*)  2 ScopeLogs*
 *                 ScopeLogs     →  1 scope (1 name, 2 version, 3 attributes*, 4 dropped)  2 LogRecord*
 *
 * Resource attributes become labels or structured metadata by the tenant's rules, everything else structured metadata, in the
 * order: attributes of the record, its built-in fields, resource, scope. Names are normalised by the distributor.
 */
import { ANY_MAP, ANY_STRING, listOf, readKeyValue, textOf, type AnyField, type KeyValue } from './any-value.ts'
import type { AttributeRules, OtlpRules } from './attribute-rules.ts'
import { LogRecord, readLogRecord } from './log-record.ts'
import { TextArena } from './text-arena.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { ProtobufCursor } from '#/kernel/protobuf-cursor.ts'
import { dayOf, timeInDay } from '#/logs/model/day.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { normalizeMetadataName } from '#/logs/model/metadata-name.ts'
import { PushColumnsBuilder, type PushColumns } from '#/logs/write/push/push-columns.ts'

export type OtlpOptions = {
  readonly rules: OtlpRules
  /** Time of records that have none. */
  readonly nowNs: bigint
  /** Whether a resource without any label gets `service_name="unknown_service"`. */
  readonly hasServiceName: boolean
}

const FIELD_1 = 0x0a
const FIELD_2 = 0x12
const FIELD_3 = 0x1a
/** How deep maps are flattened into names. */
const maxFlattenDepth = 64

/** @throws BadRequest, TooLarge */
export function decodeOtlp(body: Buffer, options: OtlpOptions): PushColumns {
  return new OtlpDecoder(body, options).decode()
}

/** Pairs of a resource or scope, as ranges: name start, name end, value start, value end. */
type Pairs = number[]
type Source = { readonly labels: Map<string, string>; readonly pairs: Pairs }

class OtlpDecoder {
  readonly #body: Buffer
  readonly #options: OtlpOptions
  readonly #cursor: ProtobufCursor
  readonly #columns: PushColumnsBuilder
  readonly #arena: TextArena
  readonly #streams = new Map<string, number>()
  readonly #record = new LogRecord()
  /** Ranges of names that we give ourselves. */
  readonly #names = new Map<string, readonly [start: number, end: number]>()

  constructor(body: Buffer, options: OtlpOptions) {
    this.#body = body
    this.#options = options
    this.#cursor = new ProtobufCursor(body)
    this.#columns = new PushColumnsBuilder(body.length)
    this.#arena = new TextArena(body.length)
  }

  decode(): PushColumns {
    this.#eachField(this.#body.length, FIELD_1, (end) => this.#resourceLogs(end))
    const bytes = this.#arena.appendTo(this.#body)
    return this.#columns.build({ format: 'otlp', syntax: 'selector', bytes, pairBytes: bytes })
  }

  /** Fields may come in any order: the resource is read before the records, wherever it stands. */
  #resourceLogs(end: number): void {
    const start = this.#cursor.at
    const resource: Source = { labels: new Map(), pairs: [] }
    this.#eachField(end, FIELD_1, (resourceEnd) => {
      this.#eachField(resourceEnd, FIELD_1, (pairEnd) => {
        this.#attribute(readKeyValue(this.#cursor, pairEnd), this.#options.rules.resource, resource)
      })
    })
    if (resource.labels.size === 0 && this.#options.hasServiceName)
      resource.labels.set('service_name', 'unknown_service')
    this.#cursor.at = start
    let stream = -1
    this.#eachField(end, FIELD_2, (scopeEnd) => {
      this.#scopeLogs(scopeEnd, resource, () => (stream < 0 ? (stream = this.#streamOf(resource.labels)) : stream))
    })
  }

  #scopeLogs(end: number, resource: Source, streamOfResource: () => number): void {
    const start = this.#cursor.at
    const scope: Source = { labels: new Map(), pairs: [] }
    this.#eachField(end, FIELD_1, (scopeEnd) => this.#scope(scopeEnd, scope))
    this.#cursor.at = start
    this.#eachField(end, FIELD_2, (recordEnd) => {
      readLogRecord(this.#cursor, recordEnd, this.#record)
      this.#addRecord(resource, scope, streamOfResource)
    })
  }

  #scope(end: number, scope: Source): void {
    const cursor = this.#cursor
    const outerEnd = cursor.end
    cursor.end = end
    while (cursor.at < end) {
      const tag = cursor.tag()
      if (tag === FIELD_1 || tag === FIELD_2) {
        const textEnd = cursor.enter()
        const name = this.#name(tag === FIELD_1 ? 'scope_name' : 'scope_version')
        if (textEnd > cursor.at) scope.pairs.push(...name, cursor.at, textEnd)
        cursor.at = textEnd
      } else if (tag === FIELD_3) {
        this.#attribute(readKeyValue(cursor, cursor.enter()), this.#options.rules.scope, scope)
      } else if (tag === 0x20) {
        const dropped = cursor.uint()
        if (dropped > 0) this.#textPair(scope.pairs, 'scope_dropped_attributes_count', String(dropped))
      } else {
        cursor.skip(tag)
      }
    }
    cursor.end = outerEnd
  }

  #addRecord(resource: Source, scope: Source, streamOfResource: () => number): void {
    const record = this.#record
    const { rules } = this.#options
    const own: Source = { labels: new Map(), pairs: [] }
    for (let index = 0; index < record.attributes.length; index += 2) {
      this.#cursor.at = record.attributes[index]!
      const pair = readKeyValue(this.#cursor, record.attributes[index + 1]!)
      const isEventName = record.eventNameEnd > record.eventNameStart && this.#keyIs(pair, 'event_name')
      if (!isEventName) this.#attribute(pair, rules.log, own)
    }
    this.#builtIns(own.pairs)
    if (rules.severityTextAsLabel && record.severityTextEnd > record.severityTextStart) {
      const text = this.#body.toString('utf8', record.severityTextStart, record.severityTextEnd)
      own.labels.set('severity_text', text)
    }
    const stream =
      own.labels.size === 0 ? streamOfResource() : this.#streamOf(new Map([...resource.labels, ...own.labels]))
    this.#addPairs(own.pairs)
    this.#addPairs(resource.pairs)
    this.#addPairs(scope.pairs)
    const { tag } = record.body
    let { start, end } = record.body
    if (tag !== ANY_STRING) {
      this.#arena.addText(tag === 0 ? '' : textOf(this.#cursor, record.body))
      ;({ start, end } = this.#arena)
    }
    this.#addRow(stream, start, end)
  }

  #addRow(stream: number, start: number, end: number): void {
    const { time, observedTime } = this.#record
    const stamp = time.isZero ? observedTime : time
    if (stamp.isZero) {
      const { nowNs } = this.#options
      this.#columns.addRow(stream, dayOf(nowNs), timeInDay(nowNs), start, end)
    } else {
      this.#columns.addRow(stream, stamp.day, stamp.timeInDay, start, end)
    }
  }

  /** Fields of the record that become structured metadata. */
  #builtIns(pairs: Pairs): void {
    const record = this.#record
    const { time, observedTime } = record
    if (!time.isZero && !observedTime.isZero) this.#textPair(pairs, 'observed_timestamp', observedTime.toString())
    if (record.severityNumber !== 0) this.#textPair(pairs, 'severity_number', String(record.severityNumber))
    if (record.severityTextEnd > record.severityTextStart) {
      pairs.push(...this.#name('severity_text'), record.severityTextStart, record.severityTextEnd)
    }
    if (record.dropped !== 0) this.#textPair(pairs, 'dropped_attributes_count', String(record.dropped))
    if (record.flags !== 0) this.#textPair(pairs, 'flags', String(record.flags))
    this.#hexPair(pairs, 'trace_id', record.traceIdStart, record.traceIdEnd)
    this.#hexPair(pairs, 'span_id', record.spanIdStart, record.spanIdEnd)
    if (record.eventNameEnd > record.eventNameStart) {
      pairs.push(...this.#name('event_name'), record.eventNameStart, record.eventNameEnd)
    }
  }

  /** Does with an attribute what the rules say. */
  #attribute(pair: KeyValue, rules: AttributeRules, into: Source): void {
    const needsKey = !rules.isEmpty || pair.value.tag === ANY_MAP
    const key = needsKey ? this.#body.toString('utf8', pair.keyStart, pair.keyEnd) : ''
    const action = rules.isEmpty ? 'structured_metadata' : rules.actionOf(key)
    if (action === 'drop') return
    if (pair.value.tag === ANY_MAP) {
      this.#flatten(key, pair.value, 0, (name, value) => {
        if (action === 'index_label') into.labels.set(normalizeMetadataName(name), value)
        else this.#textPair(into.pairs, name, value)
      })
    } else if (action === 'index_label') {
      into.labels.set(normalizeMetadataName(key), this.#text(pair.value))
    } else if (pair.value.tag === ANY_STRING) {
      into.pairs.push(pair.keyStart, pair.keyEnd, pair.value.start, pair.value.end)
    } else {
      this.#arena.addText(this.#text(pair.value))
      into.pairs.push(pair.keyStart, pair.keyEnd, this.#arena.start, this.#arena.end)
    }
  }

  /** A map's members, under names joined by `_`. */
  #flatten(prefix: string, field: AnyField, depth: number, add: (name: string, value: string) => void): void {
    if (depth > maxFlattenDepth) throw new BadRequest(`attributes nested deeper than ${maxFlattenDepth} levels`)
    const members = listOf(this.#cursor, field, (end) => readKeyValue(this.#cursor, end))
    for (const member of members) {
      const name = `${prefix}_${this.#body.toString('utf8', member.keyStart, member.keyEnd)}`
      if (member.value.tag === ANY_MAP) this.#flatten(name, member.value, depth + 1, add)
      else add(name, this.#text(member.value))
    }
  }

  #text(field: AnyField): string {
    return field.tag === ANY_STRING ? this.#body.toString('utf8', field.start, field.end) : textOf(this.#cursor, field)
  }

  #keyIs(pair: KeyValue, name: string): boolean {
    return (
      pair.keyEnd - pair.keyStart === name.length && this.#body.toString('latin1', pair.keyStart, pair.keyEnd) === name
    )
  }

  #streamOf(labels: ReadonlyMap<string, string>): number {
    const text = formatLabels([...labels].filter(([, value]) => value !== ''))
    let stream = this.#streams.get(text)
    if (stream === undefined) {
      stream = this.#columns.addStream()
      const bytes = Buffer.from(text)
      this.#columns.setStream(stream, bytes, 0, bytes.length)
      this.#streams.set(text, stream)
    }
    return stream
  }

  /** Range of a name; written once per push. */
  #name(name: string): readonly [start: number, end: number] {
    let range = this.#names.get(name)
    if (range === undefined) {
      this.#arena.addText(name)
      range = [this.#arena.start, this.#arena.end]
      // names of flattened maps are the client's, and may be any number
      if (this.#names.size < 1024) this.#names.set(name, range)
    }
    return range
  }

  #textPair(pairs: Pairs, name: string, value: string): void {
    const range = this.#name(name)
    this.#arena.addText(value)
    pairs.push(...range, this.#arena.start, this.#arena.end)
  }

  #hexPair(pairs: Pairs, name: string, start: number, end: number): void {
    if (start === end) return
    const range = this.#name(name)
    this.#arena.addHex(this.#body, start, end)
    pairs.push(...range, this.#arena.start, this.#arena.end)
  }

  #addPairs(pairs: Pairs): void {
    for (let at = 0; at < pairs.length; at += 4) {
      this.#columns.addPair(pairs[at]!, pairs[at + 1]!, pairs[at + 2]!, pairs[at + 3]!)
    }
  }

  /** Calls `read` with the end of each length-delimited field `wanted` of the message up to `end`; the others are skipped. */
  #eachField(end: number, wanted: number, read: (fieldEnd: number) => void): void {
    const cursor = this.#cursor
    const outerEnd = cursor.end
    cursor.end = end
    while (cursor.at < end) {
      const tag = cursor.tag()
      if (tag === wanted) {
        const fieldEnd = cursor.enter()
        read(fieldEnd)
        cursor.at = fieldEnd
      } else {
        cursor.skip(tag)
      }
    }
    cursor.end = outerEnd
  }
}

/**
 * Turns decoded columns into an `EntryBatch`: refuses what breaks a rule, cuts what is too long, gives every row its level. The
 * columns are reused: kept row `k` is written over row `k`, which has been read before, so nothing is allocated per row.
 *
 * Order of checks for a row: its stream (labels, enforced labels, block), age, line size, structured metadata.
 */
import type { GenericFields } from './generic-fields.ts'
import { GroupedErrors } from './grouped-errors.ts'
import type { LevelDetector } from './level-detector.ts'
import { MetaEncoder } from './meta-encoder.ts'
import { PushTally } from './push-metrics.ts'
import { goTime, refusalTexts, type Moment } from './refusal-texts.ts'
import { resolveStream, type StreamRules } from './resolve-stream.ts'
import type { KnownStream, StreamTraits, TenantStreams } from './stream-cache.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { Limits } from '#/logs/limits.ts'
import { dayOf, NS_PER_DAY, timeInDay } from '#/logs/model/day.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import { hashText } from '#/storage/index/text-hash.ts'
import { type HashedTexts, textAt, TextList, textStart, TextTable } from '#/storage/index/text-table.ts'

export type BatchContext = {
  readonly tenant: string
  readonly limits: Limits
  readonly nowNs: bigint
  readonly detector: LevelDetector
  readonly genericFields: GenericFields
  /** Backfills may be as old as they like. */
  readonly isBackfill: boolean
  readonly known: TenantStreams
  /** For streams that are not known. */
  readonly rules: StreamRules
}

export type BuiltBatch = {
  readonly batch: EntryBatch
  readonly errors: GroupedErrors
  /** Status of the answer when something was refused: 400, or the one of a block. */
  readonly errorStatus: number
  /** Bytes of lines and metadata that count against the rate. */
  readonly bytes: number
  readonly tallies: readonly PushTally[]
  readonly truncated: { readonly lines: number; readonly bytes: number }
}

/** What rows of streams with the same traits share within one push. */
type Target = {
  readonly traits: StreamTraits
  readonly tally: PushTally
  readonly block: { readonly reason: string; readonly message: string } | undefined
  readonly isRefused: boolean
}

/** For `increment_duplicate_timestamp`: the last row's time as it came and as it was kept, and its line. */
type LastRow = {
  sentDay: number
  sentTime: number
  keptDay: number
  keptTime: number
  lineStart: number
  lineLength: number
}

export class BatchBuilder {
  readonly #columns: PushColumns
  readonly #context: BatchContext
  readonly #meta: MetaEncoder
  readonly #errors = new GroupedErrors()
  #errorStatus = 400
  /** Canonical texts of streams that are not refused, in order of arrival. */
  readonly #streams: TextTable
  /** By number in `#streams`: 1 once a row is kept. */
  readonly #isUsed: Uint8Array
  readonly #sentView: DataView
  /** By the stream's place in the push. */
  readonly #targets: (Target | undefined)[]
  readonly #numbers: Int32Array
  readonly #targetOf = new Map<StreamTraits, Target>()
  /** Of the stream before. */
  #target: Target | undefined
  readonly #lastRows: (LastRow | undefined)[] = []
  readonly #tallies = new Map<string, PushTally>()
  /** Of the stream before. */
  #tally: PushTally | undefined
  #text = { number: -1, text: '' }
  readonly #oldest: Moment | undefined
  readonly #newest: Moment
  /** Ends of lines that were cut, which come behind the body. */
  readonly #appended: Buffer[] = []
  #appendedBytes = 0
  readonly #truncated = { lines: 0, bytes: 0 }
  #kept = 0
  #keptBytes = 0

  constructor(columns: PushColumns, context: BatchContext) {
    const { limits, nowNs } = context
    this.#columns = columns
    this.#context = context
    const { length, bytes } = columns.streams
    this.#streams = new TextTable({ texts: length, bytes: Math.ceil(bytes.length * 1.25) })
    this.#isUsed = new Uint8Array(length)
    this.#sentView = asDataView(bytes)
    this.#targets = Array(length).fill(undefined)
    this.#numbers = new Int32Array(length).fill(-1)
    const hasLevels = limits.discover_log_levels && limits.allow_structured_metadata
    this.#meta = new MetaEncoder(columns, hasLevels ? limits.log_level_fields : undefined)
    const isAgeLimited = limits.reject_old_samples && !context.isBackfill
    this.#oldest = isAgeLimited ? momentOf(nowNs - msToNs(limits.reject_old_samples_max_age)) : undefined
    this.#newest = momentOf(nowNs + msToNs(limits.creation_grace_period))
  }

  build(): BuiltBatch {
    const { rowCount, stream } = this.#columns
    let current = -1
    let target: Target | undefined
    for (let row = 0; row < rowCount; row++) {
      const raw = stream[row]!
      if (raw !== current || target === undefined) {
        current = raw
        target = this.#targets[raw] ??= this.#meet(raw)
      }
      this.#addRow(row, target, this.#numbers[raw]!)
    }
    return {
      batch: this.#batch(),
      errors: this.#errors,
      errorStatus: this.#errorStatus,
      bytes: this.#keptBytes,
      tallies: [...this.#tallies.values()],
      truncated: this.#truncated,
    }
  }

  #batch(): EntryBatch {
    const { stream, day, time, bytes, lineStart, lineLength, pairStart, pairCount } = this.#columns
    return {
      rowCount: this.#kept,
      streams: this.#usedStreams(),
      stream,
      day,
      time,
      bytes: this.#appended.length === 0 ? bytes : Buffer.concat([bytes, ...this.#appended]),
      lineStart,
      lineLength,
      meta: this.#meta.finish(),
      metaStart: pairStart,
      metaLength: pairCount,
      metaNames: this.#meta.names,
    }
  }

  /** The streams that have rows; rows learn their new places where others drop out. */
  #usedStreams(): HashedTexts {
    const { texts } = this.#streams
    const isUsed = this.#isUsed
    if (isUsed.indexOf(0) < 0 || isUsed.indexOf(0) >= texts.length) return texts
    const used = new TextList()
    const places = new Uint32Array(texts.length)
    for (let number = 0; number < texts.length; number++) {
      if (isUsed[number] === 0) continue
      places[number] = used.add(texts.hashes[number]!, texts.view, textStart(texts, number), texts.ends[number]!)
    }
    const { stream } = this.#columns
    for (let row = 0; row < this.#kept; row++) stream[row] = places[stream[row]!]!
    return used
  }

  /** Called once for each stream of the push that has a row. */
  #meet(raw: number): Target {
    const known = this.#known(raw)
    const { traits, texts, number } = known
    let target = this.#target
    if (target?.traits !== traits) this.#target = target = this.#targetOf.get(traits) ?? this.#newTarget(traits)
    if (target.isRefused) {
      this.#noteStreamError(target)
      return target
    }
    const hash = texts.hashes[number]!
    const start = textStart(texts, number)
    const end = texts.ends[number]!
    const own = this.#streams.find(hash, texts.view, start, end)
    this.#numbers[raw] = own >= 0 ? own : this.#streams.add(hash, texts.view, start, end)
    return target
  }

  #known(raw: number): KnownStream {
    const { known, rules } = this.#context
    const { syntax, streams } = this.#columns
    const start = streams.start[raw]!
    const end = streams.end[raw]!
    const hash = hashText(this.#sentView, start, end)
    const found = known.find(hash, this.#sentView, start, end)
    if (found !== undefined) return found
    const stream = resolveStream(streams.bytes.toString('latin1', start, end), syntax, rules)
    return known.add(hash, this.#sentView, [start, end], stream)
  }

  #newTarget(traits: StreamTraits): Target {
    const tally = this.#tallyOf(traits)
    const block = blockOf(traits.policy, this.#context)
    const target: Target = { traits, tally, block, isRefused: traits.refusal !== undefined || block !== undefined }
    // refused streams have traits of their own
    if (traits.refusal === undefined) this.#targetOf.set(traits, target)
    return target
  }

  /** Canonical text of a stream that is not refused. */
  #textOf(number: number): string {
    if (this.#text.number !== number) this.#text = { number, text: textAt(this.#streams.texts, number) }
    return this.#text.text
  }

  /** Most streams of a push count for the tally that the stream before counted for. */
  #tallyOf({ policy, isInternal }: StreamTraits): PushTally {
    let tally = this.#tally
    if (tally?.policy === policy && tally.isInternal === isInternal) return tally
    const key = `${isInternal} ${policy}`
    tally = this.#tallies.get(key) ?? new PushTally(policy, isInternal)
    this.#tallies.set(key, tally)
    this.#tally = tally
    return tally
  }

  #noteStreamError(target: Target): void {
    const { refusal } = target.traits
    if (refusal !== undefined) return this.#errors.add(refusal.message)
    const status = this.#context.limits.block_ingestion_status_code
    // an operator who blocks with 200 wants clients to believe that all is well
    if (target.block === undefined || status === 200) return
    this.#errors.add(target.block.message)
    this.#errorStatus = status
  }

  #addRow(row: number, target: Target, stream: number): void {
    const columns = this.#columns
    const { limits } = this.#context
    let lineLength = columns.lineLength[row]!
    const metaBytes = columns.pairCount[row] === 0 ? 0 : this.#metaBytes(row)
    target.tally.receive(lineLength, metaBytes)
    if (target.isRefused) return this.#discard(target, lineLength + metaBytes)
    if (!this.#isTimely(row, target, stream, lineLength + metaBytes)) return
    const sentStart = columns.lineStart[row]!
    const sentLength = lineLength
    let lineStart = sentStart
    if (lineLength > limits.max_line_size && limits.max_line_size > 0) {
      if (!limits.max_line_size_truncate) {
        const text = (): string => refusalTexts.lineTooLong(this.#textOf(stream), sentLength, limits.max_line_size)
        this.#refuse(target, 'line_too_long', lineLength + metaBytes, text)
        return
      }
      ;[lineStart, lineLength] = this.#truncate(lineStart, lineLength)
    }
    if (metaBytes > 0 && !this.#isMetaAllowed(row, target, stream, lineLength, metaBytes)) return
    // the level is looked for in the line where it came, as the cut one may lie behind the body
    if (!this.#encodeMeta(row, target, stream, sentStart, lineLength)) return
    this.#isUsed[stream] = 1
    const kept = this.#kept++
    columns.stream[kept] = stream
    columns.day[kept] = columns.day[row]!
    columns.time[kept] = columns.time[row]!
    columns.lineStart[kept] = lineStart
    columns.lineLength[kept] = lineLength
    columns.pairStart[kept] = this.#meta.start
    columns.pairCount[kept] = this.#meta.length
    this.#keptBytes += lineLength + metaBytes
    if (limits.increment_duplicate_timestamp) this.#separate(kept, stream, sentStart, sentLength)
  }

  #metaBytes(row: number): number {
    const { pairs, pairStart, pairCount } = this.#columns
    const end = (pairStart[row]! + pairCount[row]!) * 4
    let size = 0
    for (let at = pairStart[row]! * 4; at < end; at += 4) size += pairs[at + 1]! + pairs[at + 3]!
    return size
  }

  #isTimely(row: number, target: Target, stream: number, bytes: number): boolean {
    const day = this.#columns.day[row]!
    const time = this.#columns.time[row]!
    const oldest = this.#oldest
    if (oldest !== undefined && (day < oldest.day || (day === oldest.day && time < oldest.time))) {
      const text = (): string => refusalTexts.tooOld(this.#textOf(stream), { day, time }, oldest)
      return this.#refuse(target, 'greater_than_max_sample_age', bytes, text)
    }
    const newest = this.#newest
    if (day > newest.day || (day === newest.day && time > newest.time)) {
      return this.#refuse(target, 'too_far_in_future', bytes, () =>
        refusalTexts.tooNew(this.#textOf(stream), { day, time }),
      )
    }
    return true
  }

  #isMetaAllowed(row: number, target: Target, stream: number, lineLength: number, metaBytes: number): boolean {
    const { limits } = this.#context
    const text = (): string => this.#textOf(stream)
    const bytes = lineLength + metaBytes
    if (!limits.allow_structured_metadata) {
      return this.#refuse(target, 'disallowed_structured_metadata', bytes, () =>
        refusalTexts.metadataDisallowed(text()),
      )
    }
    const maxBytes = limits.max_structured_metadata_size
    if (maxBytes > 0 && metaBytes > maxBytes) {
      const message = (): string => refusalTexts.metadataTooLarge(text(), metaBytes, maxBytes)
      return this.#refuse(target, 'structured_metadata_too_large', bytes, message)
    }
    const count = this.#columns.pairCount[row]!
    const maxCount = limits.max_structured_metadata_entries_count
    if (maxCount > 0 && count > maxCount) {
      const message = (): string => refusalTexts.metadataTooMany(text(), count, maxCount)
      return this.#refuse(target, 'structured_metadata_too_many', bytes, message)
    }
    return true
  }

  /** Encodes the row's metadata with its level; false when it was refused. */
  #encodeMeta(row: number, target: Target, stream: number, lineStart: number, lineLength: number): boolean {
    const { limits, detector, genericFields } = this.#context
    const meta = this.#meta
    const { traits } = target
    const needsLevel = limits.discover_log_levels && limits.allow_structured_metadata && !traits.isInternal
    const hasFields = limits.allow_structured_metadata && !genericFields.isEmpty && !traits.isInternal
    if (this.#columns.pairCount[row] === 0 && !hasFields) {
      if (!needsLevel) meta.setNothing()
      else if (traits.level !== undefined) meta.setLevel(traits.level)
      else meta.setLevelCode(detector.detect(this.#columns.bytes, lineStart, lineStart + lineLength))
      return true
    }
    try {
      meta.openRow(row)
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      meta.abandonRow()
      const { message } = error
      return this.#refuse(target, 'invalid_structured_metadata', lineLength, () => message)
    }
    if (hasFields) {
      const add = (name: string, value: string): void => meta.addText(row, name, value)
      genericFields.discover(this.#columns, row, this.#textOf(stream), add)
    }
    const level = traits.level ?? meta.rowLevel
    if (!needsLevel || meta.hasDetected) meta.closeRow(undefined)
    else if (level !== undefined) meta.closeRow(level)
    else meta.closeDetected(detector.detect(this.#columns.bytes, lineStart, lineStart + lineLength))
    return true
  }

  /** Cuts a line to the limit, not inside of a character; the identifier counts as part of it. */
  #truncate(start: number, length: number): [start: number, length: number] {
    const { max_line_size: limit, max_line_size_truncate_identifier: identifier } = this.#context.limits
    const { bytes } = this.#columns
    const suffix = Buffer.from(identifier).subarray(0, limit)
    let keep = limit - suffix.length
    while (keep > 0 && keep > limit - suffix.length - 3 && (bytes[start + keep]! & 0xc0) === 0x80) keep--
    this.#truncated.lines++
    this.#truncated.bytes += length - keep - suffix.length
    if (suffix.length === 0) return [start, keep]
    const position = bytes.length + this.#appendedBytes
    this.#appended.push(bytes.subarray(start, start + keep), suffix)
    this.#appendedBytes += keep + suffix.length
    return [position, keep + suffix.length]
  }

  /**
   * `increment_duplicate_timestamp`: another line at the time of the row before it moves behind that row by 1 ns. `start` and
   * `length` are the line as it was sent.
   */
  #separate(row: number, stream: number, start: number, length: number): void {
    const { day, time, bytes } = this.#columns
    const last = (this.#lastRows[stream] ??= neverRow())
    const sentDay = day[row]!
    const sentTime = time[row]!
    const isSameTime =
      (sentDay === last.sentDay && sentTime === last.sentTime) ||
      (sentDay === last.keptDay && sentTime === last.keptTime)
    const isSameLine =
      length === last.lineLength &&
      bytes.compare(bytes, start, start + length, last.lineStart, last.lineStart + length) === 0
    if (isSameTime) {
      // an equal line goes with its twin, so that it is seen to be a duplicate
      const next = isSameLine ? last.keptTime : last.keptTime + 1
      day[row] = next === NS_PER_DAY ? last.keptDay + 1 : last.keptDay
      time[row] = next === NS_PER_DAY ? 0 : next
    } else {
      last.sentDay = sentDay
      last.sentTime = sentTime
    }
    last.keptDay = day[row]!
    last.keptTime = time[row]!
    last.lineStart = start
    last.lineLength = length
  }

  /** Counts a refused row; its stream's error was noted when the stream was first met. */
  #discard(target: Target, bytes: number): void {
    const cause = target.traits.refusal ?? target.block
    if (cause !== undefined) target.tally.discard(cause.reason, 1, bytes)
  }

  /** Notes the error of a row. Always false: the row is not kept. */
  #refuse(target: Target, reason: string, bytes: number, message: () => string): false {
    target.tally.discard(reason, 1, bytes)
    if (this.#errors.isFull) this.#errors.count()
    else this.#errors.add(message())
    return false
  }
}

function neverRow(): LastRow {
  const never = Number.NaN
  return { sentDay: never, sentTime: never, keptDay: never, keptTime: never, lineStart: 0, lineLength: 0 }
}

function msToNs(ms: number): bigint {
  return BigInt(Math.round(ms)) * 1_000_000n
}

function momentOf(ns: bigint): Moment {
  return { day: dayOf(ns), time: timeInDay(ns) }
}

/** Why the streams of `policy` are refused now, if an operator has blocked them. */
function blockOf(policy: string, { limits, nowNs, tenant }: BatchContext): Target['block'] {
  const policyUntilMs = limits.block_ingestion_policy_until[policy] ?? 0
  const isPolicy = nowNs < msToNs(policyUntilMs)
  const untilMs = isPolicy ? policyUntilMs : limits.block_ingestion_until
  if (nowNs >= msToNs(untilMs)) return undefined
  const who = isPolicy ? `user '${tenant}' (policy: '${policy}')` : `user '${tenant}'`
  const until = goTime(momentOf(msToNs(untilMs)))
  return {
    reason: isPolicy ? 'blocked_ingestion_policy' : 'blocked_ingestion',
    message: `ingestion blocked for ${who} until '${until}' with status code '${limits.block_ingestion_status_code}'`,
  }
}

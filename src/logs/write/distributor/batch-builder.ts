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
import { PushStreams, uint32Of } from './push-streams.ts'
import { goTime, refusalTexts, type Moment } from './refusal-texts.ts'
import type { StreamRules } from './resolve-stream.ts'
import type { StreamTraits, TenantStreams } from './stream-cache.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { Limits } from '#/logs/limits.ts'
import { dayOf, NS_PER_DAY, timeInDay } from '#/logs/model/day.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import { textAt } from '#/storage/index/text-table.ts'

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
  readonly #streams: PushStreams
  /** By the stream's place in the push: 1 + its target, 0 before it is met, and its place in the batch. */
  readonly #targetNumbers: Uint32Array
  readonly #numbers: Uint32Array
  readonly #targets: Target[] = []
  readonly #targetOf = new Map<StreamTraits, number>()
  /** Of the stream before. */
  #target = -1
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
    const { memory, streams } = columns
    this.#streams = new PushStreams(columns, context.known, context.rules)
    this.#targetNumbers = uint32Of(memory, streams.length).fill(0)
    this.#numbers = uint32Of(memory, streams.length)
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
        if (this.#targetNumbers[raw] === 0) this.#targetNumbers[raw] = 1 + this.#meet(raw)
        target = this.#targets[this.#targetNumbers[raw]! - 1]!
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
      streams: this.#streams.used(stream, this.#kept),
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

  /** Called once for each stream of the push that has a row. Returns the number of its target. */
  #meet(raw: number): number {
    const stream = this.#streams.find(raw)
    const traits = this.#context.known.traitsOf(stream)
    if (this.#target < 0 || this.#targets[this.#target]!.traits !== traits) {
      this.#target = this.#targetOf.get(traits) ?? this.#newTarget(traits)
    }
    const target = this.#targets[this.#target]!
    if (target.isRefused) this.#noteStreamError(target)
    else this.#numbers[raw] = this.#streams.placeOf(stream)
    return this.#target
  }

  #newTarget(traits: StreamTraits): number {
    const tally = this.#tallyOf(traits)
    const block = blockOf(traits.policy, this.#context)
    const isRefused = traits.refusal !== undefined || block !== undefined
    const target = this.#targets.push({ traits, tally, block, isRefused }) - 1
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

  // Texts of refusals are made in functions of their own: what a closure takes with it would be an object for every row.

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
      if (!limits.max_line_size_truncate) return this.#refuseLine(target, stream, lineLength, metaBytes)
      ;[lineStart, lineLength] = this.#truncate(lineStart, lineLength)
    }
    if (metaBytes > 0 && !this.#isMetaAllowed(row, metaBytes)) {
      return this.#refuseMeta(row, target, stream, lineLength, metaBytes)
    }
    // the level is looked for in the line where it came, as the cut one may lie behind the body
    if (!this.#encodeMeta(row, target, stream, sentStart, lineLength)) return
    this.#streams.keep(stream)
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

  #refuseLine(target: Target, stream: number, lineLength: number, metaBytes: number): void {
    const { max_line_size: limit } = this.#context.limits
    this.#refuse(target, 'line_too_long', lineLength + metaBytes, () =>
      refusalTexts.lineTooLong(this.#textOf(stream), lineLength, limit),
    )
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
    const isOld = oldest !== undefined && (day < oldest.day || (day === oldest.day && time < oldest.time))
    if (isOld) return this.#refuseOld(row, target, stream, bytes)
    const newest = this.#newest
    const isNew = day > newest.day || (day === newest.day && time > newest.time)
    return isNew ? this.#refuseNew(row, target, stream, bytes) : true
  }

  #refuseOld(row: number, target: Target, stream: number, bytes: number): false {
    return this.#refuse(target, 'greater_than_max_sample_age', bytes, () =>
      refusalTexts.tooOld(this.#textOf(stream), this.#momentOf(row), this.#oldest!),
    )
  }

  #refuseNew(row: number, target: Target, stream: number, bytes: number): false {
    return this.#refuse(target, 'too_far_in_future', bytes, () =>
      refusalTexts.tooNew(this.#textOf(stream), this.#momentOf(row)),
    )
  }

  #momentOf(row: number): Moment {
    return { day: this.#columns.day[row]!, time: this.#columns.time[row]! }
  }

  #isMetaAllowed(row: number, metaBytes: number): boolean {
    const { limits } = this.#context
    const maxBytes = limits.max_structured_metadata_size
    const maxCount = limits.max_structured_metadata_entries_count
    if (!limits.allow_structured_metadata || (maxBytes > 0 && metaBytes > maxBytes)) return false
    return maxCount <= 0 || this.#columns.pairCount[row]! <= maxCount
  }

  /** Of a row whose metadata is not allowed. */
  #refuseMeta(row: number, target: Target, stream: number, lineLength: number, metaBytes: number): void {
    const { limits } = this.#context
    const text = (): string => this.#textOf(stream)
    const bytes = lineLength + metaBytes
    if (!limits.allow_structured_metadata) {
      this.#refuse(target, 'disallowed_structured_metadata', bytes, () => refusalTexts.metadataDisallowed(text()))
      return
    }
    const maxBytes = limits.max_structured_metadata_size
    if (maxBytes > 0 && metaBytes > maxBytes) {
      const message = (): string => refusalTexts.metadataTooLarge(text(), metaBytes, maxBytes)
      this.#refuse(target, 'structured_metadata_too_large', bytes, message)
      return
    }
    const count = this.#columns.pairCount[row]!
    const maxCount = limits.max_structured_metadata_entries_count
    const message = (): string => refusalTexts.metadataTooMany(text(), count, maxCount)
    this.#refuse(target, 'structured_metadata_too_many', bytes, message)
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
      return this.#refuse(target, 'invalid_structured_metadata', lineLength, () => error.message)
    }
    if (hasFields) this.#addFields(row, stream)
    const level = traits.level ?? meta.rowLevel
    if (!needsLevel || meta.hasDetected) meta.closeRow(undefined)
    else if (level !== undefined) meta.closeRow(level)
    else meta.closeDetected(detector.detect(this.#columns.bytes, lineStart, lineStart + lineLength))
    return true
  }

  #addFields(row: number, stream: number): void {
    const meta = this.#meta
    const add = (name: string, value: string): void => meta.addText(row, name, value)
    this.#context.genericFields.discover(this.#columns, row, this.#textOf(stream), add)
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

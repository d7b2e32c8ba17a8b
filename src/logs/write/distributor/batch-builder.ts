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
import type { ResolvedStream } from './resolve-stream.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { Limits } from '#/logs/limits.ts'
import { dayOf, NS_PER_DAY, timeInDay } from '#/logs/model/day.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'

export type BatchContext = {
  readonly tenant: string
  readonly limits: Limits
  readonly nowNs: bigint
  readonly detector: LevelDetector
  readonly genericFields: GenericFields
  /** Backfills may be as old as they like. */
  readonly isBackfill: boolean
  readonly resolve: (raw: string) => ResolvedStream
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

/** A stream within one push. */
type Target = {
  readonly stream: ResolvedStream
  readonly tally: PushTally
  readonly block: { readonly reason: string; readonly message: string } | undefined
  readonly isRefused: boolean
  /** Place in the batch's streams; -1 until a row is kept. */
  position: number
  /** For `increment_duplicate_timestamp`: the last row's time as it came and as it was kept, and its line. */
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
  readonly #streams: string[] = []
  readonly #targets: (Target | undefined)[] = []
  readonly #targetOfText = new Map<string, Target>()
  readonly #tallies = new Map<string, PushTally>()
  /** Of the stream before. */
  #tally: PushTally | undefined
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
        target = this.#targets[raw] ??= this.#targetOf(raw)
      }
      this.#addRow(row, target)
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
      streams: this.#streams,
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

  /** Called once for each stream of the push that has a row. */
  #targetOf(raw: number): Target {
    const stream = this.#context.resolve(this.#columns.streams[raw]!)
    const known = this.#targetOfText.get(stream.text)
    const isKnown = known !== undefined && known.stream.refusal?.message === stream.refusal?.message
    const target = isKnown ? known : this.#newTarget(stream)
    if (target.isRefused) this.#noteStreamError(target)
    return target
  }

  #newTarget(stream: ResolvedStream): Target {
    const tally = this.#tallyOf(stream)
    const block = blockOf(stream.policy, this.#context)
    const isRefused = stream.refusal !== undefined || block !== undefined
    const never = Number.NaN
    const target: Target = {
      stream,
      tally,
      block,
      isRefused,
      position: -1,
      sentDay: never,
      sentTime: never,
      keptDay: never,
      keptTime: never,
      lineStart: 0,
      lineLength: 0,
    }
    this.#targetOfText.set(stream.text, target)
    return target
  }

  /** Most streams of a push count for the tally that the stream before counted for. */
  #tallyOf({ policy, isInternal }: ResolvedStream): PushTally {
    let tally = this.#tally
    if (tally?.policy === policy && tally.isInternal === isInternal) return tally
    const key = `${isInternal} ${policy}`
    tally = this.#tallies.get(key) ?? new PushTally(policy, isInternal)
    this.#tallies.set(key, tally)
    this.#tally = tally
    return tally
  }

  #noteStreamError(target: Target): void {
    if (target.stream.refusal !== undefined) return this.#errors.add(target.stream.refusal.message)
    const status = this.#context.limits.block_ingestion_status_code
    // an operator who blocks with 200 wants clients to believe that all is well
    if (target.block === undefined || status === 200) return
    this.#errors.add(target.block.message)
    this.#errorStatus = status
  }

  #addRow(row: number, target: Target): void {
    const columns = this.#columns
    const { limits } = this.#context
    let lineLength = columns.lineLength[row]!
    const metaBytes = columns.pairCount[row] === 0 ? 0 : this.#metaBytes(row)
    target.tally.receive(lineLength, metaBytes)
    const { stream } = target
    if (target.isRefused) return this.#discard(target, lineLength + metaBytes)
    if (!this.#isTimely(row, target, lineLength + metaBytes)) return
    const sentStart = columns.lineStart[row]!
    const sentLength = lineLength
    let lineStart = sentStart
    if (lineLength > limits.max_line_size && limits.max_line_size > 0) {
      if (!limits.max_line_size_truncate) {
        const text = (): string => refusalTexts.lineTooLong(stream.text, sentLength, limits.max_line_size)
        this.#refuse(target, 'line_too_long', lineLength + metaBytes, text)
        return
      }
      ;[lineStart, lineLength] = this.#truncate(lineStart, lineLength)
    }
    if (metaBytes > 0 && !this.#isMetaAllowed(row, target, lineLength, metaBytes)) return
    // the level is looked for in the line where it came, as the cut one may lie behind the body
    if (!this.#encodeMeta(row, target, sentStart, lineLength)) return
    if (target.position < 0) target.position = this.#streams.push(stream.text) - 1
    const kept = this.#kept++
    columns.stream[kept] = target.position
    columns.day[kept] = columns.day[row]!
    columns.time[kept] = columns.time[row]!
    columns.lineStart[kept] = lineStart
    columns.lineLength[kept] = lineLength
    columns.pairStart[kept] = this.#meta.start
    columns.pairCount[kept] = this.#meta.length
    this.#keptBytes += lineLength + metaBytes
    if (limits.increment_duplicate_timestamp) this.#separate(kept, target, sentStart, sentLength)
  }

  #metaBytes(row: number): number {
    const { pairs, pairStart, pairCount } = this.#columns
    const end = (pairStart[row]! + pairCount[row]!) * 4
    let size = 0
    for (let at = pairStart[row]! * 4; at < end; at += 4) size += pairs[at + 1]! + pairs[at + 3]!
    return size
  }

  #isTimely(row: number, target: Target, bytes: number): boolean {
    const day = this.#columns.day[row]!
    const time = this.#columns.time[row]!
    const oldest = this.#oldest
    if (oldest !== undefined && (day < oldest.day || (day === oldest.day && time < oldest.time))) {
      const text = (): string => refusalTexts.tooOld(target.stream.text, { day, time }, oldest)
      return this.#refuse(target, 'greater_than_max_sample_age', bytes, text)
    }
    const newest = this.#newest
    if (day > newest.day || (day === newest.day && time > newest.time)) {
      return this.#refuse(target, 'too_far_in_future', bytes, () =>
        refusalTexts.tooNew(target.stream.text, { day, time }),
      )
    }
    return true
  }

  #isMetaAllowed(row: number, target: Target, lineLength: number, metaBytes: number): boolean {
    const { limits } = this.#context
    const { text } = target.stream
    const bytes = lineLength + metaBytes
    if (!limits.allow_structured_metadata) {
      return this.#refuse(target, 'disallowed_structured_metadata', bytes, () => refusalTexts.metadataDisallowed(text))
    }
    const maxBytes = limits.max_structured_metadata_size
    if (maxBytes > 0 && metaBytes > maxBytes) {
      const message = (): string => refusalTexts.metadataTooLarge(text, metaBytes, maxBytes)
      return this.#refuse(target, 'structured_metadata_too_large', bytes, message)
    }
    const count = this.#columns.pairCount[row]!
    const maxCount = limits.max_structured_metadata_entries_count
    if (maxCount > 0 && count > maxCount) {
      const message = (): string => refusalTexts.metadataTooMany(text, count, maxCount)
      return this.#refuse(target, 'structured_metadata_too_many', bytes, message)
    }
    return true
  }

  /** Encodes the row's metadata with its level; false when it was refused. */
  #encodeMeta(row: number, target: Target, lineStart: number, lineLength: number): boolean {
    const { limits, detector, genericFields } = this.#context
    const meta = this.#meta
    const { stream } = target
    const needsLevel = limits.discover_log_levels && limits.allow_structured_metadata && !stream.isInternal
    const hasFields = limits.allow_structured_metadata && !genericFields.isEmpty && !stream.isInternal
    if (this.#columns.pairCount[row] === 0 && !hasFields) {
      if (!needsLevel) meta.setNothing()
      else if (stream.level !== undefined) meta.setLevel(stream.level)
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
    if (hasFields) genericFields.discover(this.#columns, row, stream, (name, value) => meta.addText(row, name, value))
    const level = stream.level ?? meta.rowLevel
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
  #separate(row: number, target: Target, start: number, length: number): void {
    const { day, time, bytes } = this.#columns
    const sentDay = day[row]!
    const sentTime = time[row]!
    const isSameTime =
      (sentDay === target.sentDay && sentTime === target.sentTime) ||
      (sentDay === target.keptDay && sentTime === target.keptTime)
    const isSameLine =
      length === target.lineLength &&
      bytes.compare(bytes, start, start + length, target.lineStart, target.lineStart + length) === 0
    if (isSameTime) {
      // an equal line goes with its twin, so that it is seen to be a duplicate
      const next = isSameLine ? target.keptTime : target.keptTime + 1
      day[row] = next === NS_PER_DAY ? target.keptDay + 1 : target.keptDay
      time[row] = next === NS_PER_DAY ? 0 : next
    } else {
      target.sentDay = sentDay
      target.sentTime = sentTime
    }
    target.keptDay = day[row]!
    target.keptTime = time[row]!
    target.lineStart = start
    target.lineLength = length
  }

  /** Counts a refused row; its stream's error was noted when the stream was first met. */
  #discard(target: Target, bytes: number): void {
    const cause = target.stream.refusal ?? target.block
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

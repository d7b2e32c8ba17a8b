/**
 * The limits that only an ingester can judge: how many streams a tenant has, and how fast each one grows. They are applied before
 * the WAL, so what is refused is never stored.
 */
import { selectRows } from './select-rows.ts'
import type { StreamRegistry } from './stream-registry.ts'
import { formatByteSize } from '#/kernel/byte-size.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { RefusedRows } from '#/logs/wire/head-view.ts'
import { scanLabels } from '#/storage/index/scan-labels.ts'
import { type HashedTexts, textAt, textStart } from '#/storage/index/text-table.ts'

/** The fields of a tenant's limits that count here; 0 is no limit. */
export type IngesterLimits = {
  readonly max_streams_per_user: number
  readonly max_global_streams_per_user: number
  /** Bytes per second. */
  readonly per_stream_rate_limit: number
  readonly per_stream_rate_limit_burst: number
}

export type AdmitContext = {
  readonly tenant: string
  readonly registry: StreamRegistry
  readonly limits: IngesterLimits
  readonly nowMs: number
}

export type Admission = { readonly batch: EntryBatch; readonly refused: readonly RefusedRows[] }

/** Most refused entries of a stream that are named one by one, Loki's `max_returned_stream_errors`. */
const MAX_NAMED_ENTRIES = 10

/** What of `batch` may be stored. Takes the accepted bytes out of the streams' buckets. */
export function admit(batch: EntryBatch, context: AdmitContext): Admission {
  const bytes = bytesPerStream(batch)
  let judges: (StreamJudge | undefined)[] | undefined
  let fetched = 0
  for (let position = 0; position < bytes.length; position++) {
    if (position === fetched) fetched = context.registry.fetch(batch.streams.hashes, position, bytes.length)
    if (bytes[position]! < 0) continue
    const judge = judgeStream(batch.streams, position, bytes[position]!, context)
    if (judge !== undefined) (judges ??= Array(bytes.length).fill(undefined))[position] = judge
  }
  if (judges === undefined) return { batch, refused: [] }
  const kept: number[] = []
  for (let row = 0; row < batch.rowCount; row++) {
    const judge = judges[batch.stream[row]!]
    if (judge === undefined || judge.allows(batch, row)) kept.push(row)
  }
  const refused = judges.flatMap((judge) => (judge === undefined ? [] : judge.refused(context.tenant)))
  return { batch: selectRows(batch, kept), refused }
}

/** Bytes of lines and metadata of each stream; -1 for a stream without rows. */
function bytesPerStream({ rowCount, streams, stream, lineLength, metaLength }: EntryBatch): Float64Array {
  const bytes = new Float64Array(streams.length).fill(-1)
  for (let row = 0; row < rowCount; row++) {
    const position = stream[row]!
    bytes[position] = Math.max(0, bytes[position]!) + lineLength[row]! + metaLength[row]!
  }
  return bytes
}

/** Decides about the rows of one stream where they may not all be stored. */
interface StreamJudge {
  allows(batch: EntryBatch, row: number): boolean
  refused(tenant: string): readonly RefusedRows[]
}

function judgeStream(
  streams: HashedTexts,
  position: number,
  bytes: number,
  { tenant, registry, limits, nowMs }: AdmitContext,
): StreamJudge | undefined {
  const hash = streams.hashes[position]!
  let slot = registry.find(hash)
  if (slot < 0) {
    if (registry.count >= streamLimit(limits)) {
      return new RefusedStream(streamLimitText(textAt(streams, position), tenant))
    }
    checkLabels(streams, position)
    slot = registry.add(hash, nowMs)
  }
  const rate = limits.per_stream_rate_limit
  if (rate <= 0) {
    registry.touch(slot, nowMs)
    return undefined
  }
  const tokens = registry.refill(slot, nowMs, rate, Math.max(rate, limits.per_stream_rate_limit_burst))
  if (bytes > tokens) return new RateLimitedStream(textAt(streams, position), rate, { registry, slot, tokens })
  registry.take(slot, bytes)
  return undefined
}

/** What is stored must be a label set. @throws BadRequest when the text is none. */
export function checkLabels(streams: HashedTexts, position: number): void {
  const isUsual = scanLabels(streams.bytes, textStart(streams, position), streams.ends[position]!) >= 0
  if (!isUsual) parseLabels(textAt(streams, position))
}

/** The lower of the two limits that are set; with one ingester the global one is the local one. */
function streamLimit({ max_streams_per_user: local, max_global_streams_per_user: global }: IngesterLimits): number {
  return Math.min(local > 0 ? local : Infinity, global > 0 ? global : Infinity)
}

function streamLimitText(stream: string, tenant: string): string {
  return (
    `maximum active stream limit exceeded when trying to create stream ${stream}, reduce the number of active streams ` +
    `(reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, ` +
    `user: '${tenant}'`
  )
}

class RefusedStream implements StreamJudge {
  readonly #message: string
  #rowCount = 0
  #bytes = 0

  constructor(message: string) {
    this.#message = message
  }

  allows({ lineLength, metaLength }: EntryBatch, row: number): boolean {
    this.#rowCount++
    this.#bytes += lineLength[row]! + metaLength[row]!
    return false
  }

  refused(): readonly RefusedRows[] {
    const { message, rowCount, bytes } = { message: this.#message, rowCount: this.#rowCount, bytes: this.#bytes }
    return [{ reason: 'stream_limit', status: 429, message, rowCount, bytes }]
  }
}

/** Entries are let through one at a time, in the order in which they came, as long as the bucket lasts for them. */
class RateLimitedStream implements StreamJudge {
  readonly #text: string
  readonly #rate: number
  readonly #bucket: { readonly registry: StreamRegistry; readonly slot: number; tokens: number }
  readonly #named: string[] = []
  #seen = 0
  #rowCount = 0
  #bytes = 0

  constructor(text: string, rate: number, bucket: { registry: StreamRegistry; slot: number; tokens: number }) {
    this.#text = text
    this.#rate = rate
    this.#bucket = bucket
  }

  allows({ lineLength, metaLength, day, time }: EntryBatch, row: number): boolean {
    const bytes = lineLength[row]! + metaLength[row]!
    this.#seen++
    if (bytes <= this.#bucket.tokens) {
      this.#bucket.tokens -= bytes
      this.#bucket.registry.take(this.#bucket.slot, bytes)
      return true
    }
    this.#rowCount++
    this.#bytes += bytes
    if (this.#named.length < MAX_NAMED_ENTRIES) {
      this.#named.push(
        `entry with timestamp ${formatGoTime(absoluteNs(day[row]!, time[row]!))} ignored, reason: 'Per stream rate limit ` +
          `exceeded (limit: ${formatByteSize(this.#rate)}/sec) while attempting to ingest for stream '${this.#text}' totaling ` +
          `${formatByteSize(bytes)}, consider splitting a stream via additional labels or contact your Loki administrator to ` +
          `see if the limit can be increased',\n`,
      )
    }
    return false
  }

  refused(tenant: string): readonly RefusedRows[] {
    if (this.#rowCount === 0) return []
    const trailer = `user '${tenant}', total ignored: ${this.#rowCount} out of ${this.#seen} for stream: ${this.#text}`
    const message = this.#named.join('') + trailer
    return [{ reason: 'per_stream_rate_limit', status: 429, message, rowCount: this.#rowCount, bytes: this.#bytes }]
  }
}

/** A time as Go prints it: `2026-01-15 12:00:00.5 +0000 UTC`. */
export function formatGoTime(ns: bigint): string {
  const instant = new Temporal.Instant(ns).toString().replace('T', ' ').replace('Z', '')
  const seconds = instant.replace(/\.(\d*?)0+$/, (_, digits: string) => (digits === '' ? '' : `.${digits}`))
  return `${seconds} +0000 UTC`
}

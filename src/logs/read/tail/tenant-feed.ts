/**
 * What one tenant pushes, on its way to the tenant's tails. A push only leaves its batch here; the work is done later, in short
 * pieces. When batches come faster than they can be looked at, those beyond the memory of tails are let go, and the readers whose
 * streams they had are told.
 */
import type { HiddenRowsReader } from '#/logs/wire/deletes.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { TailSource } from '#/logs/wire/tail.ts'
import { openBatchPage } from '#/logs/store/batch-page.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { textAt, textsOf } from '#/storage/index/text-table.ts'
import { HiddenLiveRows } from './hidden-live-rows.ts'
import type { EntryTime } from './live-entry.ts'
import type { LiveQuery, NewRows } from './live-query.ts'
import { StreamRoutes } from './stream-routes.ts'
import type { TailMemory } from './tail-memory.ts'
import { MAX_DROPPED_ENTRIES } from './tail-session.ts'

/** What the columns of a batch take for each row. */
const ROW_BYTES = 40
const STREAMS_BETWEEN_PAUSES = 64

type QueuedBatch = { readonly batch: EntryBatch; readonly bytes: number; readonly number: number }
/** A batch, or somebody who waits until everything before is done. */
type Queued = QueuedBatch | (() => void)
type SkippedRow = EntryTime & { readonly stream: string }

export type FeedOptions = {
  readonly tenant: string
  readonly source: TailSource
  readonly deletes: HiddenRowsReader
  readonly memory: TailMemory
  readonly nowNs: () => bigint
  /** Called when there is something to do. */
  readonly onWork: () => void
  /** A query that fails: its tails are over. */
  readonly onFailed: (query: LiveQuery, error: unknown) => void
}

export class TenantFeed {
  readonly #options: FeedOptions
  readonly #queries = new Map<string, LiveQuery>()
  readonly #routes = new StreamRoutes()
  readonly #hidden = new HiddenLiveRows()
  readonly #queue: Queued[] = []
  readonly #unfollow: () => void
  /** Rows that were let go; more need not be known, as nobody is told of more. */
  #skipped: SkippedRow[] = []
  #work: Generator<void> | undefined
  /** Batches that came so far. */
  #count = 0

  constructor(options: FeedOptions) {
    this.#options = options
    this.#unfollow = options.source.follow(options.tenant, (batch) => this.#take(batch))
  }

  /** The batch that came last: who joins now takes what comes behind it. */
  get lastBatch(): number {
    return this.#count
  }

  get hasWork(): boolean {
    return this.#work !== undefined || this.#queue.length > 0 || this.#skipped.length > 0
  }

  get wantedStreams(): number {
    return this.#routes.wantedCount
  }

  get isEmpty(): boolean {
    return this.#queries.size === 0
  }

  query(text: string, make: () => LiveQuery): LiveQuery {
    const known = this.#queries.get(text)
    if (known !== undefined) return known
    const query = make()
    this.#queries.set(text, query)
    this.#routes.add(query)
    return query
  }

  remove(query: LiveQuery): void {
    if (this.#queries.get(query.text) !== query) return
    this.#queries.delete(query.text)
    this.#routes.remove(query)
  }

  /** Calls back when everything that came before has been looked at. */
  afterQueued(callback: () => void): void {
    if (this.hasWork) this.#queue.push(callback)
    else callback()
  }

  close(): void {
    this.#unfollow()
    this.#work?.return(undefined)
    this.#work = undefined
    for (const queued of this.#queue.splice(0))
      if (typeof queued !== 'function') this.#options.memory.give(queued.bytes)
    this.#skipped = []
  }

  /** Part of a push: constant time for each stream, and no work for entries. */
  #take(batch: EntryBatch): void {
    const number = ++this.#count
    if (textsOf(batch.streams).every((text) => this.#routes.known(text)?.queries.length === 0)) return
    const bytes = batch.bytes.length + batch.meta.length + batch.rowCount * ROW_BYTES
    if (this.#options.memory.take(bytes)) this.#queue.push({ batch, bytes, number })
    else this.#skip(batch)
    this.#options.onWork()
  }

  #skip({ rowCount, streams, stream, day, time }: EntryBatch): void {
    for (let row = 0; row < rowCount && this.#skipped.length < MAX_DROPPED_ENTRIES; row++) {
      this.#skipped.push({ stream: textAt(streams, stream[row]!), day: day[row]!, time: time[row]! })
    }
  }

  /** Does pieces of work while `hasTime`. */
  run(hasTime: () => boolean): void {
    while (this.hasWork) {
      this.#work ??= this.#next()
      if (this.#work.next().done === true) this.#work = undefined
      if (!hasTime()) return
    }
  }

  *#next(): Generator<void> {
    this.#tellSkipped()
    const queued = this.#queue.shift()
    if (queued === undefined) return
    if (typeof queued === 'function') return queued()
    try {
      yield* this.#distribute(queued)
    } finally {
      this.#options.memory.give(queued.bytes)
    }
  }

  #tellSkipped(): void {
    for (const { stream, day, time } of this.#skipped.splice(0)) {
      const { labels, queries } = this.#routes.of(stream)
      const tailLabels = { all: labels, stream: labels, structuredMetadata: [], parsed: [] }
      for (const { sessions } of queries) for (const session of sessions) session.drop(tailLabels, { day, time })
    }
  }

  *#distribute({ batch, number }: QueuedBatch): Generator<void> {
    const labels: (Labels | undefined)[] = []
    const wanted = new Map<LiveQuery, Uint8Array>()
    for (const [ordinal, text] of textsOf(batch.streams).entries()) {
      if (ordinal % STREAMS_BETWEEN_PAUSES === STREAMS_BETWEEN_PAUSES - 1) yield
      const route = this.#routes.of(text)
      labels.push(route.labels)
      for (const query of route.queries) {
        wanted.getOrInsertComputed(query, () => new Uint8Array(batch.streams.length))[ordinal] = 1
      }
    }
    if (wanted.size === 0) return
    const rows: NewRows = { page: openBatchPage(batch), day: batch.day, labels, number, nowNs: this.#options.nowNs() }
    const { deletes, tenant } = this.#options
    const hidden = yield* this.#hidden.find(rows, deletes.hiddenRows(tenant))
    for (const [query, streams] of wanted) {
      yield
      if (query.isDeaf) continue
      try {
        yield* query.run(rows, rowsOf(batch, streams, hidden))
      } catch (error) {
        this.#options.onFailed(query, error)
      }
    }
  }
}

/** Rows of streams that are marked with 1, ascending, without those that are marked as hidden. */
function rowsOf({ rowCount, stream }: EntryBatch, streams: Uint8Array, hidden: Uint8Array | undefined): Uint32Array {
  const rows = new Uint32Array(rowCount)
  let count = 0
  for (let row = 0; row < rowCount; row++) {
    rows[count] = row
    count += hidden?.[row] === 1 ? 0 : streams[stream[row]!]!
  }
  return rows.subarray(0, count)
}

/**
 * What an ingester shows to a querier: its heads and, taken in the same instant, the blocks that it has published. An entry
 * is in exactly one of the two, so reading both gives each acknowledged entry once.
 */
import type { EntryBatch } from './entry-batch.ts'
import type { Unavailable } from '#/kernel/errors.ts'
import type { Day } from '#/logs/model/day.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { LabelIndex } from '#/storage/index/label-index.ts'

export type HeadSnapshot = {
  /** Unique for the life of the process; a head that changes keeps it. */
  readonly id: string
  readonly day: Day
  /** May grow after the snapshot; the rows of the snapshot refer only to streams that it had. */
  readonly streams: LabelIndex
  readonly pages: readonly HeadPageColumns[]
}

export type HeadView = {
  readonly heads: readonly HeadSnapshot[]
  readonly blocks: readonly BlockMeta[]
  /**
   * To be called once nobody reads `heads` any more, worker threads included: their memory is then used for other heads. Who
   * never calls it leaves the memory to the garbage collector, which is slow to notice.
   */
  readonly release?: () => void
}

/** The contract between querier and ingester; one implementation is a function call, another one RPC. */
export interface IngesterReader {
  /** Everything that `tenant` has with a day in [firstDay, lastDay]. Taken at once; holds no lock. */
  view(tenant: string, firstDay: Day, lastDay: Day): Promise<HeadView>
  /** Tenants that have anything in heads or blocks. */
  tenants(): Promise<readonly string[]>
}

/** The contract between distributor and ingester. */
export interface IngesterWriter {
  /**
   * Resolves when every entry is durable and visible to queries. Entries that the ingester refuses are reported, all others
   * are kept. @throws Unavailable when the disk is full, memory is exhausted or the ingester stops; then nothing was kept.
   */
  push(tenant: string, batch: EntryBatch, signal: AbortSignal | undefined): Promise<PushOutcome>
  /** Why no batch would be taken at this moment, if that is known before one is made. */
  refusal?(): Unavailable | undefined
  /** Milliseconds for which the next push should wait, so that what comes in does not outrun what is flushed. */
  paceMs?(): number
}

/** What became of a batch: rows that were dropped as exact duplicates are stored in the sense of the client. */
export type PushOutcome = {
  readonly duplicateRows: number
  readonly refused: readonly RefusedRows[]
}

/** Rows refused for one reason, e.g. `stream_limit` or `per_stream_rate_limit`, with the text that the client gets. */
export type RefusedRows = {
  readonly reason: string
  readonly status: number
  readonly message: string
  readonly rowCount: number
  readonly bytes: number
}

/** What an operator may tell an ingester. */
export interface IngesterControl {
  /** Writes the heads of one tenant, or of all, as blocks; resolves when they are visible in the catalog. */
  flush(tenant: string | undefined): Promise<void>
}

/** Live tails: what an ingester tells those that follow a tenant, and what the API asks of the read path. */
import type { EntryBatch } from './entry-batch.ts'
import { EddaError } from '#/kernel/errors.ts'
import type { Labels } from '#/storage/index/label-index.ts'

/**
 * Called in the step in which the entries became visible to queries, in the order of their records, with each entry that was
 * not there before; the call is a part of a push, so it must be short, whatever number of tails there are, and not throw.
 */
export type OnEntries = (batch: EntryBatch) => void

/** The contract between a tailer and an ingester. */
export interface TailSource {
  /**
   * Follows a tenant until the returned function is called. A query that is begun after this call sees everything that
   * `onEntries` is not told of; what is told before the query takes its view, it sees as well.
   */
  follow(tenant: string, onEntries: OnEntries): () => void
}

export type TailQuery = {
  readonly tenant: string
  readonly query: string
  /** The newest `limit` entries from `startNs` on come first, oldest first. */
  readonly startNs: bigint
  readonly limit: number
  /** Entries are held back until they are this old, so that those that come late stand at their place. */
  readonly delayMs: number
}

/** The labels of an entry as it left the pipeline; one object is shared by entries with equal labels. */
export type TailLabels = {
  readonly all: Labels
  readonly stream: Labels
  readonly structuredMetadata: Labels
  readonly parsed: Labels
}

export type TailEntry = { readonly timeNs: bigint; readonly line: string; readonly labels: TailLabels }

/** An entry that the client did not get because it reads too slowly, or because the process had no room for it. */
export type DroppedEntry = { readonly timeNs: bigint; readonly labels: TailLabels }

/** At most 100 entries in the order of time; of the entries that were dropped since the last frame, the first 1000. */
export type TailFrame = { readonly entries: readonly TailEntry[]; readonly dropped: readonly DroppedEntry[] }

export interface Tail {
  /**
   * To be iterated once. Waits for entries; each frame is the reader's until it asks for the next one. Ends when `close` is
   * called. @throws {@link TailEnded} when the tail ends by itself.
   */
  frames(): AsyncIterable<TailFrame>
  /** Ends the tail; can be called at any time, several times. */
  close(): void
}

export interface Tails {
  /**
   * Begins to follow at once. @throws BadRequest for a query that cannot be tailed, {@link TailEnded} for what Loki says only to
   * an open socket: a metric query, or one tail too many.
   */
  open(query: TailQuery): Tail
}

/** Why a tail is over, in words for its reader: Loki's where Loki has them. */
export class TailEnded extends EddaError {
  constructor(reason: string, options?: { readonly cause?: unknown }) {
    super('bad_request', reason, options)
  }
}

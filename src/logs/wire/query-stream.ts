/** A query whose answer comes piece by piece, and the place in a log query's answer from which a later request goes on. */
import type { InstantQuery, QueryData, QueryStats, RangeQuery, ResultStream } from './query.ts'

/**
 * The last row of a page. Rows of one time are in the order of a hash of their stream, and within a stream in the order of
 * insertion: both stay when a head becomes a block, and when rows arrive.
 */
export type RowCursor = {
  readonly timeNs: bigint
  /** Hash of the labels of the stored stream. */
  readonly stream: number
  /** How many rows of this time and stream were handed out, this one included. */
  readonly count: number
  /** Hash of the row as it was handed out. */
  readonly identity: number
}

export type StreamedQuery = ({ readonly kind: 'range' } & RangeQuery) | ({ readonly kind: 'instant' } & InstantQuery)

/** How much of what the query may have to read is read or known to be of no use. Bytes before compression. */
export type QueryProgress = {
  readonly bytesDone: number
  readonly bytesTotal: number
  readonly blocksDone: number
  readonly blocksTotal: number
}

export type StreamEvent =
  | { readonly kind: 'progress'; readonly progress: QueryProgress }
  /** Rows in the order of the answer: neighbours with equal labels share a stream, and the same labels may come again. */
  | {
      readonly kind: 'rows'
      readonly streams: readonly ResultStream[]
      readonly categorized: readonly ResultStream[]
      readonly next: RowCursor | undefined
    }
  | { readonly kind: 'result'; readonly data: QueryData }
  /** `next` is set when there may be more rows behind the limit. */
  | {
      readonly kind: 'end'
      readonly stats: QueryStats
      readonly warnings: readonly string[]
      readonly next: RowCursor | undefined
    }

/** Takes one event after the other; resolves when the next one may come. */
export type SendEvent = (event: StreamEvent) => Promise<void>

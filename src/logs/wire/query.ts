/** A query as the frontend takes it, and its answer before it is written as JSON. */
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import type { Labels } from '#/storage/index/label-index.ts'

export type Direction = 'forward' | 'backward'

export type RangeQuery = {
  readonly tenant: string
  readonly query: string
  /** Log queries: [start, end). Metric queries: evaluation at start, start + step, … ≤ end, after alignment to the step. */
  readonly startNs: bigint
  readonly endNs: bigint
  readonly stepNs: bigint
  /** Log queries: emit an entry only when it is at least this far from the last one; 0 = all. */
  readonly intervalNs: bigint
  readonly limit: number
  readonly direction: Direction
}

export type InstantQuery = {
  readonly tenant: string
  readonly query: string
  readonly timeNs: bigint
  readonly limit: number
  readonly direction: Direction
}

/** One entry of an answer. `stream` of the result it stands in has the labels that identify it. */
export type ResultEntry = {
  readonly timeNs: bigint
  /** UTF-8 bytes of the line as it left the pipeline. */
  readonly line: Buffer
  /** Only used with `categorize-labels`. */
  readonly structuredMetadata: Labels
  readonly parsed: Labels
}

/** Entries with equal output labels, in the direction of the query. */
export type ResultStream = { readonly labels: Labels; readonly entries: readonly ResultEntry[] }

/**
 * A labelled series over the steps of a query. `values[i]` counts only when `present[i]` is 1; time of step `i` is
 * `startNs + i * stepNs`.
 */
export type ResultSeries = { readonly labels: Labels; readonly values: Float64Array; readonly present: Uint8Array }

export type QueryData =
  | {
      readonly kind: 'streams'
      readonly streams: readonly ResultStream[]
      /** The same entries grouped by pure stream labels, for clients that ask to categorise. */
      readonly categorized: readonly ResultStream[]
    }
  | {
      readonly kind: 'matrix'
      readonly startNs: bigint
      readonly stepNs: bigint
      readonly series: readonly ResultSeries[]
    }
  | {
      readonly kind: 'vector'
      readonly timeNs: bigint
      readonly samples: readonly { readonly labels: Labels; readonly value: number }[]
    }
  | { readonly kind: 'scalar'; readonly timeNs: bigint; readonly value: number }

/** What a query cost; becomes Loki's `stats` object. Times in seconds, sizes in bytes. */
export type QueryStats = {
  execSeconds: number
  queueSeconds: number
  subqueries: number
  splits: number
  totalEntriesReturned: number
  /** Rows of heads looked at, and their bytes. */
  headRows: number
  headBytes: number
  headMetadataBytes: number
  /** Rows of blocks looked at, their decompressed bytes, and the compressed bytes that were read. */
  blockRows: number
  blockBytes: number
  blockMetadataBytes: number
  blockCompressedBytes: number
  /** Rows that passed all stages. */
  postFilterRows: number
  blocksTotal: number
  blocksRead: number
  pagesTotal: number
  pagesRead: number
  duplicateRows: number
}

export type QueryAnswer = { readonly data: QueryData; readonly stats: QueryStats; readonly warnings: readonly string[] }

export type MetadataQuery = {
  readonly tenant: string
  /** Stream selectors, any of which may match; none means all streams. */
  readonly selectors: readonly (readonly Matcher[])[]
  readonly startNs: bigint
  readonly endNs: bigint
}

export type IndexStats = {
  readonly streams: number
  readonly chunks: number
  readonly bytes: number
  readonly entries: number
}

/** What the API asks of the read path; the frontend implements it. Every call honours its signal. */
export interface QueryFrontend {
  range(query: RangeQuery, signal: AbortSignal): Promise<QueryAnswer>
  instant(query: InstantQuery, signal: AbortSignal): Promise<QueryAnswer>
  labelNames(query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]>
  labelValues(name: string, query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]>
  series(query: MetadataQuery, signal: AbortSignal): Promise<readonly Labels[]>
  indexStats(query: MetadataQuery, signal: AbortSignal): Promise<IndexStats>
}

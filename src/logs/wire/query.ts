/** A query as the frontend takes it, and its answer before it is written as JSON. */
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import type { ExplainQuery, Explanation } from './explain.ts'
import type {
  DetectedField,
  DetectedFieldsQuery,
  DetectedLabel,
  IndexStats,
  Pattern,
  PatternsQuery,
  ShardsAnswer,
  ShardsQuery,
  VolumeAnswer,
  VolumeQuery,
} from './index-query.ts'
import type { RowCursor, SendEvent, StreamedQuery } from './query-stream.ts'
import type { Labels } from '#/storage/index/label-index.ts'

export type Direction = 'forward' | 'backward'

/** Set when the answer must come from the data itself, whatever is known of it already. */
type Freshness = { readonly noCache?: boolean }

export type RangeQuery = Freshness & {
  readonly tenant: string
  readonly query: string
  /** Log queries: [start, end). Metric queries: evaluation at start, start + step, … ≤ end, after alignment to the step. */
  readonly startNs: bigint
  readonly endNs: bigint
  readonly stepNs: bigint
  /** Log queries: emit an entry only when it is at least this far from the last one; 0 = all. */
  readonly intervalNs: bigint
  /** Infinity: no limit, for answers that come piece by piece. */
  readonly limit: number
  readonly direction: Direction
  /** Set when the answer is one page of many: rows of equal time come in an order that stays, and `next` says where to go on. */
  readonly paging?: { readonly after: RowCursor | undefined }
}

export type InstantQuery = Freshness & {
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
  /** Jobs that ran. */
  subqueries: number
  /** Days that were looked at. */
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
  /** Left out as all their rows are at other times. */
  blocksByTime: number
  /** Left out as they have none of the streams. */
  blocksByIndex: number
  /** Left out as filters or statistics say that none of their rows passes. */
  blocksByFilter: number
  /** Whose filters were asked. */
  blocksProbed: number
  blocksRead: number
  /** Pages of blocks and heads that were opened, those left out by stream or time, and those that were read. */
  pagesTotal: number
  pagesByIndex: number
  pagesRead: number
  /** Pages left out as filters or statistics say that none of their rows passes. */
  pagesByFilter: number
  /** Pages read in whose lines nothing was found, so that no row was looked at. */
  pagesWithoutHit: number
  headPagesTotal: number
  headPagesRead: number
  /** Streams of heads and blocks that match the selectors. */
  streamsMatched: number
  /** Lines and metadata of blocks that were decompressed. */
  decodedBytes: number
  /** Time for opening blocks and pruning by index, for pruning by filters, and for reading pages; of all jobs together. */
  pruneSeconds: number
  filterSeconds: number
  readSeconds: number
  duplicateRows: number
  /** What was known of blocks: results of range aggregations, and pages of which no row passes. */
  knownSamples: CacheUse
  knownPages: CacheUse
}

/** How a query used a cache; a request asks for one entry. */
export type CacheUse = {
  requests: number
  found: number
  stored: number
  bytesFound: number
  bytesStored: number
}

export type QueryAnswer = {
  readonly data: QueryData
  readonly stats: QueryStats
  readonly warnings: readonly string[]
  /** The end of the page, when pages were asked for and there may be another one. */
  readonly next?: RowCursor | undefined
}

export type MetadataQuery = {
  readonly tenant: string
  /** Stream selectors, any of which may match; none means all streams. */
  readonly selectors: readonly (readonly Matcher[])[]
  readonly startNs: bigint
  readonly endNs: bigint
}

/** What the API asks of the read path; the frontend implements it. Every call honours its signal. */
export interface QueryFrontend {
  range(query: RangeQuery, signal: AbortSignal): Promise<QueryAnswer>
  instant(query: InstantQuery, signal: AbortSignal): Promise<QueryAnswer>
  /** Answers piece by piece, no faster than `send` takes them; the last event is `end`. */
  stream(query: StreamedQuery, send: SendEvent, signal: AbortSignal): Promise<void>
  labelNames(query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]>
  labelValues(name: string, query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]>
  series(query: MetadataQuery, signal: AbortSignal): Promise<readonly Labels[]>
  indexStats(query: MetadataQuery, signal: AbortSignal): Promise<IndexStats>
  volume(query: VolumeQuery, signal: AbortSignal): Promise<VolumeAnswer>
  shards(query: ShardsQuery, signal: AbortSignal): Promise<ShardsAnswer>
  detectedLabels(query: MetadataQuery, signal: AbortSignal): Promise<readonly DetectedLabel[]>
  detectedFields(query: DetectedFieldsQuery, signal: AbortSignal): Promise<readonly DetectedField[]>
  /** Values of one field among the entries that are looked at. */
  detectedFieldValues(name: string, query: DetectedFieldsQuery, signal: AbortSignal): Promise<readonly string[]>
  /** Undefined when no patterns are looked for. */
  patterns(query: PatternsQuery, signal: AbortSignal): Promise<readonly Pattern[] | undefined>
  /** How the query would be answered at this time; reads indexes, but no entry. */
  explain(query: ExplainQuery, signal: AbortSignal): Promise<Explanation>
}

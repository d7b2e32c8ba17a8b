/** Questions that are answered from indexes and counts rather than from entries, and their answers before they are JSON. */
import type { MetadataQuery, QueryStats } from './query.ts'
import type { Labels } from '#/storage/index/label-index.ts'

/** `Volume`: how many bytes of lines and metadata there are, by group of streams. */
export type VolumeQuery = MetadataQuery & {
  /** `series`: groups have values for `targetLabels`. `labels`: there is a group for each label name. */
  readonly aggregateBy: 'series' | 'labels'
  /** Empty: the names in the selectors or, without any, all labels; by `labels`, all labels. */
  readonly targetLabels: readonly string[]
  /** Most groups of the answer; those with most bytes are kept. */
  readonly limit: number
  /** Length of a bucket; buckets end at multiples of it since the epoch, the last one at the end of the range. 0: one bucket. */
  readonly stepNs: bigint
}

/** A group that has anything. By `labels`, the value of its one label is empty. */
export type Volume = {
  readonly labels: Labels
  /** By bucket, where there is anything: its number, and bytes. */
  readonly samples: readonly { readonly bucket: number; readonly bytes: number }[]
}

export type VolumeAnswer = {
  /** Most bytes first, then by name. */
  readonly volumes: readonly Volume[]
  /** End of each bucket. */
  readonly bucketEndsNs: readonly bigint[]
  readonly stats: QueryStats
}

/** How to divide the streams of a selector so that each part has about `targetBytes`. */
export type ShardsQuery = MetadataQuery & { readonly targetBytes: number }

/** Streams whose hash is in [min, max], and what they have. */
export type IndexShard = { readonly min: bigint; readonly max: bigint; readonly stats: IndexStats }

export type ShardsAnswer = { readonly shards: readonly IndexShard[]; readonly stats: QueryStats }

export type PatternsQuery = MetadataQuery & {
  /** Counts are given for steps of this length, which begin at multiples of it. */
  readonly stepNs: bigint
}

/** A pattern for `|>`, and how many lines of a level it was found in; samples stand at the beginning of their steps. */
export type Pattern = {
  readonly pattern: string
  readonly level: string
  readonly samples: readonly { readonly timeNs: bigint; readonly lines: number }[]
}

export type IndexStats = {
  readonly streams: number
  readonly chunks: number
  readonly bytes: number
  readonly entries: number
}

export type DetectedLabel = { readonly label: string; readonly cardinality: number }

export type DetectedFieldsQuery = {
  readonly tenant: string
  /** A log query. */
  readonly query: string
  readonly startNs: bigint
  readonly endNs: bigint
  /** How many entries are looked at, the newest ones. */
  readonly lineLimit: number
  /** Most fields, or values of a field, of the answer. */
  readonly limit: number
}

export type FieldType = 'int' | 'float' | 'boolean' | 'duration' | 'bytes' | 'string'

export type DetectedField = {
  readonly label: string
  readonly type: FieldType
  /** Different values among the entries that were looked at. */
  readonly cardinality: number
  /** Parsers that find the field in lines; none for structured metadata and for what only the query makes. */
  readonly parsers: readonly string[]
  /** Where it lies in a JSON line. */
  readonly jsonPath: readonly string[] | undefined
}

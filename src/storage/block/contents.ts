/**
 * What a block contains, as its index tells it: pages of named columns, and the runs of streams in them. A block is a
 * container: what a column means is its writer's and its reader's affair.
 */

export type BlockPage = {
  readonly rowCount: number
  /** Least and greatest time of a row, both included. */
  readonly minTime: number
  readonly maxTime: number
  /** In the order in which they stand in the object. */
  readonly columns: readonly BlockColumn[]
}

export type BlockColumn = {
  readonly name: string
  /** One of storage/column/encoding.ts. */
  readonly encoding: number
  /** Position in the object. */
  readonly offset: number
  readonly sizeBytes: number
  readonly crc32: number
  readonly stats: ColumnStats
}

export type ColumnStats = {
  /** Bytes before encoding. */
  readonly rawBytes: number
  /** Rows that have a value. */
  readonly valueCount: number
  /** Bounds of the values, where they are numbers; not always the narrowest. */
  readonly range: { readonly min: number; readonly max: number } | undefined
  /** The one value of all rows that have one, where there is one and it is short. */
  readonly constant: string | undefined
}

/**
 * Rows of one stream that stand together in a page. One entry per run in the order of rows; the runs of page p are
 * `[pageEnds[p - 1] ?? 0, pageEnds[p])`.
 */
export type StreamRuns = {
  readonly pageEnds: Uint32Array
  /** Ordinal in the block's label index. */
  readonly stream: Uint32Array
  readonly rowCount: Uint32Array
  /** Raw bytes of the rows, whatever the writer counts. */
  readonly rawBytes: Uint32Array
  /** The part of the raw bytes that a metric query counts, those of lines; undefined when the block does not tell. */
  readonly lineBytes?: Uint32Array | undefined
  readonly minTime: Float64Array
  readonly maxTime: Float64Array
}

/** A longer constant is not repeated in the index. */
export const MAX_CONSTANT_BYTES = 64

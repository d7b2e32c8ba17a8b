/**
 * What is known of a block without opening it: enough to prune by tenant, day, time and level, to account, and to decide at
 * replay which WAL records it covers. Stored in the block's footer and in the catalog.
 */
export type BlockMeta = {
  /** Object key, `<tenant>/logs/<yyyy-mm-dd>/<minTime>-<maxTime>-L<level>-<ulid>.edda`; the identity of the block. */
  readonly key: string
  readonly tenant: string
  /** Days since the epoch. */
  readonly day: number
  /** 0 as flushed, 1 and up after merges. */
  readonly level: number
  /** Least and greatest time of a row, nanoseconds since midnight, both included. */
  readonly minTime: number
  readonly maxTime: number
  readonly rowCount: number
  readonly streamCount: number
  readonly pageCount: number
  /** Bytes of all lines and metadata before compression. */
  readonly rawBytes: number
  /** Size of the object. */
  readonly sizeBytes: number
  /** Written by which ingester, from the rows of which WAL records (sequence numbers, both ends included). */
  readonly source: { readonly ingester: string; readonly fromSequence: number; readonly toSequence: number } | undefined
  /**
   * Keys of the blocks whose rows a merge wrote into this one (and its siblings); none as flushed. While all of them are
   * there and live, the merge was not completed and this block does not count.
   */
  readonly replaces?: readonly string[]
  /**
   * Of a merged block, in place of `source`: by ingester, the last WAL record of which rows were in the blocks that it and its siblings
   * replace, or in those that these replaced.
   */
  readonly covers?: Readonly<Record<string, number>>
}

/**
 * An open log block: its index is in memory, its pages are read when asked for. The main thread opens blocks, prunes and
 * fetches compressed bytes; a worker thread turns the bytes into a `LogPage` (`decodeBlockPage` in ./block-page.ts).
 */
import type { FileReads } from '#/platform/objstore/read-file.ts'
import type { StreamRuns } from '#/storage/block/contents.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { PageBits, PageCondition } from '#/storage/filter/filter.ts'
import type { LabelIndex } from '#/storage/index/label-index.ts'

export interface LogBlock {
  readonly meta: BlockMeta
  readonly streams: LabelIndex
  /** Bytes of memory that the open block holds, for the cache's budget. */
  readonly memoryBytes: number
  /** One for each page, in the order in which they stand in the block. */
  readonly pages: readonly PageEntry[]
  /** Rows of one stream that stand together in a page, in order of time; `rawBytes` are those of lines and metadata. */
  readonly runs: StreamRuns
  /**
   * Positions in `pages` that may hold a row of one of `ordinals` (ascending; undefined: any stream) with a time in
   * [from, to). Never leaves out a page that holds one.
   */
  selectPages(ordinals: Uint32Array | undefined, from: number, to: number): number[]
  /** Bytes that `readPages` reads of a page. */
  readBytes(position: number, columns: PageColumns): number
  /** Rows, raw bytes, least and greatest time of each given stream (all when undefined) from the index alone. */
  streamStats(ordinals: Uint32Array | undefined): readonly StreamStat[]
  /**
   * Reads the bytes of pages, coalescing neighbours, into shared memory. `columns` says what the worker will need; more may
   * come. The bytes are valid as long as `memory` is; by default they own it.
   * @throws Corruption when a checksum fails, Unavailable when the store does not answer.
   */
  readPages(
    positions: readonly number[],
    columns: PageColumns,
    signal: AbortSignal | undefined,
    memory?: PageMemory,
  ): Promise<PageBytes[]>
  /**
   * Pages on which `condition` may hold, and few others; undefined when the block has no filters, so that any page may. Reads parts
   * of the filters. Errors as above.
   */
  pagesWith(condition: PageCondition, signal: AbortSignal | undefined): Promise<PageBits | undefined>
  /** Reads what the block knows of the patterns of its lines; undefined when it was written without. Errors as above. */
  readPatterns(signal: AbortSignal | undefined): Promise<PatternBytes | undefined>
}

/** The patterns of a block as they are stored, in shared memory; for `decodePatterns` in ./patterns/decode-patterns.ts. */
export type PatternBytes = {
  readonly block: string
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /** Position of `bytes` in the object, for errors. */
  readonly offset: number
  readonly crc32: number
  readonly streamCount: number
  readonly rowCount: number
}

/** Where the bytes of pages go. */
export type PageMemory = {
  /** At least `sizeBytes`. */
  take(sizeBytes: number): SharedArrayBuffer
  /** Where the store has files, takes over what is to be read: pages have their bytes when that is done. */
  readLater?: ((reads: FileReads) => void) | undefined
  /** Takes what is to be done when pages have their bytes, while these are still there. */
  whenRead?: ((then: () => void) => void) | undefined
}

export type PageEntry = {
  readonly rowCount: number
  readonly minTime: number
  readonly maxTime: number
  /** Bytes of lines before compression. */
  readonly lineBytes: number
  /** Compressed bytes of all columns. */
  readonly sizeBytes: number
  readonly metaNames: readonly string[]
  /** For each of these, bytes of its values and of as many repetitions of its name. */
  readonly metaBytes: readonly number[]
  /** The one value of all rows that have one, where there is one and it is short; and how many rows have one. */
  readonly metaConstants: readonly (string | undefined)[]
  readonly metaCounts: readonly number[]
}

export type StreamStat = {
  readonly ordinal: number
  readonly rowCount: number
  /** Bytes of lines and metadata. */
  readonly rawBytes: number
  readonly minTime: number
  readonly maxTime: number
}

/** Which columns of a page a query reads. `stream` and `time` always come. */
export type PageColumns = {
  readonly lengths: boolean
  readonly lines: boolean
  readonly meta: 'all' | readonly string[]
}

/** Compressed columns of a page in shared memory, ready to be posted to a worker by reference. Opaque outside `logs/store`. */
export type PageBytes = {
  readonly block: string
  readonly page: number
  readonly rowCount: number
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /** Position of `bytes` in the object, for errors. */
  readonly offset: number
  /** Metadata names that the page has and that were not asked for. */
  readonly unreadMeta: readonly string[]
  /** Where each column lies in `bytes`, and how it is encoded. */
  readonly columns: readonly PageColumnBytes[]
}

export type PageColumnBytes = {
  /** `stream`, `time`, `length`, `line`, or `meta:<name>`. */
  readonly name: string
  readonly encoding: number
  readonly offset: number
  readonly sizeBytes: number
  readonly crc32: number
}

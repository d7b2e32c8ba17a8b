/**
 * What the querier asks of a worker thread, and what comes back. Everything is plain data: pages travel as shared memory, so
 * that posting a job copies a few hundred bytes.
 */
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import type { Day } from '#/logs/model/day.ts'
import type { PageBytes, PatternBytes } from '#/logs/store/log-block.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import type { Direction } from '#/logs/wire/query.ts'
import type { FileReads } from '#/platform/objstore/read-file.ts'
import type { SeriesLabels } from '#/series/labels.ts'
import type { CodedLabels } from '#/storage/index/coded-labels.ts'
import type { KeySketch } from './key-sketch.ts'
import type { KeyedTotals } from './keyed-totals.ts'
import type { PostedCells } from './range/sample.ts'
import type { StepWindow } from './step-grid.ts'
import type { TailOrder } from './row-tail.ts'

export type ScanPage = {
  readonly data:
    | { readonly kind: 'head'; readonly columns: HeadPageColumns }
    | { readonly kind: 'block'; readonly bytes: PageBytes }
  /** Position among all pages of the day in the order in which their rows were inserted: decides between equal times. */
  readonly order: number
  /** Set when the time of every row is in the range of the job. */
  readonly isInside: boolean
  /** Least and greatest time of its rows, if known. */
  readonly minTime?: number
  readonly maxTime?: number
  /** A bit for each row that must not be seen, row 0 in the lowest bit of byte 0. */
  readonly dropped: Uint8Array<SharedArrayBuffer> | undefined
}

/** Pages of one source: a head or a block. */
export type ScanPart = {
  readonly labels: CodedLabels
  /** 1 for each stream that is wanted; undefined: all. */
  readonly streams: Uint8Array<SharedArrayBuffer> | undefined
  readonly pages: readonly ScanPage[]
}

/** What to do with the rows that pass: keep the first `limit` in the direction of the query, or in the order of `tail`. */
export type RowTask = {
  readonly kind: 'rows'
  readonly limit: number
  readonly direction: Direction
  readonly tail?: TailOrder
  /** Among equal times by {@link RowPlace.key}, not by insertion alone. */
  readonly byStream?: boolean
  /** Rows before it, in the direction of the query, are left out. */
  readonly first?: RowPlace | undefined
  /** Set when nothing looks at labels of streams: jobs come without them, and the answer has `streams` in their place. */
  readonly namesStreams?: boolean
}

/** Where a row stands among those of its day. */
export type RowPlace = {
  readonly time: number
  /** Hash of the labels of its stream; 0 when only the order of insertion counts. */
  readonly key: number
  readonly order: number
  readonly row: number
}

/** Finds the distinct non-empty values of a label; ends early when there are more than either maximum. */
export type ValueTask = {
  readonly kind: 'values'
  readonly label: string
  readonly maxValues: number
  readonly maxBytes: number
}

/** Finds which rows pass: their places alone. */
export type MaskTask = { readonly kind: 'mask' }

/** Makes samples: the range function of a leaf over the entries of the job. */
export type SampleTask = {
  readonly kind: 'samples'
  readonly leaf: SampleLeaf
  /** Evaluation times less the offset, and the length of their windows. */
  readonly window: StepWindow
  /** Whether `keyed` totals may be answered: series by few labels, at one step. */
  readonly isKeyed?: boolean
  /** Set when `keyed` totals need not have what can be counted there. */
  readonly sketch?: KeySketch | undefined
  /** Most memory that the series of this job may take. */
  readonly maxBytes: number
}

/** What a scan must know of a leaf. */
export type SampleLeaf = Pick<MetricLeaf, 'op' | 'measure' | 'unwrap' | 'countedLabel' | 'grouping' | 'preserveErrors'>

export function sampleLeaf(leaf: MetricLeaf): SampleLeaf {
  const { op, measure, unwrap, countedLabel, grouping, preserveErrors } = leaf
  return { op, measure, unwrap, countedLabel, grouping, preserveErrors }
}

export type ScanJob = {
  readonly kind: 'scan'
  /** Equal for equal `stages` and `needed`: compiled pipelines are kept under it. */
  readonly key: string
  readonly stages: readonly RowStageNode[]
  readonly needed: NeededLabels
  /** What templates see as the current time: the same for all jobs of a query. */
  readonly nowNs: bigint
  readonly day: Day
  /** Times in day, `from` included, `to` excluded. */
  readonly from: number
  readonly to: number
  readonly parts: readonly ScanPart[]
  /** `SharedBuffers.droppedBytes` of the memory that pages of blocks are in; undefined where such memory is not used again. */
  readonly droppedBytes?: number
  /** What must be read before pages of blocks have their bytes. */
  readonly reads?: readonly FileReads[] | undefined
  readonly task: RowTask | SampleTask | ValueTask | MaskTask
}

/** Rows to compare with the rows of other sources, stream by stream. */
export type DuplicatePart = {
  /** By ordinal: 0 when the stream is in one source only, else a number that is the same in all sources. */
  readonly streams: Uint32Array<SharedArrayBuffer>
  readonly pages: readonly ScanPage[]
}

/**
 * Finds rows that an earlier part has too, with the same stream, time, line and metadata. Pages without line bytes take part
 * with stream, time and length; `pages` of the answer then says which must be looked at in full.
 */
export type DuplicatesJob = {
  readonly kind: 'duplicates'
  readonly from: number
  readonly to: number
  readonly parts: readonly DuplicatePart[]
  /** False: only times and lengths are compared. */
  readonly comparesBytes: boolean
}

/** Divides the bytes of runs among buckets of time: that of `t` is `first + floor((t - originTime) / step)`. */
export type SizesJob = {
  readonly kind: 'sizes'
  readonly from: number
  readonly to: number
  readonly buckets: { readonly first: number; readonly originTime: number; readonly step: number }
  readonly pages: readonly SizedPage[]
}

/** A page with times and lengths, and some of its runs: rows of one stream, ascending in time. */
export type SizedPage = {
  readonly page: ScanPage
  readonly firstRow: Uint32Array
  readonly rowCount: Uint32Array
  /** Lines and metadata. */
  readonly rawBytes: Uint32Array
}

/** Counts lines by pattern, level and bucket of time in one head or block. Buckets as for {@link SizesJob}. */
export type PatternsJob = {
  readonly kind: 'patterns'
  readonly from: number
  readonly to: number
  readonly buckets: SizesJob['buckets']
  /** 1 for each stream that is wanted; undefined: all. */
  readonly streams: Uint8Array<SharedArrayBuffer> | undefined
  readonly data:
    | { readonly kind: 'head'; readonly pages: readonly HeadPageColumns[] }
    | { readonly kind: 'block'; readonly bytes: PatternBytes }
    /** Of a block of which rows are hidden, which it knows nothing of. */
    | { readonly kind: 'pages'; readonly pages: readonly ScanPage[] }
}

/** What of runs is left when the dropped rows of their pages are not counted. */
export type LeftoverJob = {
  readonly kind: 'leftover'
  readonly pages: readonly LeftoverPage[]
}

/** A page with lengths and all metadata, and some of its runs. */
export type LeftoverPage = {
  readonly page: ScanPage
  readonly firstRow: Uint32Array
  readonly rowCount: Uint32Array
}

/** Scans that are posted together; they run one after the other, and the first that fails fails all. */
export type GroupJob = { readonly kind: 'group'; readonly jobs: readonly ScanJob[] }
export type GroupResult = { readonly kind: 'group'; readonly results: readonly ScanResult[] }

export type WorkerJob = GroupJob | ScanJob | DuplicatesJob | SizesJob | PatternsJob | LeftoverJob

export type ScanCounts = {
  /** Rows of wanted streams and times, and the bytes of their lines when lengths were read. */
  rows: number
  lineBytes: number
  metadataBytes: number
  /** Rows that passed all stages. */
  passedRows: number
  /** Pages of which no row can pass, as a filter says of the page as a whole. */
  filteredPages: number
  /** `ScanPage.order` of pages that have a row that passed; of jobs that look for rows or values. */
  passedPages?: number[]
}

/** Rows in the order of the answer, at most `limit`. All columns in shared memory, so that posting them copies nothing. */
export type RowsResult = {
  readonly kind: 'rows'
  readonly counts: ScanCounts
  readonly rowCount: number
  readonly time: Float64Array
  /** `ScanPage.order` and the row's position in its page. */
  readonly order: Uint32Array
  readonly row: Uint32Array
  /** `RowPlace.key`; undefined: 0 for all. */
  readonly key?: Float64Array | undefined
  /** Line of row i: `lines[lineStart[i], lineStart[i + 1])`. */
  readonly lineStart: Uint32Array
  readonly lines: Uint8Array
  /** Position in `labelSets` of a row. */
  readonly labelSet: Uint32Array
  /** Stream of a row by ordinal, when label sets are without the labels of streams, and metadata has the names that it is stored under. */
  readonly streams?: Uint32Array | undefined
  readonly labelSets: LabelSetTable
}

/** Label sets in three flat columns; label i of set s stands at `ends[s - 1] + i`. */
export type LabelSetTable = {
  readonly symbols: readonly string[]
  readonly ends: Uint32Array
  /** Name and value are positions in `symbols`; category 0 stream, 1 structured metadata, 2 parsed. */
  readonly names: Uint32Array
  readonly values: Uint32Array
  readonly categories: Uint8Array
}

/**
 * Counts of rows or bytes over steps `firstStep` … `firstStep + width - 2`, as differences: the sum of a row up to a step is the
 * value at it. `rowDiffs` counts entries; `valueDiffs` adds up the measure when that is not the number of entries.
 */
export type DiffsResult = {
  readonly kind: 'samples'
  readonly counts: ScanCounts
  readonly firstStep: number
  readonly width: number
  readonly series: readonly SeriesLabels[]
  readonly rowDiffs: Float64Array
  readonly valueDiffs: Float64Array | undefined
  /** More series, which count at the one step that there is; these may be among `series`, too. */
  readonly keyed?: KeyedTotals | undefined
  /** The same from a job that had a sketch: keys, each with its total behind it (see `forEachOfList`). */
  readonly listed?: Uint8Array | undefined
  /** Whether rows may have been counted in the sketch of the task, and not here. */
  readonly isPartial?: boolean
}

/** What a range function kept of its samples: entry i is of series `slots[i]` in segment `segments[i]`. */
export type CellsResult = {
  readonly kind: 'cells'
  readonly counts: ScanCounts
  readonly series: readonly SeriesLabels[]
  readonly slots: Uint32Array
  readonly segments: Uint32Array
  readonly cells: PostedCells
}

export type SamplesResult = DiffsResult | CellsResult

export type DuplicatesResult = {
  readonly kind: 'duplicates'
  readonly rowCount: number
  /** By `ScanPage.order`: the rows that an earlier source has too. */
  readonly dropped: readonly { readonly order: number; readonly mask: Uint8Array<SharedArrayBuffer> }[]
  /** Pages with a row that is, or may be, in another source too. */
  readonly pages: readonly number[]
}

/** Entry i says that run `run[i]`, counted over all pages of the job, has `bytes[i]` in `bucket[i]`. */
export type SizesResult = {
  readonly kind: 'sizes'
  /** Of all runs. */
  readonly rowCount: number
  readonly run: Uint32Array
  readonly bucket: Uint32Array
  readonly bytes: Float64Array
}

export type ValuesResult = {
  readonly kind: 'values'
  readonly counts: ScanCounts
  /** In no particular order. One more than allowed, or with more bytes, when there are too many. */
  readonly values: readonly string[]
}

/** Entry i says that there are `lines[i]` of a pattern and level in a bucket. */
export type PatternsResult = {
  readonly kind: 'patterns'
  readonly texts: readonly string[]
  readonly levels: readonly string[]
  /** Positions in `texts` and `levels`. */
  readonly text: Uint32Array
  readonly level: Uint32Array
  readonly bucket: Uint32Array
  readonly lines: Float64Array
}

/** Rows that passed, by `ScanPage.order`; pages without one are left out. */
export type MaskResult = {
  readonly kind: 'mask'
  readonly counts: ScanCounts
  readonly masks: readonly { readonly order: number; readonly mask: Uint8Array<SharedArrayBuffer> }[]
}

/** Entry i is of run i, counted over all pages of the job. Without a row the least time is Infinity. */
export type LeftoverResult = {
  readonly kind: 'leftover'
  readonly rowCount: Uint32Array
  readonly rawBytes: Uint32Array
  readonly lineBytes: Uint32Array
  readonly minTime: Float64Array
  readonly maxTime: Float64Array
}

export type ScanResult = RowsResult | SamplesResult | ValuesResult | MaskResult
export type WorkerResult = GroupResult | ScanResult | DuplicatesResult | SizesResult | PatternsResult | LeftoverResult

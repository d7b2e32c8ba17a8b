/**
 * What the querier asks of a worker thread, and what comes back. Everything is plain data: pages travel as shared memory, so
 * that posting a job copies a few hundred bytes.
 */
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import type { Day } from '#/logs/model/day.ts'
import type { PageBytes } from '#/logs/store/log-block.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import type { Direction } from '#/logs/wire/query.ts'
import type { SeriesLabels } from '#/series/labels.ts'
import type { SharedLabels } from '#/storage/index/shared-labels.ts'

export type ScanPage = {
  readonly data:
    | { readonly kind: 'head'; readonly columns: HeadPageColumns }
    | { readonly kind: 'block'; readonly bytes: PageBytes }
  /** Position among all pages of the day in the order in which their rows were inserted: decides between equal times. */
  readonly order: number
  /** Set when the time of every row is in the range of the job. */
  readonly isInside: boolean
  /** A bit for each row that must not be seen, row 0 in the lowest bit of byte 0. */
  readonly dropped: Uint8Array<SharedArrayBuffer> | undefined
}

/** Pages of one source: a head or a block. */
export type ScanPart = {
  readonly labels: SharedLabels
  /** 1 for each stream that is wanted; undefined: all. */
  readonly streams: Uint8Array<SharedArrayBuffer> | undefined
  readonly pages: readonly ScanPage[]
}

/** What to do with the rows that pass. */
export type RowTask = { readonly kind: 'rows'; readonly limit: number; readonly direction: Direction }

export type SampleTask = {
  readonly kind: 'samples'
  readonly measure: 'rows' | 'bytes'
  readonly grouping: Grouping
  readonly preserveErrors: boolean
  /** Evaluation times less the offset: startNs, startNs + stepNs, …, `stepCount` of them. */
  readonly startNs: bigint
  readonly stepNs: bigint
  readonly stepCount: number
  readonly rangeNs: bigint
  /** Most memory that the series of this job may take. */
  readonly maxBytes: number
}

export type ScanJob = {
  readonly kind: 'scan'
  /** Equal for equal `stages` and `needed`: compiled pipelines are kept under it. */
  readonly key: string
  readonly stages: readonly StageNode[]
  readonly needed: NeededLabels
  readonly day: Day
  /** Times in day, `from` included, `to` excluded. */
  readonly from: number
  readonly to: number
  readonly parts: readonly ScanPart[]
  readonly task: RowTask | SampleTask
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

export type WorkerJob = ScanJob | DuplicatesJob

export type ScanCounts = {
  /** Rows of wanted streams and times, and the bytes of their lines when lengths were read. */
  rows: number
  lineBytes: number
  metadataBytes: number
  /** Rows that passed all stages. */
  passedRows: number
}

/** Rows in the order of the query, at most `limit`. All columns in shared memory, so that posting them copies nothing. */
export type RowsResult = {
  readonly kind: 'rows'
  readonly counts: ScanCounts
  readonly rowCount: number
  readonly time: Float64Array
  /** `ScanPage.order` and the row's position in its page. */
  readonly order: Uint32Array
  readonly row: Uint32Array
  /** Line of row i: `lines[lineStart[i], lineStart[i + 1])`. */
  readonly lineStart: Uint32Array
  readonly lines: Uint8Array
  /** Position in `labelSets` of a row. */
  readonly labelSet: Uint32Array
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
 * Series over steps `firstStep` … `firstStep + width - 2`, as differences: the sum of a row up to a step is the value at it.
 * `rowDiffs` counts entries; `valueDiffs` adds up the measure when that is not the number of entries.
 */
export type SamplesResult = {
  readonly kind: 'samples'
  readonly counts: ScanCounts
  readonly firstStep: number
  readonly width: number
  readonly series: readonly SeriesLabels[]
  readonly rowDiffs: Float64Array
  readonly valueDiffs: Float64Array | undefined
}

export type DuplicatesResult = {
  readonly kind: 'duplicates'
  readonly rowCount: number
  /** By `ScanPage.order`: the rows that an earlier source has too. */
  readonly dropped: readonly { readonly order: number; readonly mask: Uint8Array<SharedArrayBuffer> }[]
  /** Pages with a row that is, or may be, in another source too. */
  readonly pages: readonly number[]
}

export type ScanResult = RowsResult | SamplesResult
export type WorkerResult = ScanResult | DuplicatesResult

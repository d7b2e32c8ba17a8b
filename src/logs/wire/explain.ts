/** How a query would be answered, as plain data for JSON: names of fields are part of the API. */
import type { Operation, SamplePlan, StagePlan } from '#/logs/logql/planner/explained.ts'
import type { AppliedRule } from '#/logs/logql/planner/optimize-stages.ts'
import type { Direction } from './query.ts'

export type ExplainQuery = {
  readonly tenant: string
  readonly query: string
  /** An instant query has one time: both are equal, and the step is 0. */
  readonly startNs: bigint
  readonly endNs: bigint
  readonly stepNs: bigint
  readonly isInstant: boolean
  readonly limit: number
  readonly direction: Direction
}

export type Explanation = {
  /** Canonical text. */
  readonly query: string
  readonly kind: 'logs' | 'metric' | 'scalar'
  /** RFC 3339; for metric queries the first and the last evaluation. */
  readonly start: string
  readonly end: string
  /** Distance of evaluations, `1m0s`, and how many there are; range metric queries only. */
  readonly step?: string
  readonly steps?: number
  /** What happens to the series of the selections; metric queries only. */
  readonly evaluation?: Operation
  /** Log queries: one. Metric queries: one for each range aggregation. */
  readonly selections: readonly SelectionPlan[]
  /** What is asked of all entries together; log queries only. */
  readonly result?: readonly string[]
}

export type SelectionPlan = {
  readonly matchers: string
  /** Label filters that choose streams, where these have the label. */
  readonly streamFilters: readonly string[]
  /** Times of entries that are read, start included, end excluded. */
  readonly start: string
  readonly end: string
  /** What a page must have to be read: texts of its lines, values of its metadata. */
  readonly pages: readonly string[]
  readonly stages: readonly StagePlan[]
  readonly rules: readonly AppliedRule[]
  /** Labels that are read of what comes out. */
  readonly labels: 'all' | readonly string[]
  readonly columns: readonly string[]
  /** Queries whose answer a filter needs; they run first, and are not explained. */
  readonly subqueries?: readonly string[]
  readonly samples?: SamplePlan
  readonly data: DataPlan
}

export type DataPlan = {
  readonly days: number
  readonly heads: number
  readonly blocks: Pruning
  /** That matchers and stream filters select. */
  readonly streams: number
  /** Pages of heads and of the blocks that are left. */
  readonly pages: Pruning & { readonly betweenWindows: number }
  readonly rows: number
  /** Lines of the pages that are left: decoded where a stage or filter reads lines. */
  readonly lineBytes: number
  readonly compressedBytes: number
  /** At most: a log query stops when nothing that is left could change its answer. */
  readonly jobs: number
  /** All cores together: when no entry passes the page filters, and when all do. */
  readonly cpuSeconds: { readonly least: number; readonly most: number }
}

export type Pruning = {
  readonly total: number
  readonly outsideTime: number
  readonly withoutStreams: number
  /** Filters or statistics say that nothing of it passes. */
  readonly withoutMatch: number
  readonly read: number
}

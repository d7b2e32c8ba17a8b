/**
 * How a query will be answered. A metric query becomes a tree whose leaves are range aggregations: the scan computes a set
 * of series for each leaf, ./evaluate.ts does the rest.
 */
import type { Grouping, Matcher, Unwrap } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import type { AggregateOp } from '#/series/aggregate.ts'
import type { LabelGrouping, SeriesLabels } from '#/series/labels.ts'
import type { ArithmeticOp, ComparisonOp, SetOp } from '#/series/operators.ts'
import type { Matching } from '#/series/vector-matching.ts'
import type { PageConditions } from './page-conditions.ts'

export type Plan = LogPlan | MetricPlan | { readonly kind: 'scalar'; readonly value: number }

export type LogPlan = { readonly kind: 'logs'; readonly selection: Selection; readonly tail: RowTail }

/** What is asked of all rows together: the stages `distinct`, `sort` and `limit`, applied in this order. */
export type RowTail = {
  /** Only the first row, in the direction of the query, of those with equal values of these labels. */
  readonly distinct: readonly string[] | undefined
  readonly sort: { readonly label: string; readonly descending: boolean } | undefined
  readonly limit: number | undefined
}

export type MetricPlan = {
  readonly kind: 'metric'
  readonly root: MetricNode
  readonly leaves: readonly MetricLeaf[]
  /** Set when `sort` or `sort_desc` occurs: an instant answer then keeps the order of evaluation. */
  readonly keepsOrder: boolean
  /** Set when `approx_topk` occurs, which range queries refuse. */
  readonly instantOnly: boolean
}

/** Which entries a log query or a leaf wants, and what happens to them. */
export type Selection = {
  readonly matchers: readonly Matcher[]
  readonly stages: readonly RowStageNode[]
  /** Labels that are read behind the pipeline. */
  readonly needed: NeededLabels
  /** Streams that have one of these labels with another value have no entry that passes `stages`. */
  readonly streamFilters?: readonly StreamFilter[]
  /** What a page must have so that one of its rows may pass `stages`. */
  readonly pageConditions?: PageConditions
}

/** A condition on the text of one label. */
export type StreamFilter = { readonly name: string; readonly filter: LabelPredicate }

/** A range aggregation: how entries become samples, and samples become series. Plain data that can be posted. */
export type MetricLeaf = Selection & {
  /** Lower-case name of the range function, a key of its table. */
  readonly op: string
  /** What an entry counts with: itself, the bytes of its line, its unwrapped value, or the text of `countedLabel`. */
  readonly measure: 'rows' | 'bytes' | 'value' | 'label'
  /** The number before the log range, of `quantile_over_time`. */
  readonly parameter: number | undefined
  /** Entries without the label do not count at all. */
  readonly unwrap: Unwrap<RowStageNode> | undefined
  /** The label whose values `count_distinct_over_time` counts. */
  readonly countedLabel: string | undefined
  /** Divides by the seconds of the window. */
  readonly perSecond: boolean
  /** An entry at t counts at each step T with T - offset - range < t ≤ T - offset. */
  readonly rangeNs: bigint
  readonly offsetNs: bigint
  /** Labels that make a series. */
  readonly grouping: Grouping
  /** The query looks at `__error__` itself: entries with an error are counted instead of failing the query. */
  readonly preserveErrors: boolean
}

export type MetricNode =
  | { readonly kind: 'leaf'; readonly leaf: number }
  | { readonly kind: 'absent'; readonly leaf: number; readonly labels: SeriesLabels }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'vector'; readonly value: number }
  | {
      readonly kind: 'aggregate'
      readonly op: AggregateOp
      readonly parameter: number | undefined
      readonly grouping: LabelGrouping | undefined
      readonly input: MetricNode
    }
  | {
      readonly kind: 'binary'
      readonly op: ArithmeticOp | ComparisonOp
      readonly returnBool: boolean
      readonly matching: Matching | undefined
      readonly left: MetricNode
      readonly right: MetricNode
    }
  | {
      readonly kind: 'set'
      readonly op: SetOp
      readonly matching: Matching | undefined
      readonly left: MetricNode
      readonly right: MetricNode
    }
  | {
      readonly kind: 'label_replace'
      readonly target: string
      readonly replacement: string
      readonly source: string
      readonly regex: string
      readonly input: MetricNode
    }

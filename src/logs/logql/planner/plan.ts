/**
 * How a query will be answered. A metric query becomes a tree whose leaves are range aggregations: the scan computes a set
 * of series for each leaf, ./evaluate.ts does the rest.
 */
import type { Grouping, Matcher } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import type { AggregateOp } from '#/series/aggregate.ts'
import type { LabelGrouping, SeriesLabels } from '#/series/labels.ts'
import type { ArithmeticOp, ComparisonOp, SetOp } from '#/series/operators.ts'
import type { Matching } from '#/series/vector-matching.ts'

export type Plan = LogPlan | MetricPlan | { readonly kind: 'scalar'; readonly value: number }

export type LogPlan = { readonly kind: 'logs'; readonly selection: Selection }

export type MetricPlan = {
  readonly kind: 'metric'
  readonly root: MetricNode
  readonly leaves: readonly MetricLeaf[]
  /** Set when `sort` or `sort_desc` occurs: an instant answer then keeps the order of evaluation. */
  readonly keepsOrder: boolean
}

/** Which entries a log query or a leaf wants, and what happens to them. */
export type Selection = {
  readonly matchers: readonly Matcher[]
  readonly stages: readonly StageNode[]
  /** Labels that are read behind the pipeline. */
  readonly needed: NeededLabels
}

/** A range aggregation: how entries become samples, and samples become series. Plain data that can be posted. */
export type MetricLeaf = Selection & {
  /** What an entry adds to its series. */
  readonly measure: 'rows' | 'bytes'
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

/**
 * The syntax tree of LogQL. Nodes are plain data: they can be posted to a worker. Stage nodes stand in `stage-nodes.ts`.
 * Durations are nanoseconds as numbers.
 */
import type { Matcher, SourceRange, StageBase } from './matcher.ts'
import type { StageNode } from './stage-nodes.ts'

export type { MatchOp, Matcher, SourceRange } from './matcher.ts'

export type LogExpr<S extends StageBase = StageNode> = {
  readonly kind: 'log'
  readonly matchers: readonly Matcher[]
  readonly stages: readonly S[]
  readonly at: SourceRange
}

export type Grouping = { readonly kind: 'by' | 'without'; readonly labels: readonly string[] }

export type Unwrap<S extends StageBase = StageNode> = {
  readonly label: string
  readonly conversion: 'bytes' | 'duration' | 'duration_seconds' | undefined
  /** Label filters behind `unwrap`. */
  readonly filters: readonly S[]
  readonly at: SourceRange
}

export type LogRange<S extends StageBase = StageNode> = {
  readonly log: LogExpr<S>
  readonly unwrap: Unwrap<S> | undefined
  readonly rangeNs: number
  readonly offsetNs: number
  readonly at: SourceRange
}

export type RangeAggregation<S extends StageBase = StageNode> = {
  readonly kind: 'range_aggregation'
  /** Lower-case name, a key of the table of range functions, e.g. `rate`. */
  readonly op: string
  readonly parameter: number | undefined
  /** The label whose values `count_distinct_over_time(label, …)` counts. An extension; set for this function only. */
  readonly label?: string
  readonly range: LogRange<S>
  readonly grouping: Grouping | undefined
  readonly at: SourceRange
}

export type VectorAggregation<S extends StageBase = StageNode> = {
  readonly kind: 'vector_aggregation'
  readonly op: string
  readonly parameter: number | undefined
  readonly expr: MetricExpr<S>
  readonly grouping: Grouping | undefined
  readonly at: SourceRange
}

export type BinaryOp =
  | 'or'
  | 'and'
  | 'unless'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '^'

export type VectorMatching = {
  readonly kind: 'on' | 'ignoring'
  readonly labels: readonly string[]
  readonly group: { readonly side: 'left' | 'right'; readonly include: readonly string[] } | undefined
}

export type BinaryExpr<S extends StageBase = StageNode> = {
  readonly kind: 'binary'
  readonly op: BinaryOp
  readonly returnBool: boolean
  readonly matching: VectorMatching | undefined
  readonly left: MetricExpr<S>
  readonly right: MetricExpr<S>
  readonly at: SourceRange
}

/** A literal, with its sign; number op number is folded into one while parsing. */
export type NumberLiteral = { readonly kind: 'number'; readonly value: number; readonly at: SourceRange }
export type VectorLiteral = { readonly kind: 'vector'; readonly value: number; readonly at: SourceRange }

export type LabelReplace<S extends StageBase = StageNode> = {
  readonly kind: 'label_replace'
  readonly expr: MetricExpr<S>
  readonly target: string
  readonly replacement: string
  readonly source: string
  readonly regex: string
  readonly at: SourceRange
}

export type MetricExpr<S extends StageBase = StageNode> =
  | RangeAggregation<S>
  | VectorAggregation<S>
  | BinaryExpr<S>
  | LabelReplace<S>
  | NumberLiteral
  | VectorLiteral

export type Expr<S extends StageBase = StageNode> = LogExpr<S> | MetricExpr<S>

/** Metric queries: the vector at each time, computed anew from the samples of all entries. */
import type { Grouping, MetricExpr, RangeAggregation } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { binaryVector } from './binary.ts'
import type { StoredEntry } from './entry-state.ts'
import { ReferenceFailure } from './outcome.ts'
import { prepareRange, rangeVector, type PreparedRange } from './range.ts'
import type { Vector } from './samples.ts'
import { aggregateVector, replaceLabels } from './vector.ts'

/** Functions that a `sum` around them turns into one over whole groups. */
const summable = ['count_over_time', 'rate', 'bytes_over_time', 'bytes_rate', 'sum_over_time']

/** The vectors at these times. @throws ReferenceFailure, Undecided */
export function referenceVectors(
  expr: MetricExpr<StageNode>,
  entries: readonly StoredEntry[],
  { times, kind }: { readonly times: readonly bigint[]; readonly kind: 'range' | 'instant' },
): Vector[] {
  if (kind === 'range' && hasSketch(expr)) throw new ReferenceFailure('instant only')
  const ranges = new Map<RangeAggregation<StageNode>, PreparedRange>()
  prepareAll(expr, (range, outer) => ranges.set(range, prepareRange(range, entries, { outer, times })))
  // all samples are looked at before any is combined, so errors of entries come first
  for (const range of ranges.values()) for (const timeNs of times) rangeVector(range, timeNs)
  return times.map((timeNs) => asVector(evaluate(expr, ranges, timeNs)))
}

function hasSketch(expr: MetricExpr<StageNode>): boolean {
  switch (expr.kind) {
    case 'vector_aggregation':
      return expr.op === 'approx_topk' || hasSketch(expr.expr)
    case 'label_replace':
      return hasSketch(expr.expr)
    case 'binary':
      return hasSketch(expr.left) || hasSketch(expr.right)
    case 'range_aggregation':
    case 'number':
    case 'vector':
      return false
  }
}

function prepareAll(
  expr: MetricExpr<StageNode>,
  prepare: (range: RangeAggregation<StageNode>, outer: Grouping | undefined) => void,
): void {
  switch (expr.kind) {
    case 'number':
    case 'vector':
      return
    case 'range_aggregation':
      return prepare(expr, undefined)
    case 'vector_aggregation': {
      const { op, expr: inner, grouping } = expr
      const isSum = op === 'sum' && inner.kind === 'range_aggregation' && summable.includes(inner.op)
      return isSum ? prepare(inner, grouping ?? { kind: 'by', labels: [] }) : prepareAll(inner, prepare)
    }
    case 'binary':
      prepareAll(expr.left, prepare)
      return prepareAll(expr.right, prepare)
    case 'label_replace':
      return prepareAll(expr.expr, prepare)
  }
}

function evaluate(
  expr: MetricExpr<StageNode>,
  ranges: ReadonlyMap<RangeAggregation<StageNode>, PreparedRange>,
  timeNs: bigint,
): Vector | number {
  switch (expr.kind) {
    case 'number':
      return expr.value
    case 'vector':
      return [{ labels: {}, value: expr.value }]
    case 'range_aggregation':
      return rangeVector(ranges.get(expr)!, timeNs)
    case 'vector_aggregation':
      return aggregateVector(expr, asVector(evaluate(expr.expr, ranges, timeNs)))
    case 'binary':
      return binaryVector(expr, evaluate(expr.left, ranges, timeNs), evaluate(expr.right, ranges, timeNs))
    case 'label_replace':
      return replaceLabels(expr, asVector(evaluate(expr.expr, ranges, timeNs)))
  }
}

function asVector(value: Vector | number): Vector {
  return typeof value === 'number' ? [{ labels: {}, value }] : value
}

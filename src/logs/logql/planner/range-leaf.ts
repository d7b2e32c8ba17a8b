/**
 * A range aggregation as a leaf of the plan: what a row counts with, which labels make its series, and which labels must be
 * read for that.
 */
import type { Grouping, LogExpr, Matcher, RangeAggregation, Unwrap } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import { noLabels, setLabel, type SeriesLabels } from '#/series/labels.ts'
import { mentionsError } from './mentions-error.ts'
import type { MetricLeaf } from './plan.ts'
import { splitTail } from './split-tail.ts'

/** The vector aggregation around a range aggregation. */
export type Outer = { readonly op: string; readonly grouping: Grouping | undefined }

/** Labels by which every label makes a series. */
const byAllLabels: Grouping = { kind: 'without', labels: [] }
const byNoLabels: Grouping = { kind: 'by', labels: [] }

/** What a row counts with when there is no unwrap. */
const plainMeasures: Readonly<Record<string, MetricLeaf['measure']>> = {
  bytes_over_time: 'bytes',
  bytes_rate: 'bytes',
  count_distinct_over_time: 'label',
}
const ratesPerSecond: ReadonlySet<string> = new Set(['rate', 'bytes_rate'])

/**
 * Range functions that a vector aggregation around them may group for: the numbers stay the same. For `min` and `max` the scan
 * still reads every label, as it would without: which lines fail must not change.
 */
export const mergeable: Readonly<Record<string, ReadonlySet<string>>> = {
  sum: new Set(['count_over_time', 'rate', 'bytes_over_time', 'bytes_rate', 'sum_over_time']),
  min: new Set(['min_over_time']),
  max: new Set(['max_over_time']),
}

/** `outer` is the vector aggregation directly around; where that is sound the scan makes its groups, so that inner series never exist. */
export function makeRangeLeaf(expr: RangeAggregation<StageNode>, outer: Outer | undefined): MetricLeaf {
  const { op, parameter, label, range } = expr
  const { unwrap } = range
  const own = ownGrouping(expr, outer)
  const counts = op === 'absent_over_time' || unwrap === undefined
  return {
    op,
    measure: counts ? (plainMeasures[op] ?? 'rows') : 'value',
    parameter,
    perSecond: ratesPerSecond.has(op),
    unwrap: unwrap && { ...unwrap, filters: splitTail(unwrap.filters).rowStages },
    countedLabel: label,
    matchers: range.log.matchers,
    stages: splitTail(range.log.stages).rowStages,
    needed: neededLabels(own, unwrap, label),
    rangeNs: BigInt(range.rangeNs),
    offsetNs: BigInt(range.offsetNs),
    grouping: leafGrouping(own, expr, outer),
    preserveErrors: mentionsError([...range.log.stages, ...(unwrap?.filters ?? [])], own),
  }
}

/** Labels that a missing series would certainly have: those that exactly one matcher names, with `=`. */
export function absentLabels({ matchers }: LogExpr<StageNode>): SeriesLabels {
  const isCertain = ({ name, op }: Matcher): boolean =>
    op === '=' && matchers.filter((other) => other.name === name).length === 1
  return matchers
    .filter(isCertain)
    .reduce<SeriesLabels>((labels, { name, value }) => setLabel(labels, name, value), noLabels)
}

/** The labels that make the series of the range aggregation, as Loki sees it. */
function ownGrouping({ op, grouping }: RangeAggregation<StageNode>, outer: Outer | undefined): Grouping {
  if (op === 'absent_over_time') return byNoLabels
  // a sum hands its groups down in Loki too: labels that it drops are not parsed and cannot fail, and it may name the unwrapped one
  if (outer?.op === 'sum' && grouping === undefined && mergeable['sum']!.has(op)) return outer.grouping ?? byNoLabels
  return grouping ?? byAllLabels
}

/** The labels that make the series of the scan. */
function leafGrouping(
  own: Grouping,
  { op, label, range, grouping }: RangeAggregation<StageNode>,
  outer: Outer | undefined,
): Grouping {
  // the label that is read would make each value a series of its own; only `by` may ask for that
  const read = range.unwrap?.label ?? label
  if (own.kind === 'by') return own
  if (grouping !== undefined || outer === undefined || mergeable[outer.op]?.has(op) !== true) return leaveOut(own, read)
  return leaveOut(outer.grouping ?? byNoLabels, read)
}

function leaveOut(grouping: Grouping, label: string | undefined): Grouping {
  if (label === undefined) return grouping
  const others = grouping.labels.filter((name) => name !== label)
  return { kind: grouping.kind, labels: grouping.kind === 'by' ? others : [...others, label] }
}

function neededLabels(grouping: Grouping, unwrap: Unwrap | undefined, counted: string | undefined): NeededLabels {
  if (grouping.kind === 'without') return 'all'
  const names = new Set(grouping.labels)
  if (counted !== undefined) names.add(counted)
  if (unwrap !== undefined) names.add(unwrap.label)
  for (const stage of unwrap?.filters ?? []) if (stage.kind === 'label_filter') addNames(stage.filter, names)
  return names
}

function addNames(predicate: LabelPredicate, names: Set<string>): void {
  if (predicate.kind === 'and' || predicate.kind === 'or') for (const term of predicate.terms) addNames(term, names)
  else names.add(predicate.name)
}

/**
 * Aggregation over label groups, step by step: `sum avg min max count stddev stdvar` give one series per group, `topk` and
 * `bottomk` (./top-k.ts) keep series as they are, `sort` and `sort_desc` order them.
 */
import { compareLabels, groupLabels, labelsKey, type LabelGrouping, type SeriesLabels } from './labels.ts'
import { newSeries, withoutEmpty, type Series, type SeriesSet } from './series-set.ts'
import { keepExtremes } from './top-k.ts'

export type AggregateOp =
  | 'sum'
  | 'avg'
  | 'min'
  | 'max'
  | 'count'
  | 'stddev'
  | 'stdvar'
  | 'topk'
  | 'bottomk'
  | 'sort'
  | 'sort_desc'

export type Aggregation = {
  readonly op: AggregateOp
  readonly grouping: LabelGrouping | undefined
  /** The k of `topk` and `bottomk`. */
  readonly parameter: number | undefined
}

const names: ReadonlySet<string> = new Set<AggregateOp>([
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'sort',
  'sort_desc',
])

export function isAggregateOp(name: string): name is AggregateOp {
  return names.has(name)
}

export function aggregate(set: SeriesSet, { op, grouping, parameter }: Aggregation): SeriesSet {
  if (op === 'sort' || op === 'sort_desc') return sortByValue(set, op === 'sort' ? 1 : -1)
  const groups = groupSeries(set.series, grouping)
  if (op === 'topk' || op === 'bottomk') {
    const series = groups.flatMap(({ members }) => keepExtremes(members, set.stepCount, { op, k: parameter ?? 0 }))
    return withoutEmpty({ stepCount: set.stepCount, series })
  }
  const series = groups.map(({ labels, members }) => combine(labels, members, set.stepCount, folds[op]))
  return withoutEmpty({ stepCount: set.stepCount, series })
}

type Group = { readonly labels: SeriesLabels; readonly members: Series[] }

function groupSeries(series: readonly Series[], grouping: LabelGrouping | undefined): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const one of series) {
    const labels = groupLabels(one.labels, grouping)
    const key = labelsKey(labels)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { labels, members: [one] })
    else group.members.push(one)
  }
  return [...groups.values()]
}

/** Adds the samples of `member` to a group: `result` holds what was folded so far, `counts` how many samples that were. */
type Fold = {
  readonly add: (result: Float64Array, step: number, value: number, count: number) => void
  /** Makes the result of one step from what was folded; `count` is at least 1. */
  readonly finish: ((folded: number, count: number) => number) | undefined
}

const sum: Fold = {
  add: (result, step, value) => void (result[step]! += value),
  finish: undefined,
}

/** Keeps the better one; a number always replaces NaN. */
function extreme(isBetter: (value: number, than: number) => boolean): Fold {
  return {
    add: (result, step, value, count) => {
      const current = result[step]!
      if (count === 0 || isBetter(value, current) || Number.isNaN(current)) result[step] = value
    },
    finish: undefined,
  }
}

type FoldedOp = Exclude<AggregateOp, 'topk' | 'bottomk' | 'sort' | 'sort_desc' | 'stddev' | 'stdvar'>

const simpleFolds: Readonly<Record<FoldedOp, Fold>> = {
  sum,
  avg: { add: sum.add, finish: (total, count) => total / count },
  min: extreme((value, than) => value < than),
  max: extreme((value, than) => value > than),
  count: { add: () => undefined, finish: (_, count) => count },
}

const folds: Readonly<Record<FoldedOp | 'stddev' | 'stdvar', Fold | 'stddev' | 'stdvar'>> = {
  ...simpleFolds,
  stddev: 'stddev',
  stdvar: 'stdvar',
}

function combine(
  labels: SeriesLabels,
  members: readonly Series[],
  stepCount: number,
  fold: Fold | 'stddev' | 'stdvar',
): Series {
  if (fold === 'stddev' || fold === 'stdvar') return deviation(labels, members, stepCount, fold)
  const result = newSeries(labels, stepCount)
  const counts = new Uint32Array(stepCount)
  for (const { values, present } of members) {
    for (let step = 0; step < stepCount; step++) {
      if (present[step] === 0) continue
      fold.add(result.values, step, values[step]!, counts[step]!)
      counts[step]!++
    }
  }
  for (let step = 0; step < stepCount; step++) {
    const count = counts[step]!
    if (count === 0) continue
    result.present[step] = 1
    if (fold.finish !== undefined) result.values[step] = fold.finish(result.values[step]!, count)
  }
  return result
}

/** Population variance by Welford's method, or its square root. */
function deviation(
  labels: SeriesLabels,
  members: readonly Series[],
  stepCount: number,
  kind: 'stddev' | 'stdvar',
): Series {
  const result = newSeries(labels, stepCount)
  const means = new Float64Array(stepCount)
  const squares = new Float64Array(stepCount)
  const counts = new Uint32Array(stepCount)
  for (const { values, present } of members) {
    for (let step = 0; step < stepCount; step++) {
      if (present[step] === 0) continue
      const value = values[step]!
      const count = ++counts[step]!
      const delta = value - means[step]!
      means[step]! += delta / count
      squares[step]! += delta * (value - means[step]!)
    }
  }
  for (let step = 0; step < stepCount; step++) {
    if (counts[step] === 0) continue
    const variance = squares[step]! / counts[step]!
    result.present[step] = 1
    result.values[step] = kind === 'stdvar' ? variance : Math.sqrt(variance)
  }
  return result
}

/**
 * Orders the series of an instant vector by value, NaN last, equal values by labels, so that answers do not depend on the order in
 * which series were found. A set of several steps has no such order and stays.
 */
function sortByValue(set: SeriesSet, sign: 1 | -1): SeriesSet {
  if (set.stepCount !== 1) return set
  const order = (a: number, b: number): number => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return a === b ? 0 : sign * (a < b ? -1 : 1)
  }
  const series = set.series.toSorted((a, b) => order(a.values[0]!, b.values[0]!) || compareLabels(a.labels, b.labels))
  return { stepCount: 1, series }
}

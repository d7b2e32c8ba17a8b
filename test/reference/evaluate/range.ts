/** Range aggregations: entries become samples, samples become series, and each window of a series a value. */
import type { Grouping, Matcher, RangeAggregation } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { seconds, toBytes, toDuration, toNumber } from './conversions.ts'
import {
  labelOf,
  visibleLabels,
  without,
  withError,
  type EntryState,
  type Fields,
  type Needed,
  type StoredEntry,
} from './entry-state.ts'
import { rowStages, withValues } from './log-query.ts'
import { predicateNames } from './needs.ts'
import { ReferenceFailure, Undecided } from './outcome.ts'
import { runPipeline } from './pipeline.ts'
import { applyRangeFunction, type WindowSample } from './range-functions.ts'
import { runLabelFilter } from './label-filters.ts'
import { grouped, keyOf, pickLabels, type Vector } from './samples.ts'

type SeriesSample = WindowSample & {
  readonly labels: Fields
  readonly error: string
  /** The labels of its series have details of an error. */
  readonly showsDetails: boolean
}

/** A range aggregation whose entries are already samples, ready for any time. */
export type PreparedRange = {
  readonly expr: RangeAggregation<StageNode>
  readonly samples: readonly SeriesSample[]
  /** The query deals with errors itself. */
  readonly keepsErrors: boolean
}

/** `outer` is the grouping of a `sum` that stands directly around a function which can be summed: it groups the samples then. */
export function prepareRange(
  expr: RangeAggregation<StageNode>,
  allEntries: readonly StoredEntry[],
  { outer, times }: { readonly outer: Grouping | undefined; readonly times: readonly bigint[] },
): PreparedRange {
  const { range } = expr
  const entries = entriesOfWindows(expr, allEntries, times)
  const grouping = outer ?? expr.grouping
  const stages = withValues(rowStages(range.log.stages), entries)
  const filters = withValues(rowStages(range.unwrap?.filters ?? []), entries)
  const needed = neededLabels(expr, grouping)
  // what the filters behind `unwrap` read counts as read behind the pipeline
  const behind: Needed = needed === 'all' ? 'all' : new Set([...needed, ...filters.flatMap(filterNames)])
  const states = runPipeline({ matchers: range.log.matchers, stages }, entries, behind)
  const samples = states.flatMap((state) =>
    toSample({ ...expr, range: { ...range, unwrap: range.unwrap && { ...range.unwrap, filters } } }, grouping, state),
  )
  const isMentioned = (name: string): boolean => name === '__error__' || name === '__error_details__'
  const keepsErrors =
    [...stages, ...filters].some((stage) => filterNames(stage).some(isMentioned)) ||
    (grouping?.kind === 'by' && grouping.labels.some(isMentioned))
  return { expr, samples: samples.toSorted((a, b) => Number(a.timeNs - b.timeNs)), keepsErrors }
}

/** What stands between the start of the first window and the end of the last one. */
function entriesOfWindows(
  { range }: RangeAggregation<StageNode>,
  entries: readonly StoredEntry[],
  times: readonly bigint[],
): StoredEntry[] {
  const endNs = times.at(-1)! - BigInt(range.offsetNs)
  const startNs = times[0]! - BigInt(range.offsetNs) - BigInt(range.rangeNs)
  return entries.filter(({ timeNs }) => timeNs > startNs && timeNs <= endNs)
}

function filterNames(stage: StageNode): string[] {
  return stage.kind === 'label_filter' ? predicateNames(stage.filter) : []
}

function neededLabels({ op, range, label }: RangeAggregation<StageNode>, grouping: Grouping | undefined): Needed {
  const own = [...(range.unwrap ? [range.unwrap.label] : []), ...(label === undefined ? [] : [label])]
  if (op === 'absent_over_time') return new Set(own)
  return grouping?.kind === 'by' ? new Set([...grouping.labels, ...own]) : 'all'
}

function toSample(
  { range, label }: RangeAggregation<StageNode>,
  grouping: Grouping | undefined,
  behindPipeline: EntryState,
): SeriesSample[] {
  const { unwrap } = range
  let state: EntryState | undefined = behindPipeline
  let value = 1
  if (unwrap !== undefined) {
    const text = labelOf(state, unwrap.label)
    if (text === undefined || text === '') return []
    const converted = convert(unwrap.conversion, text)
    value = converted ?? 0
    if (converted === undefined) state = withError(state, 'SampleExtractionErr')
    for (const filter of unwrap.filters) {
      if (filter.kind === 'label_filter') state = state && runLabelFilter(filter.filter, state)
    }
    if (state === undefined) return []
  }
  const text = label === undefined ? undefined : labelOf(state, label)
  if (label !== undefined && (text ?? '') === '') return []
  const visible = visibleLabels(state)
  const marked = state.error === '' ? visible : { ...visible, __preserve_error__: 'true' }
  // the label that is read would make each value a series of its own; only `by` may ask for that
  const read = unwrap?.label ?? label
  const rest = read !== undefined && grouping?.kind !== 'by' ? without(marked, read) : marked
  const labels = grouped(rest, grouping ?? { kind: 'without', labels: [] })
  const showsDetails =
    state.hasDetails && (grouping?.kind === 'by') === (grouping?.labels ?? []).includes('__error_details__')
  const { timeNs, line, base, error } = state
  return [{ timeNs, value, bytes: Buffer.byteLength(line), stream: keyOf(base), text, labels, error, showsDetails }]
}

function convert(conversion: 'bytes' | 'duration' | 'duration_seconds' | undefined, text: string): number | undefined {
  if (conversion === undefined) return toNumber(text)
  if (conversion === 'bytes') return toBytes(text)
  const ns = toDuration(text)
  return ns === undefined ? undefined : seconds(ns)
}

/** The vector at one time. @throws ReferenceFailure when a sample in the window has an error that the query does not expect. */
export function rangeVector({ expr, samples, keepsErrors }: PreparedRange, timeNs: bigint): Vector {
  const { op, parameter, range } = expr
  const endNs = timeNs - BigInt(range.offsetNs)
  const startNs = endNs - BigInt(range.rangeNs)
  const within = samples.filter((sample) => sample.timeNs > startNs && sample.timeNs <= endNs)
  if (!keepsErrors && within.some(({ error }) => error !== '')) throw new ReferenceFailure('pipeline error')
  if (op === 'absent_over_time') {
    return within.length > 0 ? [] : [{ labels: certainLabels(range.log.matchers), value: 1 }]
  }
  if (within.some(({ showsDetails }) => showsDetails)) throw new Undecided('the wording of an error makes a series')
  const window = { hasValues: range.unwrap !== undefined, parameter, startNs, endNs }
  return [...Map.groupBy(within, ({ labels }) => keyOf(labels)).values()].map((series) => ({
    labels: series[0]!.labels,
    value: applyRangeFunction(op, { ...window, samples: series }),
  }))
}

/** Labels that a missing series would certainly have. */
function certainLabels(matchers: readonly Matcher[]): Fields {
  const certain = matchers.filter(
    ({ name, op, value }) => op === '=' && value !== '' && matchers.filter((one) => one.name === name).length === 1,
  )
  return pickLabels(
    Object.fromEntries(certain.map(({ name, value }) => [name, value])),
    certain.map(({ name }) => name),
  )
}

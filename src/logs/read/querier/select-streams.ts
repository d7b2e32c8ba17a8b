/** The streams that a question to the indexes is about: source by source, those that a selector matches and that have an entry in the range. */
import { throwIfAborted } from '#/kernel/errors.ts'
import { clipToDay, type Day } from '#/logs/model/day.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { MetadataQuery } from '#/logs/wire/query.ts'
import type { LabelMatcher } from '#/storage/index/label-index.ts'
import { labelMatchers } from '#/logs/logql/planner/label-matchers.ts'
import type { QueryRun } from './query-run.ts'
import type { Source } from './source.ts'
import { narrowTenants, narrowView, openDay, takeView } from './view.ts'

/** Streams of one source: ascending ordinals; undefined: all. */
export type SelectedStreams = {
  readonly source: Source
  readonly ordinals: Uint32Array | undefined
  readonly day: Day
  /** The part of the range in this day, `from` included, `to` excluded. */
  readonly from: number
  readonly to: number
}

/** Both ends of the range are included. */
export async function* selectStreams(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  { tenant, selectors, startNs, endNs }: MetadataQuery,
): AsyncGenerator<SelectedStreams> {
  const range = { startNs, endNs: endNs + 1n }
  const groups = selectors.map(labelMatchers)
  const view = await takeView(run, ingesters, tenant, range)
  run.stats.blocksTotal = view.reduce((sum, { blocks }) => sum + blocks.length, 0)
  for (const dayView of narrowView(view, range)) {
    const { day } = dayView
    const { from, to } = clipToDay(range, day)
    for (const source of await openDay(run, narrowTenants(dayView, groups), { from, to, selectors: groups })) {
      throwIfAborted(run.signal)
      run.stats.pagesTotal += source.pages.length
      const matched = matchAny(source, groups)
      const ordinals = streamsInside(source, matched, { from, to })
      if (ordinals === undefined || ordinals.length > 0) yield { source, ordinals, day, from, to }
    }
  }
}

/** The ordinals of the selected streams one by one. Indexes of heads may grow meanwhile: what comes then is not selected. */
export function* eachOrdinal({ source, ordinals }: SelectedStreams): Generator<number> {
  if (ordinals !== undefined) return yield* ordinals
  const { count } = source.index
  for (let ordinal = 0; ordinal < count; ordinal++) yield ordinal
}

function matchAny({ index }: Source, groups: readonly (readonly LabelMatcher[])[]): Uint32Array | undefined {
  if (groups.length === 0) return undefined
  if (groups.length === 1) {
    const matched = index.match(groups[0]!)
    return matched.length === index.count ? undefined : matched
  }
  const found = new Set<number>()
  for (const group of groups) for (const ordinal of index.match(group)) found.add(ordinal)
  return Uint32Array.from(found).sort()
}

type Window = { readonly from: number; readonly to: number }

/** Those of `ordinals` with an entry in the window; for blocks, whose rows are not read, those with a run that reaches into it. */
function streamsInside(
  source: Source,
  ordinals: Uint32Array | undefined,
  { from, to }: Window,
): Uint32Array | undefined {
  if (source.minTime >= to || source.maxTime < from) return new Uint32Array(0)
  if (source.minTime >= from && source.maxTime < to && source.hidden === undefined) return ordinals
  const isInside = new Uint8Array(source.index.count)
  if (source.data.kind === 'block') {
    const { stream, minTime, maxTime } = source.data.block.runs
    for (let i = 0; i < stream.length; i++) if (minTime[i]! < to && maxTime[i]! >= from) isInside[stream[i]!] = 1
  } else {
    for (const { rowCount, stream, time } of source.data.pages) {
      for (let row = 0; row < rowCount; row++) if (time[row]! >= from && time[row]! < to) isInside[stream[row]!] = 1
    }
  }
  return (ordinals ?? Uint32Array.from(isInside.keys())).filter((ordinal) => isInside[ordinal] === 1)
}

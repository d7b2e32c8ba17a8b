/** Labels, values, series and sizes from heads and block indexes alone: no page is read. */
import { throwIfAborted } from '#/kernel/errors.ts'
import { clipToDay } from '#/logs/model/day.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { IndexStats, MetadataQuery } from '#/logs/wire/query.ts'
import type { LabelMatcher, Labels } from '#/storage/index/label-index.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { labelMatchers } from './label-matchers.ts'
import type { QueryRun } from './query-run.ts'
import type { Source } from './source.ts'
import { narrowView, openDay, takeView } from './view.ts'

/** Streams of a source that have an entry in the range: ascending ordinals; undefined: all. */
type Selected = {
  readonly source: Source
  readonly ordinals: Uint32Array | undefined
  readonly from: number
  readonly to: number
}

export async function findLabelNames(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<readonly string[]> {
  const names = new Set<string>()
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    for (const name of source.index.names(ordinals)) names.add(name)
  }
  return [...names].toSorted(compareUtf8)
}

export async function findLabelValues(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
  name: string,
): Promise<readonly string[]> {
  const values = new Set<string>()
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    for (const value of source.index.values(name, ordinals)) values.add(value)
  }
  return [...values].toSorted(compareUtf8)
}

export async function findSeries(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<readonly Labels[]> {
  const found = new Map<string, Labels>()
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    for (const ordinal of ordinals ?? everyOrdinal(source)) {
      const text = source.index.text(ordinal)
      if (!found.has(text)) found.set(text, source.index.labels(ordinal))
    }
  }
  return [...found].toSorted(([a], [b]) => compareUtf8(a, b)).map(([, labels]) => labels)
}

/** Blocks count by stream; a stream that lies partly outside of the range counts in proportion. */
export async function findIndexStats(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<IndexStats> {
  const streams = new Set<string>()
  const total = { chunks: 0, bytes: 0, entries: 0 }
  for await (const selected of selectStreams(run, ingesters, query)) {
    const { source, ordinals } = selected
    for (const ordinal of ordinals ?? everyOrdinal(source)) streams.add(source.index.text(ordinal))
    const size = source.data.kind === 'block' ? blockSize(selected) : headSize(selected)
    total.chunks += size.chunks
    total.bytes += size.bytes
    total.entries += size.entries
  }
  return { streams: streams.size, ...total }
}

type Size = Omit<IndexStats, 'streams'>

function blockSize({ source, ordinals, from, to }: Selected): Size {
  if (source.data.kind !== 'block') return { chunks: 0, bytes: 0, entries: 0 }
  const { block } = source.data
  let [bytes, entries] = [0, 0]
  for (const { rowCount, rawBytes, minTime, maxTime } of block.streamStats(ordinals)) {
    const inside = Math.min(maxTime, to - 1) - Math.max(minTime, from)
    if (inside < 0) continue
    const share = maxTime === minTime ? 1 : inside / (maxTime - minTime)
    bytes += rawBytes * share
    entries += rowCount * share
  }
  return { chunks: block.selectPages(ordinals, from, to).length, bytes: Math.ceil(bytes), entries: Math.ceil(entries) }
}

function headSize({ source, ordinals, from, to }: Selected): Size {
  const isWanted = ordinals === undefined ? undefined : flagsOf(source, ordinals)
  let [chunks, bytes, entries] = [0, 0, 0]
  for (const { rowCount, stream, time, lineStart, metaStart } of source.data.kind === 'head' ? source.data.pages : []) {
    const before = entries
    for (let row = 0; row < rowCount; row++) {
      const t = time[row]!
      if (t < from || t >= to || isWanted?.[stream[row]!] === 0) continue
      entries++
      bytes += lineStart[row + 1]! - lineStart[row]! + metaStart[row + 1]! - metaStart[row]!
    }
    if (entries > before) chunks++
  }
  return { chunks, bytes, entries }
}

/** Source by source the streams that a selector matches and that have an entry in [start, end]. */
async function* selectStreams(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  { tenant, selectors, startNs, endNs }: MetadataQuery,
): AsyncGenerator<Selected> {
  const range = { startNs, endNs: endNs + 1n }
  const groups = selectors.map(labelMatchers)
  const view = await takeView(run, ingesters, tenant, range)
  for (const dayView of narrowView(view, range)) {
    const { from, to } = clipToDay(range, dayView.day)
    for (const source of await openDay(dayView, run.cache)) {
      throwIfAborted(run.signal)
      const matched = matchAny(source, groups)
      const ordinals = streamsInside(source, matched, { from, to })
      if (ordinals === undefined || ordinals.length > 0) yield { source, ordinals, from, to }
    }
  }
}

function matchAny({ index }: Source, groups: readonly (readonly LabelMatcher[])[]): Uint32Array | undefined {
  if (groups.length === 0) return undefined
  if (groups.length === 1) return index.match(groups[0]!)
  const found = new Set<number>()
  for (const group of groups) for (const ordinal of index.match(group)) found.add(ordinal)
  return Uint32Array.from(found).sort()
}

type Window = { readonly from: number; readonly to: number }

/** Those of `ordinals` with an entry in the window; for blocks, whose rows are not read, those whose times reach into it. */
function streamsInside(
  source: Source,
  ordinals: Uint32Array | undefined,
  { from, to }: Window,
): Uint32Array | undefined {
  if (source.minTime >= to || source.maxTime < from) return new Uint32Array(0)
  if (source.minTime >= from && source.maxTime < to) return ordinals
  const isInside = new Uint8Array(source.index.count)
  if (source.data.kind === 'block') {
    for (const { ordinal, minTime, maxTime } of source.data.block.streamStats(ordinals)) {
      if (minTime < to && maxTime >= from) isInside[ordinal] = 1
    }
  } else {
    for (const { rowCount, stream, time } of source.data.pages) {
      for (let row = 0; row < rowCount; row++) if (time[row]! >= from && time[row]! < to) isInside[stream[row]!] = 1
    }
  }
  return (ordinals ?? Uint32Array.from(isInside.keys())).filter((ordinal) => isInside[ordinal] === 1)
}

function flagsOf({ index }: Source, ordinals: Uint32Array): Uint8Array {
  const flags = new Uint8Array(index.count)
  for (const ordinal of ordinals) flags[ordinal] = 1
  return flags
}

function* everyOrdinal({ index }: Source): Generator<number> {
  for (let ordinal = 0; ordinal < index.count; ordinal++) yield ordinal
}

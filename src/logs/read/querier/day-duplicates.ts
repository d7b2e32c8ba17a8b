/**
 * Finds entries that several sources of a day have (replicas, replays, an upload that was repeated), so that each counts once.
 *
 * Costs nothing where nothing overlaps: sources are compared by their times first, then stream by stream, then the rows of
 * streams that overlap by (stream, time, length), and only pages with rows that agree in these are compared by bytes.
 */
import type { DuplicatePart, DuplicatesResult } from '#/logs/read/scan/scan-job.ts'
import type { SelectedSource } from './day-scan.ts'
import type { QueryRun } from './query-run.ts'
import { readPages, selectPages, type Source, type SourcePage } from './source.ts'

/** Rows are compared one slice of time after the other, each within this part of what the query may hold. */
const SLICE_SHARE = 0.5
const HOUR_NS = 3600e9
/** Slices are not cut further than this, however many rows they have. */
const MIN_SLICE_NS = 1e9
/** Memory of a row while it is compared: decoded columns and its place in the hash table. */
const BYTES_PER_ROW = 56

type Window = { readonly from: number; readonly to: number }
type Masks = Map<number, Uint8Array<SharedArrayBuffer>>

/** Masks by page order: rows that an earlier source has too. Sources come in the order of insertion. */
export async function findDayDuplicates(
  run: QueryRun,
  sources: readonly SelectedSource[],
  window: Window,
): Promise<Masks> {
  const candidates = overlappingStreams(sources, window)
  const masks: Masks = new Map()
  if (candidates === undefined) return masks
  const maxBytes = run.shareBytes * SLICE_SHARE
  for (const slice of hours(candidates.window)) {
    for (const part of split(candidates, slice, { comparesBytes: false, maxBytes })) {
      const met = await compare(run, part)
      if (met.pages.length === 0) continue
      const orders = new Set(met.pages)
      const suspects = { comparesBytes: true, maxBytes, isWanted: ({ order }: SourcePage) => orders.has(order) }
      for (const narrow of split(candidates, part, suspects)) {
        const found = await compare(run, narrow)
        run.stats.duplicateRows += found.rowCount
        for (const { order, mask } of found.dropped) addMask(masks, order, mask)
      }
    }
  }
  return masks
}

/** A page that reaches over several slices of time has a mask from each. */
function addMask(masks: Masks, order: number, mask: Uint8Array<SharedArrayBuffer>): void {
  const known = masks.get(order)
  if (known === undefined) masks.set(order, mask)
  else for (let i = 0; i < mask.length; i++) known[i]! |= mask[i]!
}

type Candidates = {
  /** The times in which any stream overlaps, `to` excluded. */
  readonly window: Window
  /** By source: a number for each stream that overlaps, 0 for the others. */
  readonly streams: ReadonlyMap<Source, Uint32Array<SharedArrayBuffer>>
}

type StreamRange = {
  readonly source: Source
  readonly ordinal: number
  readonly minTime: number
  readonly maxTime: number
}

/** Streams that several sources have at overlapping times; undefined when there is none. */
function overlappingStreams(sources: readonly SelectedSource[], window: Window): Candidates | undefined {
  const inWindow = sources.filter(({ source }) => source.minTime < window.to && source.maxTime >= window.from)
  const overlap = findOverlap(inWindow, ({ source }) => source)
  if (overlap === undefined) return undefined
  const times = { from: Math.max(overlap.from, window.from), to: Math.min(overlap.to, window.to) }
  const byText = new Map<string, StreamRange[]>()
  for (const { source, ordinals } of overlap.items) {
    for (const range of streamRanges(source, ordinals, times)) {
      const text = source.index.text(range.ordinal)
      const ranges = byText.get(text)
      if (ranges === undefined) byText.set(text, [range])
      else ranges.push(range)
    }
  }
  return chooseStreams(byText, times)
}

function chooseStreams(byText: ReadonlyMap<string, readonly StreamRange[]>, window: Window): Candidates | undefined {
  const streams = new Map<Source, Uint32Array<SharedArrayBuffer>>()
  let [from, to, identity] = [Infinity, -Infinity, 0]
  for (const ranges of byText.values()) {
    const overlap = ranges.length > 1 ? findOverlap(ranges, (range) => range) : undefined
    if (overlap === undefined) continue
    identity++
    from = Math.min(from, overlap.from)
    to = Math.max(to, overlap.to)
    for (const { source, ordinal } of overlap.items) {
      let numbers = streams.get(source)
      if (numbers === undefined) {
        numbers = new Uint32Array(new SharedArrayBuffer(source.index.count * 4))
        streams.set(source, numbers)
      }
      numbers[ordinal] = identity
    }
  }
  if (identity === 0) return undefined
  return { window: { from: Math.max(from, window.from), to: Math.min(to, window.to) }, streams }
}

type Times = { readonly minTime: number; readonly maxTime: number }

/** Those of `items` whose times overlap with another one's, and the window in which any two do; undefined when none do. */
function findOverlap<T>(
  items: readonly T[],
  timesOf: (item: T) => Times,
): (Window & { readonly items: ReadonlySet<T> }) | undefined {
  const found = new Set<T>()
  let [from, to] = [Infinity, -Infinity]
  let latest: T | undefined
  // In the order of their starts, an item overlaps longest with the one before it that ends last.
  for (const item of items.toSorted((a, b) => timesOf(a).minTime - timesOf(b).minTime)) {
    const { minTime, maxTime } = timesOf(item)
    const latestEnd = latest === undefined ? -Infinity : timesOf(latest).maxTime
    if (latest !== undefined && minTime <= latestEnd) {
      found.add(latest).add(item)
      from = Math.min(from, minTime)
      to = Math.max(to, Math.min(maxTime, latestEnd) + 1)
    }
    if (maxTime > latestEnd) latest = item
  }
  return found.size === 0 ? undefined : { from, to, items: found }
}

/** Least and greatest time of each wanted stream of a source; those of blocks may reach beyond the window. */
function streamRanges(source: Source, ordinals: Uint32Array | undefined, window: Window): Iterable<StreamRange> {
  if (source.data.kind === 'block') {
    return source.data.block
      .streamStats(ordinals)
      .filter(({ minTime, maxTime }) => minTime < window.to && maxTime >= window.from)
      .map(({ ordinal, minTime, maxTime }) => ({ source, ordinal, minTime, maxTime }))
  }
  return headRanges(source, ordinals, window)
}

function headRanges(source: Source, ordinals: Uint32Array | undefined, { from, to }: Window): StreamRange[] {
  const { index, data } = source
  const least = new Float64Array(index.count).fill(Infinity)
  const greatest = new Float64Array(index.count).fill(-Infinity)
  for (const { rowCount, stream, time, minTime, maxTime } of data.kind === 'head' ? data.pages : []) {
    if (minTime >= to || maxTime < from) continue
    for (let row = 0; row < rowCount; row++) {
      const t = time[row]!
      if (t < from || t >= to) continue
      const ordinal = stream[row]!
      if (t < least[ordinal]!) least[ordinal] = t
      if (t > greatest[ordinal]!) greatest[ordinal] = t
    }
  }
  const ranges: StreamRange[] = []
  for (const ordinal of ordinals ?? least.keys()) {
    if (greatest[ordinal]! < 0) continue
    ranges.push({ source, ordinal, minTime: least[ordinal]!, maxTime: greatest[ordinal]! })
  }
  return ranges
}

/** Whole hours where they can be: pages of blocks never reach beyond one. */
function* hours({ from, to }: Window): Generator<Window> {
  for (let start = from; start < to;) {
    const end = Math.min(to, (Math.floor(start / HOUR_NS) + 1) * HOUR_NS)
    yield { from: start, to: end }
    start = end
  }
}

type SplitOptions = {
  readonly comparesBytes: boolean
  readonly maxBytes: number
  /** All pages when undefined. */
  readonly isWanted?: (page: SourcePage) => boolean
}

/** What is compared in one job: equal rows have equal times, so slices of time can be compared one by one. */
type Slice = Window & {
  readonly comparesBytes: boolean
  readonly bytes: number
  readonly pages: readonly (readonly [Source, Uint32Array<SharedArrayBuffer>, readonly SourcePage[]])[]
}

/** Cuts `window` in halves until the pages of each piece fit into `maxBytes`. */
function* split(candidates: Candidates, window: Window, options: SplitOptions): Generator<Slice> {
  const { comparesBytes, maxBytes, isWanted = () => true } = options
  const { from, to } = window
  const inOrder = [...candidates.streams].toSorted(([a], [b]) => a.pages[0]!.order - b.pages[0]!.order)
  let bytes = 0
  const pages = inOrder.map(([source, numbers]) => {
    const ordinals = Uint32Array.from(numbers.keys().filter((ordinal) => numbers[ordinal] !== 0))
    const selected = selectPages(source, ordinals, { from, to }).filter(isWanted)
    for (const page of selected) {
      bytes += page.rowCount * BYTES_PER_ROW + (comparesBytes ? page.sizeBytes + page.lineBytes : 0)
    }
    return [source, numbers, selected] as const
  })
  const filled = pages.filter(([, , selected]) => selected.length > 0)
  if (filled.length < 2) return
  if (bytes <= maxBytes || to - from <= MIN_SLICE_NS) {
    yield { from, to, comparesBytes, bytes: Math.min(bytes, maxBytes), pages: filled }
    return
  }
  const middle = Math.floor((from + to) / 2)
  yield* split(candidates, { from, to: middle }, options)
  yield* split(candidates, { from: middle, to }, options)
}

async function compare(run: QueryRun, slice: Slice): Promise<DuplicatesResult> {
  const { from, to, comparesBytes, bytes } = slice
  await run.reserve(bytes)
  const memory = run.buffers.lease()
  try {
    const columns = { lengths: true, lines: comparesBytes, meta: comparesBytes ? ('all' as const) : [] }
    const parts: DuplicatePart[] = []
    for (const [source, streams, pages] of slice.pages) {
      const read = await readPages(source, pages, { columns, from, to, dropped: new Map(), memory, signal: run.signal })
      parts.push({ streams, pages: read })
    }
    const result = await run.runJob({ kind: 'duplicates', from, to, parts, comparesBytes }, false)
    if (result.kind !== 'duplicates') throw new TypeError(`a job for duplicates answered ${result.kind}`)
    return result
  } finally {
    memory.release()
    run.release(bytes)
  }
}

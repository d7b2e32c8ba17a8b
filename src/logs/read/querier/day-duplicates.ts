/**
 * Finds entries that several sources of a day have (replicas, replays, an upload that was repeated), so that each counts once.
 *
 * Costs nothing where nothing overlaps: sources are compared by their times first, then stream by stream, then the rows of
 * streams that overlap by (stream, time, length), and only pages with rows that agree in these are compared by bytes. What two
 * blocks share is kept (./known-duplicates.ts).
 */
import type { DuplicatePart, DuplicatesResult } from '#/logs/read/scan/scan-job.ts'
import type { SelectedPages } from './prune-pages.ts'
import type { PairMasks } from './known-duplicates.ts'
import type { QueryRun } from './query-run.ts'
import { readPages, selectPages, type Source, type SourcePage } from './source.ts'
import { hashOfStream, sharedU32 } from '#/storage/index/coded-labels.ts'

/** Rows are compared one slice of time after the other, each within this part of what the query may hold. */
const SLICE_SHARE = 0.5
const HOUR_NS = 3600e9
/** Slices are not cut further than this, however many rows they have. */
const MIN_SLICE_NS = 1e9
/** Memory of a row of a page that is compared: decoded columns. And of one inside of the slice: its place in the hash table. */
const HELD_BYTES_PER_ROW = 16
const TABLE_BYTES_PER_ROW = 40

type Window = { readonly from: number; readonly to: number }
type Masks = Map<number, Uint8Array<SharedArrayBuffer>>

/**
 * Masks by page order: rows that an earlier source has too. Sources come in the order of insertion. Only pages that are left are
 * compared: of equal rows either all pass or none, so that no page of a row that passes was left out.
 */
export async function findDayDuplicates(
  run: QueryRun,
  sources: readonly SelectedPages[],
  window: Window,
): Promise<Masks> {
  const masks: Masks = new Map()
  const blocks = sources.filter(({ source }) => source.data.kind === 'block')
  const pairs = overlappingPairs(blocks, window)
  if (pairs === undefined) {
    await compareAll(run, sources, window, masks)
  } else {
    for (const pair of pairs) await addPair(run, pair, window, masks)
    const heads = sources.filter(({ source }) => source.data.kind === 'head')
    for (const near of windowsOf(
      heads.map(({ source }) => source),
      window,
    )) {
      const besides = blocks.filter(({ source }) => source.minTime < near.to && source.maxTime >= near.from)
      await compareAll(run, [...besides, ...heads], near, masks)
    }
  }
  for (const { pages } of sources) {
    for (const { order } of pages) run.stats.duplicateRows += countBits(masks.get(order) ?? noRows)
  }
  return masks
}

const noRows = new Uint8Array(0)

/** Two blocks, in the order of insertion. */
type Pair = readonly [earlier: SelectedPages, later: SelectedPages]

/** Of so many pairs for each block, as replicas make them, all blocks are rather compared at once. */
const MAX_PAIRS_PER_BLOCK = 2

/** Blocks that overlap in the window, pair by pair; undefined when there are too many pairs. */
function overlappingPairs(blocks: readonly SelectedPages[], window: Window): readonly Pair[] | undefined {
  const byStart = blocks.toSorted((a, b) => a.source.minTime - b.source.minTime)
  const pairs: Pair[] = []
  for (const [i, one] of byStart.entries()) {
    for (let k = i + 1; k < byStart.length; k++) {
      const other = byStart[k]!
      if (other.source.minTime > one.source.maxTime) break
      if (clip(overlapOf(one, other), window).length === 0) continue
      pairs.push(firstOrder(one) < firstOrder(other) ? [one, other] : [other, one])
      if (pairs.length > blocks.length * MAX_PAIRS_PER_BLOCK) return undefined
    }
  }
  return pairs
}

function firstOrder({ source }: SelectedPages): number {
  return source.pages[0]!.order
}

function overlapOf({ source: a }: SelectedPages, { source: b }: SelectedPages): Window {
  return { from: Math.max(a.minTime, b.minTime), to: Math.min(a.maxTime, b.maxTime) + 1 }
}

async function addPair(run: QueryRun, pair: Pair, window: Window, masks: Masks): Promise<void> {
  const [earlier, later] = pair
  const first = firstOrder(later)
  const known = run.duplicates.get(earlier.source.id, later.source.id) ?? (await learnPair(run, pair))
  const found: Masks = new Map()
  if (known === undefined) await compareAll(run, pair, window, found)
  else for (const [position, mask] of known) found.set(first + position, mask)
  // masks grow by others: those that are kept must not
  for (const [order, mask] of found) addMask(masks, order, copyOf(mask))
}

/**
 * Compares all of what two blocks may share, for this query and all to come; undefined when that would take too much memory, and when
 * rows are hidden from queries, for they may come back.
 */
async function learnPair(run: QueryRun, [earlier, later]: Pair): Promise<PairMasks | undefined> {
  if (earlier.source.hidden !== undefined || later.source.hidden !== undefined) return undefined
  const overlap = overlapOf(earlier, later)
  const isNear = ({ minTime, maxTime }: SourcePage): boolean => minTime < overlap.to && maxTime >= overlap.from
  const whole = [earlier, later].map(({ source }) => ({
    source,
    ordinals: undefined,
    pages: source.pages.filter(isNear),
  }))
  const near = whole.flatMap(({ pages }) => pages)
  const bytes = near.reduce((sum, page) => sum + heldBytes(page, false) + tableBytes(page, overlap), 0)
  if (bytes > run.shareBytes * SLICE_SHARE) return undefined
  const found: Masks = new Map()
  await compareAll(run, whole, overlap, found)
  const first = firstOrder(later)
  const masks = new Map([...found].map(([order, mask]) => [order - first, mask]))
  run.duplicates.set(earlier.source.id, later.source.id, masks)
  return masks
}

/** The times of heads inside of the window, as few windows that are apart. */
function windowsOf(heads: readonly Source[], window: Window): Window[] {
  const times = heads.map(({ minTime, maxTime }) => ({ from: minTime, to: maxTime + 1 }))
  return merged(times).flatMap((one) => clip(one, window))
}

function copyOf(mask: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const copy = new Uint8Array(new SharedArrayBuffer(mask.length))
  copy.set(mask)
  return copy
}

function countBits(mask: Uint8Array): number {
  let count = 0
  for (const byte of mask) for (let rest = byte; rest !== 0; rest &= rest - 1) count++
  return count
}

/** Adds to `masks` the rows that any of `sources` has and an earlier one too. */
async function compareAll(
  run: QueryRun,
  sources: readonly SelectedPages[],
  window: Window,
  masks: Masks,
): Promise<void> {
  const candidates = overlappingStreams(sources, window)
  if (candidates === undefined) return
  const maxBytes = run.shareBytes * SLICE_SHARE
  const left = new Set(sources.flatMap(({ pages }) => pages))
  for (const slice of candidates.windows.flatMap((overlap) => [...hours(overlap)])) {
    for (const part of split(candidates, slice, {
      comparesBytes: false,
      maxBytes,
      isWanted: (page) => left.has(page),
    })) {
      const met = await compare(run, part)
      if (met.pages.length === 0) continue
      const orders = new Set(met.pages)
      const suspects = { comparesBytes: true, maxBytes, isWanted: ({ order }: SourcePage) => orders.has(order) }
      for (const narrow of split(candidates, part, suspects)) {
        const found = await compare(run, narrow)
        for (const { order, mask } of found.dropped) addMask(masks, order, mask)
      }
    }
  }
}

/** A page that reaches over several slices of time has a mask from each. */
function addMask(masks: Masks, order: number, mask: Uint8Array<SharedArrayBuffer>): void {
  const known = masks.get(order)
  if (known === undefined) masks.set(order, mask)
  else for (let i = 0; i < mask.length; i++) known[i]! |= mask[i]!
}

type Candidates = {
  /** The times in which any stream overlaps, ascending and apart, `to` excluded. */
  readonly windows: readonly Window[]
  /** In the order of insertion. */
  readonly sources: readonly CandidateSource[]
}

type CandidateSource = {
  readonly source: Source
  /** By ordinal: a number for each stream that overlaps, 0 for the others. */
  readonly numbers: Uint32Array<SharedArrayBuffer>
  /** Those that overlap, ascending. */
  readonly ordinals: Uint32Array
}

/** Least and greatest time of each stream of a source, by ordinal; streams without a row have a least of Infinity. */
type StreamTimes = { readonly least: Float64Array; readonly greatest: Float64Array }

/** Streams that several sources have at overlapping times; undefined when there is none. */
function overlappingStreams(sources: readonly SelectedPages[], window: Window): Candidates | undefined {
  const inWindow = sources.filter(({ source }) => source.minTime < window.to && source.maxTime >= window.from)
  const overlaps = findOverlaps(inWindow.map(({ source }) => source)).flatMap((overlap) => clip(overlap, window))
  if (overlaps.length === 0) return undefined
  const byHash = new Map<number, StreamRange[]>()
  for (const { source, ordinals } of inWindow) {
    const near = overlaps.filter(({ from, to }) => source.minTime < to && source.maxTime >= from)
    if (near.length === 0) continue
    const { least, greatest } = streamTimes(source, window)
    const coded = source.index.coded()
    for (const ordinal of ordinals ?? least.keys()) {
      const minTime = least[ordinal]!
      const maxTime = greatest[ordinal]!
      if (!near.some(({ from, to }) => minTime < to && maxTime >= from)) continue
      const range = { source, ordinal, minTime, maxTime }
      const hash = hashOfStream(coded, ordinal)
      const ranges = byHash.get(hash)
      if (ranges === undefined) byHash.set(hash, [range])
      else ranges.push(range)
    }
  }
  return chooseStreams(byHash.values(), window)
}

type StreamRange = {
  readonly source: Source
  readonly ordinal: number
  readonly minTime: number
  readonly maxTime: number
}

function chooseStreams(groups: Iterable<readonly StreamRange[]>, window: Window): Candidates | undefined {
  const streams = new Map<Source, Uint32Array<SharedArrayBuffer>>()
  const windows: Window[] = []
  let identity = 0
  for (const alike of groups) {
    if (alike.length < 2 || findOverlaps(alike).length === 0) continue
    // a hash says that labels differ, but not that they are equal
    for (const ranges of Map.groupBy(alike, ({ source, ordinal }) => source.index.text(ordinal)).values()) {
      const overlaps = findOverlaps(ranges)
      if (overlaps.length === 0) continue
      identity++
      windows.push(...overlaps)
      for (const { source, ordinal, minTime, maxTime } of ranges) {
        if (!overlaps.some((overlap) => minTime < overlap.to && maxTime >= overlap.from)) continue
        let numbers = streams.get(source)
        if (numbers === undefined) streams.set(source, (numbers = sharedU32(source.index.count)))
        numbers[ordinal] = identity
      }
    }
  }
  if (identity === 0) return undefined
  const inOrder = [...streams].toSorted(([a], [b]) => a.pages[0]!.order - b.pages[0]!.order)
  const found = inOrder.map(([source, numbers]) => {
    const ordinals = Uint32Array.from(numbers.keys().filter((ordinal) => numbers[ordinal] !== 0))
    return { source, numbers, ordinals }
  })
  return { windows: merged(windows).flatMap((overlap) => clip(overlap, window)), sources: found }
}

type Times = { readonly minTime: number; readonly maxTime: number }

/** The windows in which two or more of `items` overlap, ascending and apart. */
function findOverlaps(items: readonly Times[]): Window[] {
  const windows: { from: number; to: number }[] = []
  let latestEnd = -Infinity
  // in the order of their starts, an item overlaps longest with the one before it that ends last
  for (const { minTime, maxTime } of items.toSorted((a, b) => a.minTime - b.minTime)) {
    if (minTime <= latestEnd) {
      const to = Math.min(maxTime, latestEnd) + 1
      const last = windows.at(-1)
      if (last !== undefined && minTime <= last.to) last.to = Math.max(last.to, to)
      else windows.push({ from: minTime, to })
    }
    latestEnd = Math.max(latestEnd, maxTime)
  }
  return windows
}

/** The same times in fewer windows: those less than a second apart become one. */
function merged(windows: readonly Window[]): Window[] {
  const result: { from: number; to: number }[] = []
  for (const { from, to } of windows.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1)
    if (last !== undefined && from <= last.to + MIN_SLICE_NS) last.to = Math.max(last.to, to)
    else result.push({ from, to })
  }
  return result
}

/** What of `overlap` lies in `window`. */
function clip(overlap: Window, window: Window): Window[] {
  const from = Math.max(overlap.from, window.from)
  const to = Math.min(overlap.to, window.to)
  return from < to ? [{ from, to }] : []
}

/** Times of blocks are those of whole runs, which may reach beyond the window. */
function streamTimes({ index, data }: Source, { from, to }: Window): StreamTimes {
  const least = new Float64Array(index.count).fill(Infinity)
  const greatest = new Float64Array(index.count).fill(-Infinity)
  if (data.kind === 'block') {
    const { stream, minTime, maxTime } = data.block.runs
    for (let run = 0; run < stream.length; run++) {
      const ordinal = stream[run]!
      if (minTime[run]! < least[ordinal]!) least[ordinal] = minTime[run]!
      if (maxTime[run]! > greatest[ordinal]!) greatest[ordinal] = maxTime[run]!
    }
    return { least, greatest }
  }
  for (const { rowCount, stream, time, minTime, maxTime } of data.pages) {
    if (minTime >= to || maxTime < from) continue
    for (let row = 0; row < rowCount; row++) {
      const t = time[row]!
      if (t < from || t >= to) continue
      const ordinal = stream[row]!
      if (t < least[ordinal]!) least[ordinal] = t
      if (t > greatest[ordinal]!) greatest[ordinal] = t
    }
  }
  return { least, greatest }
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
  readonly isWanted: (page: SourcePage) => boolean
}

/** What is compared in one job: equal rows have equal times, so slices of time can be compared one by one. */
type Slice = Window & {
  readonly comparesBytes: boolean
  readonly bytes: number
  readonly pages: readonly (readonly [Source, Uint32Array<SharedArrayBuffer>, readonly SourcePage[]])[]
}

function heldBytes({ rowCount, sizeBytes, lineBytes }: SourcePage, comparesBytes: boolean): number {
  return rowCount * HELD_BYTES_PER_ROW + (comparesBytes ? sizeBytes + lineBytes : 0)
}

/** Times of a page are rarely even: twice the part that they would have. */
function tableBytes({ rowCount, minTime, maxTime }: SourcePage, { from, to }: Window): number {
  const inside = Math.min(maxTime + 1, to) - Math.max(minTime, from)
  return Math.ceil(rowCount * Math.min(1, (2 * inside) / (maxTime + 1 - minTime))) * TABLE_BYTES_PER_ROW
}

/**
 * Cuts `window` in halves until the pages of each piece fit into `maxBytes`, or as long as that makes pieces smaller: pages that reach
 * over both halves are read for each.
 */
function* split(candidates: Candidates, window: Window, options: SplitOptions): Generator<Slice> {
  const { comparesBytes, maxBytes, isWanted } = options
  const { from, to } = window
  const near = candidates.sources.filter(({ source }) => source.minTime < to && source.maxTime >= from)
  if (near.length < 2) return
  let held = 0
  let inTable = 0
  const middle = Math.floor((from + to) / 2)
  let isSeparable = false
  const pages = near.map(({ source, numbers, ordinals }) => {
    const selected = selectPages(source, ordinals, { from, to }).filter(isWanted)
    for (const page of selected) {
      held += heldBytes(page, comparesBytes)
      inTable += tableBytes(page, window)
      if (page.maxTime < middle || page.minTime >= middle) isSeparable = true
    }
    return [source, numbers, selected] as const
  })
  const filled = pages.filter(([, , selected]) => selected.length > 0)
  if (filled.length < 2) return
  const bytes = held + inTable
  const getsSmaller = isSeparable || inTable > held
  if (bytes <= maxBytes || to - from <= MIN_SLICE_NS || !getsSmaller) {
    yield { from, to, comparesBytes, bytes: Math.min(bytes, maxBytes), pages: filled }
    return
  }
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

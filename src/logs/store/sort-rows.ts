/**
 * Orders the rows of head pages as a block wants them: by (hour, stream text, time), equal times in order of arrival. Two
 * stable counting sorts and one sort by time inside each run; typed arrays only.
 */
import type { HeadPageColumns } from './log-page.ts'
import { assert } from '#/kernel/assert.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { countingSort, sortByKey } from '#/kernel/sort-by-key.ts'
import { setPositions } from '#/storage/index/label-index-builder.ts'
import type { SharedTexts } from '#/storage/index/shared-texts.ts'
import { sortTexts } from '#/storage/index/sort-texts.ts'
import { isSameText } from '#/storage/index/text-hash.ts'

const NS_PER_HOUR = 3_600e9
const HOURS_PER_DAY = 24

/** Rows of all pages, numbered page after page. */
export type SortedRows = {
  /** Row numbers in the order of the block. */
  readonly order: Uint32Array
  readonly time: Float64Array
  /** Ordinal in the block: the rank of the stream's text among the streams that have rows. */
  readonly stream: Uint32Array
  /** Bytes of the line. */
  readonly length: Uint32Array
  /** Page of a row, and the number of the first row of each page. */
  readonly pageOf: Uint32Array
  readonly firstRowOfPage: Uint32Array
  /** Starts in `order` of the runs of one hour and stream, then the count of rows. */
  readonly runStarts: Uint32Array
  /** Ordinals in `streams`, as it was given, of the block's streams in their order. */
  readonly sourceStreams: Uint32Array
}

export function sortRows(streams: SharedTexts, pages: readonly HeadPageColumns[]): SortedRows {
  const gathered = gatherRows(pages)
  const { sourceStreams, rankOf } = rankStreams(streams, gathered.stream)
  const { time, stream } = gathered
  for (let row = 0; row < stream.length; row++) stream[row] = rankOf[stream[row]!]!
  const byStream = countingSort(undefined, stream, { count: stream.length, keyCount: sourceStreams.length })
  // by index: `from` with a callback takes ten times as long
  const hour = new Uint32Array(time.length)
  for (let row = 0; row < hour.length; row++) hour[row] = hourOf(time[row]!)
  const order = isConstant(hour)
    ? byStream
    : countingSort(byStream, hour, { count: stream.length, keyCount: HOURS_PER_DAY })
  const runStarts = findRuns(order, stream, hour)
  const scratch = new Uint32Array(order.length)
  for (let run = 0; run + 1 < runStarts.length; run++) {
    const from = runStarts[run]!
    const to = runStarts[run + 1]!
    if (!isAscending(order, time, from, to)) sortByKey(order, time, { from, to }, scratch)
  }
  return { ...gathered, order, runStarts, sourceStreams }
}

function isConstant(values: Uint32Array): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false
  return true
}

function isAscending(order: Uint32Array, time: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (time[order[i]!]! < time[order[i - 1]!]!) return false
  return true
}

/** Where the stream or the hour changes, and the count of rows. */
function findRuns(order: Uint32Array, stream: Uint32Array, hour: Uint32Array): Uint32Array {
  const starts = new Uint32Array(order.length + 1)
  let count = 0
  let [lastStream, lastHour] = [-1, -1]
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!
    if (stream[row] === lastStream && hour[row] === lastHour) continue
    lastStream = stream[row]!
    lastHour = hour[row]!
    starts[count++] = i
  }
  starts[count++] = order.length
  return starts.slice(0, count)
}

export function hourOf(time: number): number {
  return Math.floor(time / NS_PER_HOUR)
}

type GatheredRows = Pick<SortedRows, 'time' | 'stream' | 'length' | 'pageOf' | 'firstRowOfPage'>

function gatherRows(pages: readonly HeadPageColumns[]): GatheredRows {
  const count = pages.reduce((sum, page) => sum + page.rowCount, 0)
  const rows = {
    time: new Float64Array(count),
    stream: new Uint32Array(count),
    length: new Uint32Array(count),
    pageOf: new Uint32Array(count),
  }
  const firstRowOfPage = new Uint32Array(pages.length)
  let next = 0
  for (const [position, page] of pages.entries()) {
    firstRowOfPage[position] = next
    rows.time.set(page.time.subarray(0, page.rowCount), next)
    rows.stream.set(page.stream.subarray(0, page.rowCount), next)
    rows.pageOf.fill(position, next, next + page.rowCount)
    const { lineStart } = page
    for (let row = 0; row < page.rowCount; row++) rows.length[next + row] = lineStart[row + 1]! - lineStart[row]!
    next += page.rowCount
  }
  checkTimes(rows.time)
  return { ...rows, firstRowOfPage }
}

function checkTimes(times: Float64Array): void {
  let least = 0
  let greatest = 0
  for (let row = 0; row < times.length; row++) {
    least = Math.min(least, times[row]!)
    greatest = Math.max(greatest, times[row]!)
  }
  assert(least >= 0 && greatest < HOURS_PER_DAY * NS_PER_HOUR, `times ${least} to ${greatest} lie in a day`)
}

/** The streams that occur in `used`, by the bytes of their texts, and the rank of each; streams with equal texts become one. */
function rankStreams(
  streams: SharedTexts,
  used: Uint32Array,
): { readonly sourceStreams: Uint32Array; readonly rankOf: Uint32Array } {
  const rankOf = new Uint32Array(streams.ends.length)
  for (let row = 0; row < used.length; row++) rankOf[used[row]!] = 1
  const ordinals = setPositions(rankOf)
  const view = asDataView(streams.text)
  sortTexts({ view, ends: streams.ends }, ordinals)
  let count = 0
  for (let i = 0; i < ordinals.length; i++) {
    const ordinal = ordinals[i]!
    if (count === 0 || !haveSameText(streams, view, ordinals[count - 1]!, ordinal)) ordinals[count++] = ordinal
    rankOf[ordinal] = count - 1
  }
  return { sourceStreams: ordinals.slice(0, count), rankOf }
}

function haveSameText({ ends }: SharedTexts, view: DataView, a: number, b: number): boolean {
  const startA = a === 0 ? 0 : ends[a - 1]!
  const startB = b === 0 ? 0 : ends[b - 1]!
  const length = ends[a]! - startA
  return ends[b]! - startB === length && isSameText(view, startA, view, startB, length)
}

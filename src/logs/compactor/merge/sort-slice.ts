/**
 * Orders the rows of a slice as a block wants them, and leaves out duplicates: of rows with the same stream, time, line and
 * metadata, those of the first input that has one stay, the others go. (Rows that are equal in one input are all kept: queries
 * over the inputs count them all.)
 */
import type { SliceColumns } from './slice-columns.ts'
import { hourOf } from './merge-input.ts'
import { countingSort, sortByKey } from '#/kernel/sort-by-key.ts'
import type { SortedRows } from '#/logs/store/sort-rows.ts'

const HOURS_PER_DAY = 24
/** More rows than this of one stream and time are compared by way of their hashes. */
const FEW_ROWS = 8

export type SortedSlice = { readonly rows: SortedRows; readonly duplicates: number; readonly duplicateBytes: number }

export function sortSlice(slice: SliceColumns, streamCount: number): SortedSlice {
  const count = slice.rowCount
  const time = slice.time.subarray(0, count)
  const stream = slice.stream.subarray(0, count)
  const byStream = countingSort(undefined, stream, { count, keyCount: streamCount })
  const hour = Uint32Array.from(time, hourOf)
  const sorted = countingSort(byStream, hour, { count, keyCount: HOURS_PER_DAY })
  const scratch = new Uint32Array(count)
  for (let from = 0; from < count;) {
    const to = endOfRun(sorted, stream, hour, from)
    sortByKey(sorted, time, { from, to }, scratch)
    from = to
  }
  const found = dropDuplicates(slice, sorted)
  const order = sorted.subarray(0, found.kept)
  const length = new Uint32Array(count)
  for (let row = 0; row < count; row++) length[row] = slice.lineStart[row + 1]! - slice.lineStart[row]!
  const runStarts: number[] = []
  for (let from = 0; from < order.length;) {
    runStarts.push(from)
    from = endOfRun(order, stream, hour, from)
  }
  runStarts.push(order.length)
  const onePage = { pageOf: new Uint32Array(count), firstRowOfPage: Uint32Array.of(0) }
  const rows = { order, time, stream, length, ...onePage, runStarts: Uint32Array.from(runStarts), sourceStreams: NONE }
  return { rows, duplicates: count - found.kept, duplicateBytes: found.bytes }
}

const NONE = new Uint32Array(0)

function endOfRun(order: Uint32Array, stream: Uint32Array, hour: Uint32Array, from: number): number {
  const first = order[from]!
  let to = from + 1
  while (to < order.length && stream[order[to]!] === stream[first] && hour[order[to]!] === hour[first]) to++
  return to
}

/** Closes the gaps in `order`; `kept` rows are left, `bytes` of lines and metadata have gone. */
function dropDuplicates(slice: SliceColumns, order: Uint32Array): { readonly kept: number; readonly bytes: number } {
  const { time, stream } = slice
  const { lines, meta } = slice
  const isEqual = (a: number, b: number): boolean =>
    isSameRange(lines, slice.lineStart, a, b) && isSameRange(meta, slice.metaStart, a, b)
  let kept = 0
  let bytes = 0
  for (let from = 0; from < order.length;) {
    const first = order[from]!
    let to = from + 1
    while (to < order.length && time[order[to]!] === time[first] && stream[order[to]!] === stream[first]) to++
    const keep = to - from === 1 ? undefined : to - from <= FEW_ROWS ? isNewAmong(isEqual) : isNewByHash(slice, isEqual)
    for (let i = from; i < to; i++) {
      const row = order[i]!
      if (keep === undefined || keep(row, slice.input[row]!)) order[kept++] = row
      else bytes += sizeOf(slice, row)
    }
    from = to
  }
  return { kept, bytes }
}

type IsEqual = (a: number, b: number) => boolean
/** The first of equal rows. */
type Kept = { readonly row: number; readonly input: number }

/** Tells of one row after the other, inputs ascending, whether it stays. */
function isNewAmong(isEqual: IsEqual): (row: number, input: number) => boolean {
  const kept: Kept[] = []
  return (row, input) => isNew(kept, row, input, isEqual)
}

function isNewByHash(slice: SliceColumns, isEqual: IsEqual): (row: number, input: number) => boolean {
  const { lines, meta, lineStart, metaStart } = slice
  const byHash = new Map<number, Kept[]>()
  return (row, input) => {
    const hash = hashBytes(
      meta,
      metaStart[row]!,
      metaStart[row + 1]!,
      hashBytes(lines, lineStart[row]!, lineStart[row + 1]!, 1),
    )
    const kept = byHash.get(hash)
    if (kept !== undefined) return isNew(kept, row, input, isEqual)
    byHash.set(hash, [{ row, input }])
    return true
  }
}

function isNew(kept: Kept[], row: number, input: number, isEqual: IsEqual): boolean {
  for (const other of kept) if (isEqual(other.row, row)) return other.input === input
  kept.push({ row, input })
  return true
}

function isSameRange(bytes: Buffer, starts: Uint32Array, a: number, b: number): boolean {
  const length = starts[a + 1]! - starts[a]!
  if (starts[b + 1]! - starts[b]! !== length) return false
  return bytes.compare(bytes, starts[b], starts[b + 1], starts[a], starts[a + 1]) === 0
}

function sizeOf({ lineStart, metaStart }: SliceColumns, row: number): number {
  return lineStart[row + 1]! - lineStart[row]! + metaStart[row + 1]! - metaStart[row]!
}

function hashBytes(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return hash ^ (to - from)
}

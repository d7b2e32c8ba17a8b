/**
 * Where pages begin. A run (one stream in one hour) that fills half a page or more gets pages of its own, of equal size;
 * smaller ones share. A page ends early with its hour, so that a query of one hour does not read much of the next.
 */
import { hourOf } from './sort-rows.ts'
import type { SortedRows } from './sort-rows.ts'

/** Limits of a page. One line may be longer than a page; it is alone in it then. */
export const PAGE_LINE_BYTES = 2 * 1024 * 1024
export const PAGE_ROWS = 65_536
/** A part of a page that is enough to end it with its hour. */
const ENOUGH = 1 / 4
/** A run that is at least this part of a page has pages of its own. */
const LARGE = 1 / 2

/** Positions in `rows.order` at which pages begin, then the count of rows. */
export function cutPages(rows: SortedRows, maxRows = PAGE_ROWS): number[] {
  const cuts: number[] = []
  let pageRows = 0
  let pageBytes = 0
  let hour = -1
  for (let run = 0; run + 1 < rows.runStarts.length; run++) {
    const from = rows.runStarts[run]!
    const to = rows.runStarts[run + 1]!
    const runRows = to - from
    const runBytes = bytesOf(rows, from, to)
    const runHour = hourOf(rows.time[rows.order[from]!]!)
    const isLarge = runBytes >= PAGE_LINE_BYTES * LARGE || runRows >= maxRows * LARGE
    const isEnough = pageBytes >= PAGE_LINE_BYTES * ENOUGH || pageRows >= maxRows * ENOUGH
    const isFull = pageBytes + runBytes > PAGE_LINE_BYTES || pageRows + runRows > maxRows
    if (pageRows === 0 || isLarge || isFull || (isEnough && runHour !== hour)) {
      cuts.push(from)
      pageRows = pageBytes = 0
    }
    hour = runHour
    if (isLarge) {
      cutRun(rows, { from, to, bytes: runBytes, maxRows }, cuts)
      continue
    }
    pageRows += runRows
    pageBytes += runBytes
  }
  cuts.push(rows.order.length)
  return cuts
}

function bytesOf({ order, length }: SortedRows, from: number, to: number): number {
  let bytes = 0
  for (let i = from; i < to; i++) bytes += length[order[i]!]!
  return bytes
}

/** Adds the cuts inside a large run, which begins with a page. */
function cutRun(
  { order, length }: SortedRows,
  {
    from,
    to,
    bytes,
    maxRows,
  }: { readonly from: number; readonly to: number; readonly bytes: number; readonly maxRows: number },
  cuts: number[],
): void {
  const pages = Math.max(Math.ceil(bytes / PAGE_LINE_BYTES), Math.ceil((to - from) / maxRows))
  const targetBytes = bytes / pages
  let pageRows = 0
  let pageBytes = 0
  for (let i = from; i < to; i++) {
    const lineBytes = length[order[i]!]!
    const isFull = pageBytes >= targetBytes && bytes > 0
    if (pageRows > 0 && (isFull || pageRows === maxRows || pageBytes + lineBytes > PAGE_LINE_BYTES)) {
      cuts.push(i)
      pageRows = pageBytes = 0
    }
    pageRows++
    pageBytes += lineBytes
  }
}

/**
 * Searching the lines of a page as one piece of bytes. Lines stand back to back without a separator, so a hit counts only
 * when it lies inside one line; after a hit the search goes on at the next row.
 */
import { findBytes } from './byte-search.ts'

/**
 * The lines of chosen rows of a page: the line of row `rows[i]`, i < count, is at `[lineStart[row], lineStart[row + 1])`, and
 * `lines` begins at offset `base`.
 */
export type LineRows = {
  readonly lines: Buffer
  readonly base: number
  readonly lineStart: Uint32Array
  readonly rows: Uint32Array
  readonly count: number
}

/** One byte per chosen row: not 0 when it matches. */
export type Marks = Uint8Array

/** A hit so near to the beginning of a line makes one near that of the next line likely. */
const NEAR = 96
/** When fewer than one byte in this many belongs to a chosen row, rows are searched one by one. */
const SPARSE = 4

/** Sets the mark of each row whose line contains `needle`; an empty needle is in every line. */
export function markNeedle(page: LineRows, needle: Buffer, marks: Marks): void {
  const { lines, base, lineStart, rows, count } = page
  if (needle.length === 0) return void marks.fill(1, 0, count)
  if (count === 0) return
  if (isSparse(page)) return markOneByOne(page, needle, marks)
  const end = lineStart[rows[count - 1]! + 1]! - base
  const bytes = end === lines.length ? lines : lines.subarray(0, end)
  let i = 0
  let from = lineStart[rows[0]!]! - base
  let isNear = false
  for (;;) {
    const found: number = isNear ? findNear(bytes, needle, from) : bytes.indexOf(needle, from)
    if (found < 0) return
    isNear = found - from < NEAR
    const hit = found + base
    while (i < count && lineStart[rows[i]! + 1]! <= hit) i++
    if (i === count) return
    const row = rows[i]!
    const lineEnd = lineStart[row + 1]!
    const start = lineStart[row]!
    if (hit < start) {
      from = start - base
      continue
    }
    if (hit + needle.length <= lineEnd) marks[i] = 1
    if (++i === count) return
    from = Math.max(lineEnd, lineStart[rows[i]!]!) - base
  }
}

/** Looks for hits in line after line at their beginnings first: the runtime's search costs as much as looking at many bytes. */
function findNear(bytes: Buffer, needle: Buffer, from: number): number {
  const end = Math.min(bytes.length, from + NEAR)
  const found = findBytes(bytes, needle, from, end)
  return found >= 0 || end === bytes.length ? found : bytes.indexOf(needle, Math.max(from, end - needle.length + 1))
}

function markOneByOne({ lines, base, lineStart, rows, count }: LineRows, needle: Buffer, marks: Marks): void {
  for (let i = 0; i < count; i++) {
    const row = rows[i]!
    const start = lineStart[row]!
    const end = lineStart[row + 1]!
    if (end - start >= needle.length && lines.subarray(start - base, end - base).indexOf(needle) >= 0) marks[i] = 1
  }
}

/** Whether the chosen rows are few among those between the first and the last of them. */
export function isSparse({ lineStart, rows, count }: LineRows): boolean {
  if (count === 0) return true
  const first = rows[0]!
  const last = rows[count - 1]!
  if (count * 2 > last - first) return false
  let chosen = 0
  for (let i = 0; i < count; i++) chosen += lineStart[rows[i]! + 1]! - lineStart[rows[i]!]!
  return chosen * SPARSE < lineStart[last + 1]! - lineStart[first]!
}

/** Calls `visit` with consecutive parts of `rows` whose lines span at most `maxBytes` (one row may be longer). */
export function forEachPart(page: LineRows, maxBytes: number, visit: (part: LineRows, from: number) => void): void {
  const { lines, base, lineStart, rows, count } = page
  for (let from = 0; from < count;) {
    const start = lineStart[rows[from]!]!
    let to = from + 1
    while (to < count && lineStart[rows[to]! + 1]! - start <= maxBytes) to++
    visit({ lines, base, lineStart, rows: rows.subarray(from, to), count: to - from }, from)
    from = to
  }
}

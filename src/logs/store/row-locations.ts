/**
 * Where the rows of a page lie in the head. The rows of a stream are scattered over all of the head's memory, so gathering
 * them waits for memory more than for anything else: looking up all addresses in one loop lets the processor wait for many
 * at a time.
 */
import type { RawPageColumns } from './log-page.ts'
import type { SortedRows } from './sort-rows.ts'

/** Few enough for their bytes to be still there when they are copied. */
const FETCHED_ROWS = 256
const CACHE_LINE_BYTES = 64

export class RowLocations {
  /** By row of the page: the head page, and the row's ranges in its lines and its metadata. */
  page = new Uint32Array(0)
  lineStart = new Uint32Array(0)
  lineEnd = new Uint32Array(0)
  metaStart = new Uint32Array(0)
  metaEnd = new Uint32Array(0)
  /** What was read: without a use, reading would be left out. */
  fetched = 0
  readonly #rows: SortedRows
  readonly #pages: readonly RawPageColumns[]

  constructor(rows: SortedRows, pages: readonly RawPageColumns[]) {
    this.#rows = rows
    this.#pages = pages
  }

  /** Looks up `count` rows from position `from` in the order of the block. */
  locate(from: number, count: number): void {
    if (count > this.page.length) {
      this.page = new Uint32Array(count)
      this.lineStart = new Uint32Array(count)
      this.lineEnd = new Uint32Array(count)
      this.metaStart = new Uint32Array(count)
      this.metaEnd = new Uint32Array(count)
    }
    const { order, pageOf, firstRowOfPage } = this.#rows
    for (let i = 0; i < count; i++) {
      const row = order[from + i]!
      const page = pageOf[row]!
      const at = row - firstRowOfPage[page]!
      const { lineStart, metaStart } = this.#pages[page]!
      this.page[i] = page
      this.lineStart[i] = lineStart[at]!
      this.lineEnd[i] = lineStart[at + 1]!
      this.metaStart[i] = metaStart[at]!
      this.metaEnd[i] = metaStart[at + 1]!
    }
  }
  /**
   * Brings the next few rows from `row` on, of `count`, into the processor's caches, before they are copied one by one. Their bytes
   * are `sources[page][starts, ends)`. Returns the first row that is left.
   */
  fetch(sources: readonly Uint8Array[], starts: Uint32Array, ends: Uint32Array, row: number, count: number): number {
    const to = Math.min(row + FETCHED_ROWS, count)
    let sum = 0
    for (let i = row; i < to; i++) {
      const bytes = sources[this.page[i]!]!
      const end = ends[i]!
      for (let at = starts[i]!; at < end; at += CACHE_LINE_BYTES) sum ^= bytes[at]!
    }
    this.fetched ^= sum
    return to
  }
}

/**
 * Where the rows of a page lie in the head. The rows of a stream are scattered over all of the head's memory, so gathering
 * them waits for memory more than for anything else: looking up all addresses in one loop lets the processor wait for many
 * at a time.
 */
import type { HeadPageColumns } from './log-page.ts'
import type { SortedRows } from './sort-rows.ts'

export class RowLocations {
  /** By row of the page: the head page, and the row's ranges in its lines and its metadata. */
  page = new Uint32Array(0)
  lineStart = new Uint32Array(0)
  metaStart = new Uint32Array(0)
  metaEnd = new Uint32Array(0)
  readonly #rows: SortedRows
  readonly #pages: readonly HeadPageColumns[]

  constructor(rows: SortedRows, pages: readonly HeadPageColumns[]) {
    this.#rows = rows
    this.#pages = pages
  }

  /** Looks up `count` rows from position `from` in the order of the block. */
  locate(from: number, count: number): void {
    if (count > this.page.length) {
      this.page = new Uint32Array(count)
      this.lineStart = new Uint32Array(count)
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
      this.metaStart[i] = metaStart[at]!
      this.metaEnd[i] = metaStart[at + 1]!
    }
  }
}

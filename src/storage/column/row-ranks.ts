/** Where a row stands among the rows that have a value. */

export class RowRanks {
  readonly #rows: Uint32Array
  /** Rows are mostly asked for in order: where the next one is looked for first. */
  #next = 0

  /** `rows` ascend. */
  constructor(rows: Uint32Array) {
    this.#rows = rows
  }

  /** Position of the row, -1 when it is not among them. */
  of(row: number): number {
    const rows = this.#rows
    let low = 0
    let high = rows.length
    const next = this.#next
    if (next < high) {
      if (rows[next] === row) return this.#next++
      if (rows[next]! > row) high = next
      else low = next + 1
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (rows[middle]! < row) low = middle + 1
      else high = middle
    }
    this.#next = low
    if (rows[low] !== row) return -1
    this.#next++
    return low
  }
}

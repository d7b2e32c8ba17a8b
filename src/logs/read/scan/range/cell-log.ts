/** Samples of many cells in the order in which they came: the cell of each, and columns of numbers. */
import { grown } from './grow.ts'

const INITIAL_SAMPLES = 1024

export class CellLog {
  count = 0
  cell = new Uint32Array(INITIAL_SAMPLES)
  readonly columns: Float64Array[]

  constructor(columns: number) {
    this.columns = Array.from({ length: columns }, () => new Float64Array(INITIAL_SAMPLES))
  }

  get sizeBytes(): number {
    return this.cell.byteLength + this.columns.length * this.cell.length * 8
  }

  /** Makes a sample of `cell` and returns its position, at which the caller fills in the columns. */
  push(cell: number): number {
    const at = this.count++
    if (at === this.cell.length) {
      this.cell = grown(this.cell, at + 1)
      for (const [i, column] of this.columns.entries()) this.columns[i] = grown(column, at + 1)
    }
    this.cell[at] = cell
    return at
  }

  /** Where the samples of each cell begin once they are sorted by cell; one more entry than cells. */
  starts(cellCount: number): Uint32Array {
    const starts = new Uint32Array(new SharedArrayBuffer((cellCount + 1) * 4))
    for (let i = 0; i < this.count; i++) starts[this.cell[i]! + 1]!++
    for (let cell = 0; cell < cellCount; cell++) starts[cell + 1]! += starts[cell]!
    return starts
  }

  /** A column sorted by cell, in shared memory; samples of one cell keep their order. */
  sorted(column: number, starts: Uint32Array): Float64Array {
    const next = starts.slice()
    const from = this.columns[column]!
    const sorted = new Float64Array(new SharedArrayBuffer(this.count * 8))
    for (let i = 0; i < this.count; i++) sorted[next[this.cell[i]!]!++] = from[i]!
    return sorted
  }
}

/**
 * Counts by series and step, as differences: an entry adds at the step where it begins to count and subtracts at the step where
 * it ceases to, so that a window of any length costs two additions. Only for whole numbers, which lose nothing on the way.
 */
import { grown, sharedCopy } from './range/grow.ts'
import type { DiffsResult } from './scan-job.ts'
import { tooManySeries, type SeriesSlots } from './series-slots.ts'

const INITIAL_SERIES = 16

export type DiffOptions = {
  readonly firstStep: number
  /** Steps in the table, plus one for entries that count to the end. */
  readonly width: number
  /** Whether something else than the number of entries is summed up. */
  readonly hasValues: boolean
  readonly maxBytes: number
}

export class DiffTable {
  readonly #options: DiffOptions
  readonly #series: SeriesSlots
  /** Entry counts: row `slot` begins at `slot * width`. */
  #rows: Float64Array
  #values: Float64Array | undefined

  constructor(series: SeriesSlots, options: DiffOptions) {
    this.#series = series
    this.#options = options
    this.#rows = new Float64Array(INITIAL_SERIES * options.width)
    this.#values = options.hasValues ? new Float64Array(INITIAL_SERIES * options.width) : undefined
  }

  get hasValues(): boolean {
    return this.#values !== undefined
  }

  /** `count` entries of `value` together count at the steps [enter, leave). @throws EddaError beyond the memory allowed. */
  add(slot: number, enter: number, leave: number, count: number, value: number): void {
    const start = this.startOf(slot)
    this.#rows[start + enter]! += count
    this.#rows[start + leave]! -= count
    if (this.#values === undefined) return
    this.#values[start + enter]! += value
    this.#values[start + leave]! -= value
  }

  /** Where step 0 of a series would stand in {@link rows}, which has room for it now. @throws EddaError as `add`. */
  startOf(slot: number): number {
    const { width, firstStep } = this.#options
    if ((slot + 1) * width > this.#rows.length) this.#makeRoom()
    return slot * width - firstStep
  }

  /** For hot loops; another one after each {@link startOf}. */
  get rows(): Float64Array {
    return this.#rows
  }

  finish(): Omit<DiffsResult, 'counts'> {
    const { width, firstStep } = this.#options
    const series = this.#series.labels
    this.#makeRoom()
    const size = series.length * width
    return {
      kind: 'samples',
      firstStep,
      width,
      series,
      rowDiffs: sharedCopy(this.#rows, size),
      valueDiffs: this.#values && sharedCopy(this.#values, size),
    }
  }

  #makeRoom(): void {
    const { width, maxBytes } = this.#options
    const series = this.#series.labels.length
    const needed = series * width
    const columns = this.#values === undefined ? 1 : 2
    if (this.#series.sizeBytes + needed * 8 * columns > maxBytes) throw tooManySeries(series, maxBytes)
    this.#rows = grown(this.#rows, needed)
    if (this.#values !== undefined) this.#values = grown(this.#values, needed)
  }
}

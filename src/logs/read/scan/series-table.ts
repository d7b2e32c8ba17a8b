/**
 * Series that a scan finds, each with a row of differences: an entry adds at the step where it begins to count and subtracts
 * at the step where it ceases to, so that a window of any length costs two additions.
 */
import { EddaError } from '#/kernel/errors.ts'
import { formatByteSize } from '#/kernel/byte-size.ts'
import { labelsKey, type SeriesLabels } from '#/series/labels.ts'

const INITIAL_SERIES = 16

export class SeriesTable {
  /** Steps in the table, plus one for entries that count to the end. */
  readonly width: number
  readonly labels: SeriesLabels[] = []
  readonly #slotOfKey = new Map<string, number>()
  readonly #maxBytes: number
  #keyBytes = 0
  /** Entry counts: row `slot` begins at `slot * width`. */
  rowDiffs: Float64Array
  /** Sums of another measure than the number of entries. */
  valueDiffs: Float64Array | undefined

  constructor(options: { readonly width: number; readonly hasValues: boolean; readonly maxBytes: number }) {
    this.width = options.width
    this.#maxBytes = options.maxBytes
    this.rowDiffs = new Float64Array(INITIAL_SERIES * this.width)
    this.valueDiffs = options.hasValues ? new Float64Array(INITIAL_SERIES * this.width) : undefined
  }

  /** The row of the series with these labels; a new one when they are new. @throws EddaError beyond the memory allowed. */
  slotOf(labels: SeriesLabels): number {
    const key = labelsKey(labels)
    const known = this.#slotOfKey.get(key)
    if (known !== undefined) return known
    const slot = this.labels.length
    this.#keyBytes += key.length * 2 + 200
    this.#makeRoom(slot + 1)
    this.labels.push(labels)
    this.#slotOfKey.set(key, slot)
    return slot
  }

  /** An entry of `value` counts at the steps [enter, leave), which are positions in the table. */
  add(slot: number, enter: number, leave: number, value: number): void {
    const start = slot * this.width
    this.rowDiffs[start + enter]!++
    this.rowDiffs[start + leave]!--
    if (this.valueDiffs === undefined) return
    this.valueDiffs[start + enter]! += value
    this.valueDiffs[start + leave]! -= value
  }

  #makeRoom(series: number): void {
    const needed = series * this.width
    const columns = this.valueDiffs === undefined ? 1 : 2
    if (this.#keyBytes + needed * 8 * columns > this.#maxBytes) throw tooManySeries(series, this.#maxBytes)
    if (needed <= this.rowDiffs.length) return
    this.rowDiffs = grown(this.rowDiffs, needed)
    if (this.valueDiffs !== undefined) this.valueDiffs = grown(this.valueDiffs, needed)
  }
}

/** The text for a query whose series do not fit in its share of the memory. */
export function tooManySeries(series: number, maxBytes: number): EddaError {
  return new EddaError(
    'bad_request',
    `the ${series} series found so far need more than the ${formatByteSize(maxBytes)} of memory that a query may use; ` +
      'group by fewer labels, add matchers or filters, or reduce the time range or the number of steps',
  )
}

function grown(array: Float64Array, needed: number): Float64Array {
  const larger = new Float64Array(Math.max(needed, array.length * 2))
  larger.set(array)
  return larger
}

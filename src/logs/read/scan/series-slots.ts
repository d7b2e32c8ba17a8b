/** The series that a scan finds, numbered from 0. */
import { formatByteSize } from '#/kernel/byte-size.ts'
import { EddaError } from '#/kernel/errors.ts'
import { labelsKey, type SeriesLabels } from '#/series/labels.ts'

/** Labels, key and map entry of a series, beside the text of its key. */
const SERIES_OVERHEAD_BYTES = 200

export class SeriesSlots {
  readonly labels: SeriesLabels[] = []
  readonly #slotOfKey = new Map<string, number>()
  #keyBytes = 0

  get sizeBytes(): number {
    return this.#keyBytes
  }

  /** The number of the series with these labels; the next one when they are new. */
  of(labels: SeriesLabels): number {
    const key = labelsKey(labels)
    const known = this.#slotOfKey.get(key)
    if (known !== undefined) return known
    this.#keyBytes += key.length * 2 + SERIES_OVERHEAD_BYTES
    this.#slotOfKey.set(key, this.labels.length)
    return this.labels.push(labels) - 1
  }
}

const advice = 'group by fewer labels, add matchers or filters, or reduce the time range or the number of steps'

/** The text for a query whose series do not fit in its share of the memory. */
export function tooManySeries(series: number, maxBytes: number): EddaError {
  return new EddaError(
    'bad_request',
    `the ${series} series found so far need more than the ${formatByteSize(maxBytes)} of memory that a query may use; ${advice}`,
  )
}

/** The same for functions that must keep every sample. */
export function tooManySamples(op: string, maxBytes: number): EddaError {
  return new EddaError(
    'bad_request',
    `the samples that ${op} must keep need more than the ${formatByteSize(maxBytes)} of memory that a query may use; ${advice}`,
  )
}

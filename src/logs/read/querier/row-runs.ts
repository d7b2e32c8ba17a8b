/**
 * Rows that were found and cannot be handed out yet, as another page may have rows that come before them: the sorted results of
 * jobs, merged when they are taken. Of each result a part is left, its end cut off when memory is short and its front taken.
 */
import type { Day } from '#/logs/model/day.ts'
import { comparePlaces } from '#/logs/read/scan/row-place.ts'
import type { RowPlace, RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { Direction } from '#/logs/wire/query.ts'
import { compactRows, resultBytes } from './compact-rows.ts'
import type { FoundRow } from './top-rows.ts'

/** Columns of a row: time, key, order, row, start of its line, label set. */
const COLUMN_BYTES = 32

type Run = { result: RowsResult; at: number; end: number; bytes: number }

export class RowRuns {
  readonly #day: Day
  readonly #sign: 1 | -1
  /** None empty, by their first rows. */
  #runs: Run[] = []
  #heldBytes = 0

  constructor(day: Day, direction: Direction) {
    this.#day = day
    this.#sign = direction === 'backward' ? -1 : 1
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** Adds the rows of `result`, which are sorted, before `cap`. */
  add(result: RowsResult, cap: RowPlace | undefined): void {
    const run = { result, at: 0, end: result.rowCount, bytes: sizeOf(result) }
    if (cap !== undefined) run.end = this.#find(run, cap)
    if (run.end === 0) return
    this.#heldBytes += run.bytes
    this.#insert(run)
  }

  /** The best rows with a time before `frontier`, in their order, until there are `maxRows` or their lines have `maxBytes`. */
  take(frontier: number | undefined, { maxRows, maxBytes }: { maxRows: number; maxBytes: number }): FoundRow[] {
    const rows: FoundRow[] = []
    let bytes = 0
    while (rows.length < maxRows && bytes < maxBytes) {
      const run = this.#runs[0]
      if (run === undefined) break
      const { result, at } = run
      if (frontier !== undefined && (result.time[at]! - frontier) * this.#sign >= 0) break
      rows.push({ day: this.#day, result, at })
      bytes += result.lineStart[at + 1]! - result.lineStart[at]!
      run.at++
      this.#runs.shift()
      if (run.at < run.end) this.#insert(run)
      else this.#heldBytes -= run.bytes
    }
    return rows
  }

  /**
   * Makes room until not more than `maxBytes` are held: first by copying what is left of results, then by dropping the rows that
   * come last. Returns where the dropped ones begin. The first row always stays.
   */
  shrink(maxBytes: number): RowPlace | undefined {
    let cap: RowPlace | undefined
    for (;;) {
      if (this.#heldBytes > maxBytes) this.#compact()
      if (this.#heldBytes <= maxBytes) return cap
      const next = this.#middle()
      if (next === undefined) return cap
      cap = next
      this.cut(cap)
    }
  }

  /** Drops all rows from `cap` on. */
  cut(cap: RowPlace): void {
    for (const run of this.#runs) {
      run.end = this.#find(run, cap)
      if (run.end <= run.at) this.#heldBytes -= run.bytes
    }
    this.#runs = this.#runs.filter(({ at, end }) => at < end)
  }

  /** A place behind the first row, with rows behind it, near the middle of what is held. */
  #middle(): RowPlace | undefined {
    const [first] = this.#runs
    if (first === undefined) return undefined
    const best = placeOf(first.result, first.at)
    const middles = this.#runs
      .map(({ result, at, end }) => ({ place: placeOf(result, at + ((end - at) >> 1)), rows: end - at }))
      .filter(({ place }) => comparePlaces(place, best) !== 0)
      .toSorted((a, b) => this.#compare(a.place, b.place))
    const half = middles.reduce((sum, { rows }) => sum + rows, 0) / 2
    let seen = 0
    return middles.find(({ rows }) => (seen += rows) >= half)?.place
  }

  #compact(): void {
    for (const run of this.#runs) {
      const { result, at, end, bytes } = run
      if ((end - at) * 2 >= result.rowCount) continue
      run.result = compactRows(
        result,
        Uint32Array.from({ length: end - at }, (_, i) => at + i),
      )
      run.at = 0
      run.end = end - at
      run.bytes = sizeOf(run.result)
      this.#heldBytes += run.bytes - bytes
    }
  }

  /** Position of the first row of a run that is not before `place`. */
  #find({ result, at, end }: Run, place: RowPlace): number {
    let [low, high] = [at, end]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(placeOf(result, middle), place) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #insert(run: Run): void {
    const place = placeOf(run.result, run.at)
    let [low, high] = [0, this.#runs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#runs[middle]!
      if (this.#compare(placeOf(other.result, other.at), place) < 0) low = middle + 1
      else high = middle
    }
    this.#runs.splice(low, 0, run)
  }

  #compare(a: RowPlace, b: RowPlace): number {
    return this.#sign * comparePlaces(a, b)
  }
}

export function placeOf({ time, key, order, row }: RowsResult, at: number): RowPlace {
  return { time: time[at]!, key: key?.[at] ?? 0, order: order[at]!, row: row[at]! }
}

function sizeOf(result: RowsResult): number {
  return resultBytes(result) + result.rowCount * COLUMN_BYTES
}

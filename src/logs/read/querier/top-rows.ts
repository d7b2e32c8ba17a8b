/** The best rows of a log query so far, over all jobs and days, in the direction of the query. */
import type { Day } from '#/logs/model/day.ts'
import type { Direction } from '#/logs/wire/query.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'

export type FoundRow = { readonly day: Day; readonly result: RowsResult; readonly at: number }

export class TopRows {
  readonly #limit: number
  readonly #sign: 1 | -1
  #rows: readonly FoundRow[] = []

  constructor(limit: number, direction: Direction) {
    this.#limit = limit
    this.#sign = direction === 'backward' ? -1 : 1
  }

  get rows(): readonly FoundRow[] {
    return this.#rows
  }

  /** Merges the rows of a job, which are sorted, and cuts to the limit. */
  merge(day: Day, result: RowsResult): void {
    const merged: FoundRow[] = []
    let [own, other] = [0, 0]
    while (merged.length < this.#limit && (own < this.#rows.length || other < result.rowCount)) {
      const row = this.#rows[own]
      const added = { day, result, at: other }
      if (other < result.rowCount && (row === undefined || this.#compare(added, row) < 0)) {
        merged.push(added)
        other++
      } else if (row !== undefined) {
        merged.push(row)
        own++
      }
    }
    this.#rows = merged
  }

  /** Whether a row at this time could still get in; equal times may, as their order is decided later. */
  accepts(day: Day, time: number): boolean {
    const last = this.#rows[this.#limit - 1]
    if (last === undefined) return true
    return this.#sign * (day - last.day || time - last.result.time[last.at]!) <= 0
  }

  #compare(a: FoundRow, b: FoundRow): number {
    return (
      this.#sign *
      (a.day - b.day ||
        a.result.time[a.at]! - b.result.time[b.at]! ||
        a.result.order[a.at]! - b.result.order[b.at]! ||
        a.result.row[a.at]! - b.result.row[b.at]!)
    )
  }
}

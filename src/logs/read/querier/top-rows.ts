/**
 * The best rows of a log query so far, over all jobs and days: in the direction of the query, or as `distinct` and `sort` ask.
 *
 * With `distinct` the merge is exact although each job hands over its best `limit` rows only. Say the merge keeps row r of some
 * combination of values, and a job had a better row b of the same combination. If b was the job's best of it, the job dropped it only
 * because `limit` other combinations have rows better than b there. These are better than r too, so that r could not be among
 * the best `limit`. And once a row of a combination falls off the end, `limit` others are ahead of it for good, as rows that are
 * kept are only ever replaced by better ones: its combination gets in again only with a row that is better still.
 */
import { compareSortValues, sortValue, type SortValue } from '#/logs/logql/pipeline/sort-value.ts'
import type { Day } from '#/logs/model/day.ts'
import { labelsOfSet } from '#/logs/read/scan/label-sets.ts'
import { distinctKey, type TailOrder } from '#/logs/read/scan/row-tail.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { Direction } from '#/logs/wire/query.ts'
import { compactRows } from './compact-rows.ts'

export type FoundRow = { readonly day: Day; readonly result: RowsResult; readonly at: number }

export type RowOrder = { readonly direction: Direction; readonly tail: TailOrder }

export class TopRows {
  readonly #limit: number
  readonly #order: RowComparer
  readonly #isDistinct: boolean
  readonly #isSorted: boolean
  #rows: readonly FoundRow[] = []

  constructor(limit: number, order: RowOrder) {
    this.#limit = limit
    this.#order = new RowComparer(order)
    this.#isDistinct = order.tail.distinct !== undefined
    this.#isSorted = order.tail.sort !== undefined
  }

  get rows(): readonly FoundRow[] {
    return this.#rows
  }

  /** Merges the rows of a job, which are sorted, and cuts to the limit. */
  merge(day: Day, result: RowsResult): void {
    const merged: FoundRow[] = []
    const seen = new Set<string>()
    let [own, other] = [0, 0]
    while (merged.length < this.#limit && (own < this.#rows.length || other < result.rowCount)) {
      const row = this.#rows[own]
      const added = { day, result, at: other }
      const isOwn = other >= result.rowCount || (row !== undefined && this.#order.compare(added, row) >= 0)
      const next = isOwn ? row! : added
      if (isOwn) own++
      else other++
      if (this.#isDistinct) {
        const key = this.#order.keyOf(next)
        if (seen.has(key)) continue
        seen.add(key)
      }
      merged.push(next)
    }
    this.#rows = merged
  }

  /**
   * Copies the rows of results of which less than half is left. Returns the copies by what they stand for, which no row needs
   * any more. A row is copied at most once for each time that its result has halved.
   */
  compact(): ReadonlyMap<RowsResult, RowsResult> {
    const positions = new Map<RowsResult, number[]>()
    for (const { result, at } of this.#rows) {
      const known = positions.get(result)
      if (known === undefined) positions.set(result, [at])
      else known.push(at)
    }
    const copies = new Map<RowsResult, RowsResult>()
    for (const [result, left] of positions) {
      if (left.length * 2 < result.rowCount) copies.set(result, compactRows(result, Uint32Array.from(left)))
    }
    if (copies.size === 0) return copies
    // rows of a result stand in its own order, here as there
    const next = new Map<RowsResult, number>()
    this.#rows = this.#rows.map((row) => {
      const copy = copies.get(row.result)
      if (copy === undefined) return row
      const at = next.get(copy) ?? 0
      next.set(copy, at + 1)
      return { day: row.day, result: copy, at }
    })
    return copies
  }

  /**
   * Whether a row at this time could still get in; equal times may, as their order is decided later. With `sort` any time may. With
   * `distinct` a row behind the last one cannot: it is worse than all that are kept, whether its combination is among them or not.
   */
  accepts(day: Day, time: number): boolean {
    if (this.#limit === 0) return false
    const last = this.#rows[this.#limit - 1]
    if (last === undefined || this.#isSorted) return true
    return this.#order.compareTimes(day, time, last) <= 0
  }
}

/** Compares found rows by what is asked of all of them together. */
export class RowComparer {
  readonly #sign: 1 | -1
  readonly #tail: TailOrder
  /** By result and label set: rows with the same labels have the same values. */
  readonly #values = new WeakMap<RowsResult, Map<number, TailValues>>()

  constructor({ direction, tail }: RowOrder) {
    this.#sign = direction === 'backward' ? -1 : 1
    this.#tail = tail
  }

  /** Negative when `a` comes before `b` in the answer. */
  compare(a: FoundRow, b: FoundRow): number {
    const { sort } = this.#tail
    const byValue =
      sort === undefined
        ? 0
        : compareSortValues(this.#valuesOf(a).sortValue, this.#valuesOf(b).sortValue, sort.descending)
    return (
      byValue ||
      this.compareTimes(a.day, a.result.time[a.at]!, b) ||
      this.#sign * (a.result.order[a.at]! - b.result.order[b.at]! || a.result.row[a.at]! - b.result.row[b.at]!)
    )
  }

  /** Negative when a time comes before that of `row`. */
  compareTimes(day: Day, time: number, row: FoundRow): number {
    return this.#sign * (day - row.day || time - row.result.time[row.at]!)
  }

  /** Equal for rows that `distinct` cannot tell apart. */
  keyOf(row: FoundRow): string {
    return this.#valuesOf(row).distinctKey
  }

  #valuesOf({ result, at }: FoundRow): TailValues {
    let ofResult = this.#values.get(result)
    if (ofResult === undefined) this.#values.set(result, (ofResult = new Map()))
    const set = result.labelSet[at]!
    let values = ofResult.get(set)
    if (values === undefined) ofResult.set(set, (values = tailValues(result, set, this.#tail)))
    return values
  }
}

type TailValues = { readonly distinctKey: string; readonly sortValue: SortValue }

function tailValues({ labelSets }: RowsResult, set: number, { distinct, sort }: TailOrder): TailValues {
  const labels = labelsOfSet(labelSets, set)
  const valueOf = (wanted: string): string => labels.find(({ name }) => name === wanted)?.value ?? ''
  return {
    distinctKey: distinct === undefined ? '' : distinctKey(distinct, valueOf),
    sortValue: sort === undefined ? '' : sortValue(valueOf(sort.label)),
  }
}

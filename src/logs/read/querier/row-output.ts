/**
 * What becomes of the rows of a log query when they come one after the other in their order: those before a cursor are left out,
 * those too close to the last one as well, and of the others the limit is taken.
 */
import { hash53 } from '#/kernel/hash64.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import type { RangeQuery } from '#/logs/wire/query.ts'
import type { RowCursor } from '#/logs/wire/query-stream.ts'
import { EntryMaker } from './result-streams.ts'
import { placeOf } from './row-runs.ts'
import type { FoundRow } from './top-rows.ts'

/** Rows of one time and stream among which the row of a cursor is looked for, beyond those that its count says. */
const MAX_SEARCHED_ROWS = 10_000

type Group = { readonly timeNs: bigint; readonly stream: number }

export class RowOutput {
  #left: number
  readonly #query: Pick<RangeQuery, 'direction' | 'intervalNs' | 'paging'>
  /** Time and stream of the last row, and how many rows they had. */
  #group: Group | undefined
  #count = 0
  /** Set until the row of the cursor was met. */
  #after: RowCursor | undefined
  /** Rows behind those that the cursor counts: to be handed out unless its row comes yet. */
  #doubtful: FoundRow[] = []
  #lastNs: bigint | undefined
  #last: { readonly row: FoundRow; readonly count: number } | undefined

  constructor(query: Pick<RangeQuery, 'limit' | 'direction' | 'intervalNs' | 'paging'>) {
    this.#query = query
    this.#left = query.limit
    this.#after = query.paging?.after
    this.#lastNs = this.#after?.timeNs
  }

  /** Rows that it may want at most. */
  wanted(): number {
    if (this.#left === 0 || this.#query.intervalNs > 0n) return this.#left === 0 ? 0 : Infinity
    return this.#left + (this.#after === undefined ? 0 : this.#after.count + this.#doubtful.length)
  }

  /** Of rows in their order, those that are part of the answer. */
  take(rows: readonly FoundRow[]): FoundRow[] {
    const taken: FoundRow[] = []
    for (const row of rows) {
      const group = groupOf(row)
      const isSame = this.#group?.timeNs === group.timeNs && this.#group.stream === group.stream
      this.#count = isSame ? this.#count + 1 : 1
      this.#group = group
      if (this.#after !== undefined && !this.#isBehind(this.#after, row, taken)) continue
      this.#keep(row, this.#count, taken)
    }
    return taken
  }

  /** The rows that are known to be part of the answer only now, as no more come. */
  finish(): FoundRow[] {
    const taken: FoundRow[] = []
    if (this.#after !== undefined) this.#giveUp(this.#after, taken)
    return taken
  }

  /** The last row that was taken. */
  cursor(): RowCursor | undefined {
    if (this.#query.paging === undefined) return undefined
    if (this.#last === undefined) return this.#query.paging.after
    const { row, count } = this.#last
    return { ...groupOf(row), count, identity: identityOf(row) }
  }

  /** As {@link cursor}, undefined when the answer has ended by itself. */
  next(): RowCursor | undefined {
    return this.#left === 0 ? this.cursor() : undefined
  }

  /** Whether `row` comes after the row of the cursor. Rows that came later than the cursor may lie before it, among its equals. */
  #isBehind(after: RowCursor, row: FoundRow, taken: FoundRow[]): boolean {
    const isGroup = this.#group!.timeNs === after.timeNs && this.#group!.stream === after.stream
    if (!isGroup || this.#doubtful.length >= MAX_SEARCHED_ROWS) {
      this.#giveUp(after, taken)
      return true
    }
    if (this.#count < after.count) return false
    if (identityOf(row) === after.identity) {
      this.#after = undefined
      this.#doubtful = []
    } else if (this.#count > after.count) this.#doubtful.push(row)
    return false
  }

  /** The row of the cursor is not there any more: the count alone says where to go on. */
  #giveUp({ count }: RowCursor, taken: FoundRow[]): void {
    this.#after = undefined
    for (const [i, row] of this.#doubtful.splice(0).entries()) this.#keep(row, count + 1 + i, taken)
  }

  #keep(row: FoundRow, count: number, taken: FoundRow[]): void {
    const { direction, intervalNs } = this.#query
    if (this.#left === 0) return
    const timeNs = absoluteNs(row.day, row.result.time[row.at]!)
    if (intervalNs > 0n && this.#lastNs !== undefined) {
      const distance = direction === 'forward' ? timeNs - this.#lastNs : this.#lastNs - timeNs
      if (distance < intervalNs) return
    }
    this.#left--
    this.#lastNs = timeNs
    this.#last = { row, count }
    taken.push(row)
  }
}

function groupOf({ day, result, at }: FoundRow): Group {
  const { time, key } = placeOf(result, at)
  return { timeNs: absoluteNs(day, time), stream: key }
}

/** Of what the row shows, which is the same wherever it is stored. */
function identityOf(row: FoundRow): number {
  const { entry, labels } = new EntryMaker().make(row)
  return hash53(`${labels.allText}\n${entry.line.toString()}`)
}

/**
 * The best rows of a scan for queries with `distinct` or `sort`: of each combination of values of the distinct labels the best row,
 * and of these the best `limit`, in the order of the answer: by the value of the sort label, then by time in the direction of the
 * query.
 *
 * It never holds more than `limit` rows. A row that is refused or pushed out for want of room cannot be missed later: `limit`
 * combinations have better rows at that moment, and the best row of a combination only ever gets better. When its own combination
 * comes again with a row good enough to get in, that row is better than the one that was pushed out, so it is the best one so far.
 *
 * `distinct` keeps the first row in time, whatever the order of the answer. Both are the same order only without `sort`, or when the
 * sort label is one of the distinct labels: then all rows of a combination have the same sort value. The querier asks for nothing else.
 */
import { assert } from '#/kernel/assert.ts'
import type { RowTail } from '#/logs/logql/planner/plan.ts'
import { compareSortValues, sortValue, type SortValue } from '#/logs/logql/pipeline/sort-value.ts'
import type { Row } from '#/logs/logql/pipeline/row.ts'
import type { Direction } from '#/logs/wire/query.ts'

/** The part of a tail that is evaluated row by row; the limit stands beside it. */
export type TailOrder = Pick<RowTail, 'distinct' | 'sort'>

/** Metadata in conflict with a label of the stream is seen as `<name>_extracted`. */
function baseName(name: string): string {
  return name.replace(/_extracted$/, '')
}

/** Equal for equal values of `names`; a missing label has the empty value. */
export function distinctKey(names: readonly string[], valueOf: (name: string) => string | undefined): string {
  if (names.length === 1) return valueOf(names[0]!) ?? ''
  let key = ''
  for (const name of names) {
    const value = valueOf(name) ?? ''
    key += `${value.length}:${value}`
  }
  return key
}

type Place = { value: SortValue; time: number; order: number; row: number }
type KeptRow = Place & { key: string; at: number }

export class TailRows {
  readonly #limit: number
  readonly #sign: 1 | -1
  readonly #tail: TailOrder
  /** A heap with the worst row on top. */
  readonly #heap: KeptRow[] = []
  readonly #byKey = new Map<string, KeptRow>()
  readonly #candidate: Place = { value: '', time: 0, order: 0, row: 0 }

  constructor({ limit, direction, tail }: { limit: number; direction: Direction; tail: TailOrder }) {
    const { distinct, sort } = tail
    assert(distinct === undefined || sort === undefined || distinct.includes(sort.label), 'one order decides')
    this.#limit = limit
    this.#sign = direction === 'backward' ? -1 : 1
    this.#tail = tail
  }

  /** Whether one row of a stream stands for all: `distinct` by labels that no metadata of the page may have. */
  isByStream(metaNames: readonly string[]): boolean {
    const names = this.#tail.distinct
    if (names === undefined) return false
    return names.every((name) => !metaNames.includes(name) && !metaNames.includes(baseName(name)))
  }

  get count(): number {
    return this.#heap.length
  }

  /** Whether a row could be kept, before its labels are known. */
  accepts(time: number, order: number, row: number): boolean {
    if (this.#heap.length < this.#limit) return true
    if (this.#limit === 0) return false
    if (this.#tail.sort !== undefined) return true
    const place = this.#candidate
    place.time = time
    place.order = order
    place.row = row
    return this.#compare(place, this.#heap[0]!) < 0
  }

  /** Keeps the row, whose labels are those of `labels`, if it is good enough; returns whether it did. */
  add(labels: Pick<Row, 'get'>, time: number, order: number, row: number): boolean {
    const { distinct, sort } = this.#tail
    const place = this.#candidate
    place.value = sort === undefined ? '' : sortValue(labels.get(sort.label) ?? '')
    place.time = time
    place.order = order
    place.row = row
    const heap = this.#heap
    const isFull = heap.length >= this.#limit
    if (isFull && (this.#limit === 0 || this.#compare(place, heap[0]!) >= 0)) return false
    const key = distinct === undefined ? '' : distinctKey(distinct, (name) => labels.get(name))
    const known = distinct === undefined ? undefined : this.#byKey.get(key)
    if (known !== undefined) {
      if (this.#compare(place, known) >= 0) return false
      Object.assign(known, place)
      this.#siftDown(known)
      return true
    }
    if (!isFull) {
      this.#insert({ ...place, key, at: heap.length })
      return true
    }
    const worst = heap[0]!
    this.#byKey.delete(worst.key)
    Object.assign(worst, place)
    worst.key = key
    if (distinct !== undefined) this.#byKey.set(key, worst)
    this.#siftDown(worst)
    return true
  }

  /** The rows in the order of the answer. */
  sorted(): { readonly time: Float64Array; readonly order: Uint32Array; readonly row: Uint32Array } {
    const rows = this.#heap.toSorted((a, b) => this.#compare(a, b))
    return {
      time: Float64Array.from(rows, ({ time }) => time),
      order: Uint32Array.from(rows, ({ order }) => order),
      row: Uint32Array.from(rows, ({ row }) => row),
    }
  }

  /** Negative when `a` comes before `b` in the answer. */
  #compare(a: Place, b: Place): number {
    const { sort } = this.#tail
    const byValue = sort === undefined ? 0 : compareSortValues(a.value, b.value, sort.descending)
    return byValue || this.#sign * (a.time - b.time || a.order - b.order || a.row - b.row)
  }

  #insert(kept: KeptRow): void {
    this.#heap.push(kept)
    if (this.#tail.distinct !== undefined) this.#byKey.set(kept.key, kept)
    while (kept.at > 0) {
      const parent = this.#heap[(kept.at - 1) >> 1]!
      if (this.#compare(kept, parent) <= 0) return
      this.#swap(kept, parent)
    }
  }

  #siftDown(kept: KeptRow): void {
    for (;;) {
      const left = this.#heap[2 * kept.at + 1]
      if (left === undefined) return
      const right = this.#heap[2 * kept.at + 2]
      const worse = right !== undefined && this.#compare(right, left) > 0 ? right : left
      if (this.#compare(worse, kept) <= 0) return
      this.#swap(worse, kept)
    }
  }

  #swap(a: KeptRow, b: KeptRow): void {
    const at = a.at
    this.#heap[(a.at = b.at)] = a
    this.#heap[(b.at = at)] = b
  }
}

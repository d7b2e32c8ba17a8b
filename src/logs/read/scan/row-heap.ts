/**
 * The best `limit` rows of a scan in the direction of the query, as (time, key, page order, row). The rows of a page are read only
 * when the scan ends.
 */
import type { Direction } from '#/logs/wire/query.ts'

const INITIAL_ROWS = 256

export class RowHeap {
  readonly #limit: number
  /** 1: later rows are better (backward), -1: earlier ones are. */
  readonly #sign: 1 | -1
  #times: Float64Array
  #keys: Float64Array
  #orders: Uint32Array
  #rows: Uint32Array
  #count = 0

  constructor(limit: number, direction: Direction) {
    this.#limit = limit
    this.#sign = direction === 'backward' ? 1 : -1
    const size = Math.min(limit, INITIAL_ROWS)
    this.#times = new Float64Array(size)
    this.#keys = new Float64Array(size)
    this.#orders = new Uint32Array(size)
    this.#rows = new Uint32Array(size)
  }

  get count(): number {
    return this.#count
  }

  /** Whether a row would be kept. */
  accepts(time: number, order: number, row: number, key = 0): boolean {
    if (this.#count < this.#limit) return true
    return this.#limit > 0 && this.#compare(time, key, order, row, 0) > 0
  }

  /** Adds a row that {@link accepts} let in; the worst one leaves when there are too many. */
  add(time: number, order: number, row: number, key = 0): void {
    if (this.#count < this.#limit) {
      if (this.#count === this.#times.length) this.#grow()
      this.#set(this.#count, time, key, order, row)
      this.#siftUp(this.#count++)
    } else {
      this.#set(0, time, key, order, row)
      this.#siftDown()
    }
  }

  /** The rows in the direction of the query. */
  sorted(): { readonly time: Float64Array; readonly order: Uint32Array; readonly row: Uint32Array } {
    const positions = Uint32Array.from({ length: this.#count }, (_, i) => i).sort((a, b) =>
      this.#compare(this.#times[b]!, this.#keys[b]!, this.#orders[b]!, this.#rows[b]!, a),
    )
    return {
      time: Float64Array.from(positions, (at) => this.#times[at]!),
      order: Uint32Array.from(positions, (at) => this.#orders[at]!),
      row: Uint32Array.from(positions, (at) => this.#rows[at]!),
    }
  }

  /** Positive when the given row is better than the one at `at`. */
  #compare(time: number, key: number, order: number, row: number, at: number): number {
    return (
      this.#sign *
      (time - this.#times[at]! || key - this.#keys[at]! || order - this.#orders[at]! || row - this.#rows[at]!)
    )
  }

  #isWorse(a: number, b: number): boolean {
    return this.#compare(this.#times[a]!, this.#keys[a]!, this.#orders[a]!, this.#rows[a]!, b) < 0
  }

  #set(at: number, time: number, key: number, order: number, row: number): void {
    this.#times[at] = time
    this.#keys[at] = key
    this.#orders[at] = order
    this.#rows[at] = row
  }

  #siftUp(from: number): void {
    let child = from
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!this.#isWorse(child, parent)) return
      this.#swap(child, parent)
      child = parent
    }
  }

  #siftDown(): void {
    let parent = 0
    for (;;) {
      const left = 2 * parent + 1
      if (left >= this.#count) return
      const right = left + 1
      const child = right < this.#count && this.#isWorse(right, left) ? right : left
      if (!this.#isWorse(child, parent)) return
      this.#swap(child, parent)
      parent = child
    }
  }

  #swap(a: number, b: number): void {
    const [time, key, order, row] = [this.#times[a]!, this.#keys[a]!, this.#orders[a]!, this.#rows[a]!]
    this.#set(a, this.#times[b]!, this.#keys[b]!, this.#orders[b]!, this.#rows[b]!)
    this.#set(b, time, key, order, row)
  }

  #grow(): void {
    const size = Math.min(this.#limit, this.#times.length * 2)
    const [times, keys, orders, rows] = [this.#times, this.#keys, this.#orders, this.#rows]
    this.#times = new Float64Array(size)
    this.#keys = new Float64Array(size)
    this.#orders = new Uint32Array(size)
    this.#rows = new Uint32Array(size)
    this.#times.set(times)
    this.#keys.set(keys)
    this.#orders.set(orders)
    this.#rows.set(rows)
  }
}

/**
 * The values of a sliding window in order. All values of a series are sorted once and known by their ranks from then on; counts of
 * ranks take values in and out and find the n-th one. So a value costs the same however many windows see it.
 */
import type { Run } from './cell-runs.ts'
import { RankCounts } from './rank-counts.ts'
import type { PostedValues } from './sample.ts'

export class RankedWindow {
  readonly #posted: readonly PostedValues[]
  readonly #runs: readonly (readonly Run[])[]
  /** Distinct values ascending, NaN first. */
  readonly #values: Float64Array
  /** Rank of each entry of the runs, segment by segment; and where those of a segment begin. */
  readonly #ranks: Uint32Array
  readonly #starts: Uint32Array
  readonly #ranksInside: RankCounts
  #from = 0
  #to = -1
  #count = 0
  /** How many values were touched so far. */
  work = 0

  /** `runs` are those of each segment, ascending with NaN last. */
  constructor(posted: readonly PostedValues[], runs: readonly (readonly Run[])[]) {
    this.#posted = posted
    this.#runs = runs
    this.#starts = new Uint32Array(runs.length + 1)
    for (const [segment, own] of runs.entries()) {
      this.#starts[segment + 1] = this.#starts[segment]! + own.reduce((sum, { from, to }) => sum + to - from, 0)
    }
    this.#values = this.#distinctValues()
    this.#ranks = new Uint32Array(this.#starts.at(-1)!)
    this.#ranksInside = new RankCounts(this.#values.length)
  }

  /** To be run to its end before anything else; stops from time to time for the caller to do other work. */
  *prepare(): Iterable<void> {
    let at = 0
    for (const { posted, from, to } of this.#runs.flat()) {
      const { values } = this.#posted[posted]!
      for (let i = from; i < to; i++) this.#ranks[at++] = this.#rankOf(values[i]!)
      this.work += (to - from) * 2
      yield
    }
  }

  /** Makes the window the segments `from` … `to`, both never less than before, and returns how many values it has. */
  slideTo(from: number, to: number): number {
    if (from > this.#to) {
      // nothing of the old window stays: take it out and jump
      this.#leave(from)
      this.#from = from
      this.#to = from - 1
    }
    while (this.#to < to) this.#change(++this.#to, 1)
    this.#leave(from)
    return this.#count
  }

  /** The value with `index` values before it. */
  valueAt(index: number): number {
    return this.#values[this.#ranksInside.rankAt(index)]!
  }

  #leave(from: number): void {
    while (this.#from < from && this.#from <= this.#to) this.#change(this.#from++, -1)
  }

  #change(segment: number, sign: 1 | -1): void {
    let at = this.#starts[segment]!
    this.work += this.#starts[segment + 1]! - at
    for (const { posted, from, to } of this.#runs[segment]!) {
      const { counts } = this.#posted[posted]!
      for (let i = from; i < to; i++) {
        const delta = sign * (counts === undefined ? 1 : counts[i]!)
        this.#count += delta
        this.#ranksInside.add(this.#ranks[at++]!, delta)
      }
    }
  }

  #distinctValues(): Float64Array {
    const all = new Float64Array(this.#starts.at(-1)!)
    let at = 0
    for (const { posted, from, to } of this.#runs.flat()) {
      all.set(this.#posted[posted]!.values.subarray(from, to), at)
      at += to - from
    }
    all.sort()
    // sorting puts NaN last; here it is the smallest value
    let numbers = all.length
    while (numbers > 0 && Number.isNaN(all[numbers - 1]!)) numbers--
    const hasNaN = numbers < all.length
    const distinct = new Float64Array(all.length + 1)
    let count = 0
    if (hasNaN) distinct[count++] = NaN
    for (let i = 0; i < numbers; i++) if (i === 0 || all[i] !== all[i - 1]) distinct[count++] = all[i]!
    return distinct.subarray(0, count)
  }

  #rankOf(value: number): number {
    if (Number.isNaN(value)) return 0
    const values = this.#values
    let low = Number.isNaN(values[0]!) ? 1 : 0
    let high = values.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (values[middle]! < value) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * The keys with the most rows among very many, without a total for each of them: those that may be among the best are counted one by
 * one, all others by buckets of a sketch (see #/logs/read/scan/key-sketch.ts), where no key has more rows than its bucket.
 *
 * 1. `begin`: what the first jobs found tells which buckets to want.
 * 2. `add`: totals of wanted keys are put together; what else a job has found counts in its bucket.
 * 3. `askAgain`: when a bucket has as many rows as the last of the best, its keys may be better: it is wanted now, and all jobs
 *    run once more. Keys that were wanted before are known already.
 */
import { ByteTable } from '#/kernel/byte-table.ts'
import { emptySketches, isWanted, SKETCH_BUCKETS, sketchBucket, type KeySketch } from '#/logs/read/scan/key-sketch.ts'
import { forEachOfList, hashOfKey, type KeyedTotals } from '#/logs/read/scan/keyed-totals.ts'
import { grown } from '#/logs/read/scan/range/grow.ts'

/** Of the sums of buckets, as far as they are told apart. */
const MAX_SUM = 16_384
/** Buckets that are wanted at first: so many for each key that is asked for, and at least. */
const WANTED_PER_KEY = 4
const MIN_WANTED = 256
/** So many times the mean of all buckets, and this beside it, must be in that of the last of the best, or the others may be as good. */
const MIN_LEAST_FACTOR = 3
const MIN_LEAST = 8
/** With more buckets wanted in the second pass, it had better count all keys. */
const MAX_WANTED_AGAIN = SKETCH_BUCKETS / 8
/** With more rows than this a bucket may have begun at 0 again. */
const MAX_ROWS = 2 ** 31

export type HeavyOptions = {
  readonly k: number
  /** In a key. */
  readonly labels: number
  readonly memory: SharedArrayBuffer
  /** How many run at the same time. */
  readonly jobs: number
}

export class HeavyKeys {
  /** Distinct keys of wanted buckets. */
  readonly table = new ByteTable()
  #totals = new Float64Array(1024)
  readonly #labels: number
  readonly #sketches: readonly KeySketch[]
  /** Those that no job has. */
  readonly #free: KeySketch[]
  readonly #wanted: Uint8Array<SharedArrayBuffer>
  /** Rows that were not counted in a sketch by the job that found them. */
  readonly #rows = new Uint32Array(SKETCH_BUCKETS)
  /** Set when only wanted keys are of interest. */
  #isAgain = false

  /** Undefined when the keys of `parts`, which are those of some of the rows, tell too little about who the best will be. */
  static begin(parts: readonly KeyedTotals[], options: HeavyOptions): HeavyKeys | undefined {
    const heavy = new HeavyKeys(options)
    for (const { bytes } of parts) heavy.add(bytes)
    if (!heavy.#wantLargest(options.k)) return undefined
    for (const { bytes } of parts) {
      forEachOfList(bytes, { start: 0, end: bytes.length, labels: options.labels }, heavy.#addWanted)
    }
    return heavy
  }

  private constructor({ labels, memory, jobs }: HeavyOptions) {
    this.#labels = labels
    this.#sketches = emptySketches(memory, jobs)
    this.#free = [...this.#sketches]
    this.#wanted = this.#sketches[0]!.wanted
  }

  /** By key of {@link table}. */
  get totals(): Float64Array {
    return this.#totals
  }

  get sizeBytes(): number {
    return this.table.sizeBytes + this.#totals.byteLength + this.#rows.byteLength
  }

  /** For one job, until it is given back. Undefined: the job has to count all keys. */
  borrow(): KeySketch | undefined {
    return this.#isAgain ? { wanted: this.#wanted, rows: undefined } : this.#free.pop()
  }

  giveBack(sketch: KeySketch): void {
    if (sketch.rows !== undefined) this.#free.push(sketch)
  }

  /** Takes keys and their totals, one behind the other, which no sketch has. */
  add(list: Uint8Array): void {
    forEachOfList(list, { start: 0, end: list.length, labels: this.#labels }, this.#addEither)
  }

  /**
   * `least` is the total of the last of the best so far, -Infinity when there are fewer. `complete`: nothing was missed.
   * `again`: all jobs must run once more, for the keys of other buckets. `useless`: that would be too many. `seenRows`: of all jobs.
   */
  askAgain(least: number, seenRows: number): 'complete' | 'again' | 'useless' {
    if (this.#isAgain) return 'complete'
    if (seenRows > MAX_ROWS) return 'useless'
    this.#isAgain = true
    const wanted = this.#wanted.fill(0)
    let count = 0
    for (let bucket = 0; bucket < SKETCH_BUCKETS; bucket++) {
      let sum = this.#rows[bucket]!
      for (const { rows } of this.#sketches) sum += rows![bucket]!
      if (sum === 0 || sum < least) continue
      wanted[bucket >>> 3]! |= 1 << (bucket & 7)
      count++
    }
    if (count === 0) return 'complete'
    return count > MAX_WANTED_AGAIN ? 'useless' : 'again'
  }

  /** Wants the buckets with the most rows, and empties them. False when too many have about as many. */
  #wantLargest(k: number): boolean {
    const rows = this.#rows
    const bucketsWith = new Uint32Array(MAX_SUM + 1)
    let all = 0
    for (let bucket = 0; bucket < SKETCH_BUCKETS; bucket++) {
      all += rows[bucket]!
      bucketsWith[Math.min(rows[bucket]!, MAX_SUM)]!++
    }
    const largest = atRank(bucketsWith, 1)
    const mean = (all - largest) / SKETCH_BUCKETS
    if (atRank(bucketsWith, k) < mean * MIN_LEAST_FACTOR + MIN_LEAST) return false
    const least = Math.max(2, atRank(bucketsWith, Math.max(MIN_WANTED, k * WANTED_PER_KEY)))
    for (let bucket = 0; bucket < SKETCH_BUCKETS; bucket++) {
      if (rows[bucket]! < least) continue
      this.#wanted[bucket >>> 3]! |= 1 << (bucket & 7)
      rows[bucket] = 0
    }
    return true
  }

  readonly #addEither = (bytes: Uint8Array, start: number, end: number, total: number): void => {
    const bucket = sketchBucket(hashOfKey(bytes, start, this.#labels))
    if (isWanted(this.#wanted, bucket)) this.#addTo(this.table.codeOf(bytes, start, end), total)
    else this.#rows[bucket]! += total
  }

  readonly #addWanted = (bytes: Uint8Array, start: number, end: number, total: number): void => {
    const bucket = sketchBucket(hashOfKey(bytes, start, this.#labels))
    if (isWanted(this.#wanted, bucket)) this.#addTo(this.table.codeOf(bytes, start, end), total)
  }

  #addTo(code: number, total: number): void {
    this.#totals = grown(this.#totals, code + 1)
    this.#totals[code]! += total
  }
}

/** The sum of the bucket that has so many with as much or more before it and with it. */
function atRank(bucketsWith: Uint32Array, rank: number): number {
  let sum = MAX_SUM
  for (let count = bucketsWith[MAX_SUM]!; sum > 0 && count < rank; sum--) count += bucketsWith[sum - 1]!
  return sum
}

/**
 * Totals of an evaluation at one time by a few labels, for any number of series: they stay the bytes that jobs have made of them (see
 * #/logs/read/scan/keyed-totals.ts), and become objects only where the query has use for them: the best of `topk`, or as many as an
 * answer may have.
 *
 * Where the keys turn out to be many and `topk` wants few of them, most are never held at all (./heavy-keys.ts). Where all of them
 * are more than the query may hold, the leaf is run in passes, each of which looks at a part of the buckets.
 */
import { ByteTable, hashBytes } from '#/kernel/byte-table.ts'
import type { EddaError } from '#/kernel/errors.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import {
  bucketOrder,
  BUCKETS,
  forEachTotal,
  nextKeyHash,
  NO_VALUE_HASH,
  TotalsWriter,
  type KeyedTotals,
} from '#/logs/read/scan/keyed-totals.ts'
import type { DiffsResult, SamplesResult } from '#/logs/read/scan/scan-job.ts'
import { tooManySeries } from '#/logs/read/scan/series-slots.ts'
import { sketchBytes, type KeySketch } from '#/logs/read/scan/key-sketch.ts'
import { keyNames } from '#/series/label-keys.ts'
import type { SeriesLabels } from '#/series/labels.ts'
import { constantSeries, type Series } from '#/series/series-set.ts'
import type { Extremes } from '#/series/top-k.ts'
import { HeavyKeys } from './heavy-keys.ts'
import { KeptKeys } from './kept-keys.ts'
import { SERIES_OVERHEAD_BYTES, type LeafTotals, type TotalsRun } from './leaf-totals.ts'
import type { QueryRun } from './query-run.ts'

/** Part of what a query may hold that totals may take, before equal keys are put together: the pages of jobs need the rest. */
const MAX_SHARE = 0.4
/** The same afterwards: with more there would be no end to it. */
const MAX_MERGED_SHARE = 0.3
const MANY_KEYS_BYTES = 256 * 1024
/** The sketch must not take more than one in so many bytes of what the query may hold. */
const MIN_SHARE_OF_SKETCH = 4
/** More are not worth it. */
const MAX_HEAVY_K = 1000
/** Other work gets its turn after so many buckets. */
const BUCKETS_BETWEEN_TURNS = 64

/** A part of all keys: the buckets whose number is `index` modulo `count`. */
export type KeyPart = { readonly index: number; readonly count: number }

export type KeyedOptions = {
  /** The series that the query has use for; undefined: all. */
  readonly keep: Extremes | undefined
  readonly part: KeyPart
  /** Seconds that the total of a series is divided by. */
  readonly divisor: number
  /** Shared memory that stays while the leaf runs; undefined: every key is held. */
  readonly takeMemory?: ((sizeBytes: number) => SharedArrayBuffer) | undefined
  /** With so many bytes of keys it is time to hold only those that may be among the best. */
  readonly manyBytes?: number
}

/** There are more keys than the query can hold. Another try may look at fewer of them. */
export class TooManyKeys extends Error {
  /** What to tell when there is no other way. */
  readonly reason: EddaError

  constructor(series: number, shareBytes: number) {
    super('too many keys')
    this.reason = tooManySeries(series, shareBytes)
  }
}

/** Whether a leaf at `stepCount` steps can be counted here. */
export function isKeyedLeaf({ measure, grouping, preserveErrors }: MetricLeaf, stepCount: number): boolean {
  const counts = measure === 'rows' || measure === 'bytes'
  const isNamed = grouping.kind === 'by' && grouping.labels.length > 0
  return counts && isNamed && !preserveErrors && stepCount === 1
}

export class KeyedLeafTotals implements LeafTotals {
  readonly isApproximate = false
  readonly #run: TotalsRun & Pick<QueryRun, 'release' | 'concurrency'>
  readonly #options: KeyedOptions
  readonly #names: readonly string[]
  #parts: KeyedTotals[] = []
  #heldBytes = 0
  /** Of the bucket at hand. */
  readonly #keys = new ByteTable()
  #totals = new Float64Array(1024)
  /** Once keys are known to be many. */
  #heavy: HeavyKeys | undefined
  #triesHeavyAt: number
  #seenRows = 0
  #sketchMemory: SharedArrayBuffer | undefined

  constructor(run: TotalsRun & Pick<QueryRun, 'release' | 'concurrency'>, leaf: MetricLeaf, options: KeyedOptions) {
    this.#run = run
    this.#options = options
    this.#names = keyNames(leaf.grouping.labels)
    const { keep, takeMemory, manyBytes = MANY_KEYS_BYTES } = options
    // bytes are counted by key in any case (../scan/value-counter.ts)
    const isAsked = keep?.op === 'topk' && keep.k >= 1 && keep.k <= MAX_HEAVY_K
    const fits = sketchBytes(run.concurrency) * MIN_SHARE_OF_SKETCH <= run.shareBytes
    const mayBeHeavy = isAsked && fits && takeMemory !== undefined
    this.#triesHeavyAt = mayBeHeavy && leaf.measure === 'rows' ? manyBytes : Infinity
  }

  /** What a job that begins now may count in, for these totals alone, until it gives it back. */
  borrowSketch(): KeySketch | undefined {
    return this.#heavy?.borrow()
  }

  /** Whether jobs that begin now hold few keys, however many there are. By several labels they may still hold all. */
  get isSketched(): boolean {
    return this.#heavy !== undefined && this.#names.length === 1
  }

  giveBackSketch(sketch: KeySketch): void {
    this.#heavy?.giveBack(sketch)
  }

  async add(result: SamplesResult): Promise<void> {
    const { keyed, listed, ...diffs } = result as DiffsResult
    this.#seenRows += diffs.counts.rows
    if (diffs.series.length > 0 && diffs.firstStep === 0) await this.#addTotals(this.#totalsOf(diffs))
    if (keyed !== undefined) await this.#addTotals(keyed)
    if (listed !== undefined && this.#heavy !== undefined) await this.#addHeavy(this.#heavy, listed)
  }

  /** Whether all jobs must run once more before the series are known. To be asked when all have. */
  asksAgain(): boolean {
    const heavy = this.#heavy
    if (heavy === undefined) return false
    const verdict = heavy.askAgain(this.#bestHeavy(heavy).least, this.#seenRows)
    if (verdict !== 'useless') return verdict === 'again'
    this.#heavy = undefined
    this.#triesHeavyAt = Infinity
    void this.#hold(-this.#partBytes)
    return true
  }

  *series(): Iterable<Series | undefined> {
    const { keep, divisor } = this.#options
    const { shareBytes } = this.#run
    const found = this.#heavy === undefined ? new KeptKeys(this.#names, keep) : this.#bestHeavy(this.#heavy)
    let buckets = 0
    for (const { bucket, sum } of this.#bucketOrder()) {
      if (!found.mayTake(sum)) break
      this.#readBucket(bucket)
      found.add(this.#keys, this.#totals)
      if (found.count * SERIES_OVERHEAD_BYTES > shareBytes) throw tooManySeries(found.count, shareBytes)
      if (++buckets % BUCKETS_BETWEEN_TURNS === 0) yield undefined
    }
    for (const { labels, total } of found.series()) yield constantSeries(labels, 1, total / divisor)
  }

  /** Gives back what is held. */
  release(): void {
    this.#parts = []
    this.#run.release(this.#heldBytes)
    this.#heldBytes = 0
  }

  /** Buckets that have something, those with the most first where that may end the search. */
  #bucketOrder(): readonly { readonly bucket: number; readonly sum: number }[] {
    const sums = new Float64Array(BUCKETS)
    const isUsed = new Uint8Array(BUCKETS)
    for (const part of this.#parts) {
      for (let bucket = 0, start = 0; bucket < BUCKETS; start = part.ends[bucket++]!) {
        sums[bucket]! += part.sums[bucket]!
        if (part.ends[bucket]! > start) isUsed[bucket] = 1
      }
    }
    const order: { readonly bucket: number; readonly sum: number }[] = []
    for (let bucket = 0; bucket < BUCKETS; bucket++)
      if (isUsed[bucket] === 1) order.push({ bucket, sum: sums[bucket]! })
    return this.#options.keep?.op === 'topk' ? order.sort((a, b) => b.sum - a.sum) : order
  }

  async #addTotals(totals: KeyedTotals): Promise<void> {
    if (this.#heavy !== undefined) return this.#addHeavy(this.#heavy, totals.bytes)
    const part = this.#ownPart(totals)
    const bytes = bytesOf(part)
    await this.#hold(bytes)
    // results of other jobs may have been added meanwhile
    if (this.#heavy !== undefined) return this.#addHeavy(this.#heavy, part.bytes)
    this.#parts.push(part)
    if (this.#partBytes >= this.#triesHeavyAt) await this.#beginHeavy()
    if (this.#heldBytes <= this.#run.shareBytes * MAX_SHARE || this.#parts.length === 1) return
    await this.#merge()
  }

  /** Leaves most keys to a sketch from now on, if those that are held so far tell which. */
  async #beginHeavy(): Promise<void> {
    const { keep, takeMemory } = this.#options
    if (keep === undefined || takeMemory === undefined) return
    this.#triesHeavyAt *= 2
    const jobs = this.#run.concurrency
    if (this.#sketchMemory === undefined) {
      this.#sketchMemory = takeMemory(sketchBytes(jobs))
      await this.#hold(sketchBytes(jobs))
      if (this.#heavy !== undefined) return
    }
    const labels = this.#names.length
    this.#heavy = HeavyKeys.begin(this.#parts, { k: keep.k, labels, memory: this.#sketchMemory, jobs })
    if (this.#heavy === undefined) return
    const partBytes = this.#partBytes
    this.#parts = []
    await this.#hold(this.#heavy.sizeBytes - partBytes)
  }

  async #addHeavy(heavy: HeavyKeys, list: Uint8Array): Promise<void> {
    const { shareBytes } = this.#run
    heavy.add(list)
    if (heavy.sizeBytes > shareBytes * MAX_MERGED_SHARE) throw new TooManyKeys(heavy.table.count, shareBytes)
    await this.#hold(heavy.sizeBytes - this.#partBytes)
  }

  /** What is held beside the sketch. */
  get #partBytes(): number {
    return this.#heldBytes - (this.#sketchMemory === undefined ? 0 : sketchBytes(this.#run.concurrency))
  }

  /** Holds so many bytes more, or less. */
  async #hold(bytes: number): Promise<void> {
    this.#heldBytes += bytes
    if (bytes < 0) this.#run.release(-bytes)
    else await this.#run.reserve(bytes)
  }

  /** The best of the keys that are counted one by one. */
  #bestHeavy({ table, totals }: HeavyKeys): KeptKeys {
    const found = new KeptKeys(this.#names, this.#options.keep)
    found.add(table, totals)
    return found
  }

  /** Puts equal keys together, so that they take less memory. @throws TooManyKeys when that is not enough. */
  async #merge(): Promise<void> {
    const parts = this.#parts
    const heldBytes = this.#heldBytes
    const writer = new TotalsWriter(parts[0]!.bytes.length)
    let count = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#readBucket(bucket)
      writer.enter(bucket)
      const { bytes } = this.#keys
      for (let code = 0; code < this.#keys.count; code++) {
        writer.key(bytes, this.#keys.startOf(code), this.#keys.endOf(code))
        writer.total(this.#totals[code]!)
      }
      count += this.#keys.count
    }
    const merged = writer.finish()
    const bytes = bytesOf(merged)
    this.#parts = [merged]
    await this.#hold(bytes - heldBytes)
    const { shareBytes } = this.#run
    if (bytes > shareBytes * MAX_MERGED_SHARE) throw new TooManyKeys(count, shareBytes)
  }

  /** The distinct keys of a bucket in the table, and their totals. */
  #readBucket(bucket: number): void {
    const keys = this.#keys
    keys.clear()
    const labels = this.#names.length
    const add = (bytes: Uint8Array, start: number, end: number, total: number): void => {
      const code = keys.codeOf(bytes, start, end)
      if (code === this.#totals.length) this.#growTotals()
      this.#totals[code] = code === known ? total : this.#totals[code]! + total
      if (code === known) known++
    }
    let known = 0
    for (const part of this.#parts) forEachTotal(part, { bucket, labels }, add)
  }

  #growTotals(): void {
    const totals = new Float64Array(this.#totals.length * 2)
    totals.set(this.#totals)
    this.#totals = totals
  }

  /** What of the totals belongs to the part of the keys that is looked at. */
  #ownPart(totals: KeyedTotals): KeyedTotals {
    const { index, count } = this.#options.part
    if (count === 1) return totals
    const writer = new TotalsWriter(Math.ceil(totals.bytes.length / count))
    for (let bucket = index; bucket < BUCKETS; bucket += count) writer.copyBucket(totals, bucket)
    return writer.finish()
  }

  #totalsOf({ series, width, rowDiffs, valueDiffs }: Omit<DiffsResult, 'keyed'>): KeyedTotals {
    const counted = [...series.keys()].filter((slot) => rowDiffs[slot * width] !== 0)
    const values = counted.map((slot) => this.#valuesOf(series[slot]!))
    const { order, buckets } = bucketOrder(Uint32Array.from(values, keyHash))
    const writer = new TotalsWriter(counted.length)
    for (const i of order) {
      writer.enter(buckets[i]!)
      for (const value of values[i]!) {
        if (value === undefined) writer.none()
        else writer.value(value, 0, value.length)
      }
      writer.total((valueDiffs ?? rowDiffs)[counted[i]! * width]!)
    }
    return writer.finish()
  }

  /** By name. */
  #valuesOf(labels: SeriesLabels): readonly (Buffer | undefined)[] {
    return this.#names.map((name) => {
      const value = labels.find(([other]) => other === name)?.[1]
      return value === undefined ? undefined : Buffer.from(value)
    })
  }
}

function keyHash(values: readonly (Buffer | undefined)[]): number {
  return values.reduce(
    (hash, value) => nextKeyHash(hash, value === undefined ? NO_VALUE_HASH : hashBytes(value, 0, value.length)),
    0,
  )
}

function bytesOf({ bytes, ends, sums }: KeyedTotals): number {
  return bytes.byteLength + ends.byteLength + sums.byteLength
}

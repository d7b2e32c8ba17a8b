/** The keys that a query has use for, of all that were counted (see ./keyed-totals.ts). */
import type { ByteTable } from '#/kernel/byte-table.ts'
import { compareKeys, labelsOfKey } from '#/series/label-keys.ts'
import type { Series } from '#/series/series-set.ts'
import type { Extremes } from '#/series/top-k.ts'
import { bestOf } from './best-of.ts'

export class KeptKeys {
  readonly #names: readonly string[]
  readonly #keep: Extremes | undefined
  #keys: { readonly key: Uint8Array; readonly total: number }[] = []
  /** The least total among the k best so far, once there are so many. */
  #least = -Infinity

  constructor(names: readonly string[], keep: Extremes | undefined) {
    this.#names = names
    this.#keep = keep
  }

  get count(): number {
    return this.#keys.length
  }

  /** The least total among the k best so far, -Infinity while there are not so many. */
  get least(): number {
    return this.#least
  }

  /** Whether a key of a bucket with this sum may be one. */
  mayTake(sum: number): boolean {
    return this.#keep?.op !== 'topk' || (this.#keep.k > 0 && sum >= this.#least)
  }

  /** All keys of a bucket. */
  add(table: ByteTable, totals: Float64Array): void {
    const { bytes, count } = table
    const kept = this.#best(totals, count, (a, b) =>
      compareKeys(this.#names, bytes.subarray(table.startOf(a)), bytes.subarray(table.startOf(b))),
    )
    for (const code of kept) {
      if (this.#keep?.op === 'topk' && totals[code]! < this.#least) continue
      this.#keys.push({ key: bytes.slice(table.startOf(code), table.endOf(code)), total: totals[code]! })
    }
    this.#drop()
  }

  *series(): Iterable<{ readonly labels: Series['labels']; readonly total: number }> {
    for (const { key, total } of this.#keys) yield { labels: labelsOfKey(this.#names, key), total }
  }

  /** Leaves the best alone. */
  #drop(): void {
    if (this.#keep === undefined || this.#keys.length < this.#keep.k) return
    const keys = this.#keys
    const totals = Float64Array.from(keys, ({ total }) => total)
    const kept = this.#best(totals, keys.length, (a, b) => compareKeys(this.#names, keys[a]!.key, keys[b]!.key))
    this.#keys = Array.from(kept, (i) => keys[i]!)
    this.#least = this.#keys.reduce((least, { total }) => Math.min(least, total), Infinity)
  }

  #best(totals: Float64Array, count: number, compare: (a: number, b: number) => number): Iterable<number> {
    if (this.#keep === undefined) return Array.from({ length: count }, (_, code) => code)
    return bestOf(totals, count, this.#keep, compare)
  }
}

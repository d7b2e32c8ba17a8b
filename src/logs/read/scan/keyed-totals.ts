/**
 * Totals of very many series, by their keys (see #/series/label-keys.ts), in a few bytes for each: a key, then its total as a uvarint.
 * They are divided into buckets by the hashes of their keys, so that the totals of several jobs are put together bucket by bucket,
 * each of which is small, and so that those who look for the largest need not look into buckets that hold little in all.
 */
import { hashBytes } from '#/kernel/byte-table.ts'
import { countingSort } from '#/kernel/sort-by-key.ts'
import { skipKey } from '#/series/label-keys.ts'

const BUCKET_BITS = 12
export const BUCKETS = 2 ** BUCKET_BITS
/** Of a uvarint below 2^53. */
const MAX_NUMBER_BYTES = 8
const HASH_FACTOR = 0x2c1b3c6d

/** Totals of distinct keys. */
export type KeyedTotals = {
  readonly bytes: Uint8Array
  /** Where the bytes of each bucket end. */
  readonly ends: Uint32Array
  /** Sum of the totals of each bucket. */
  readonly sums: Float64Array
}

/** The hash of a key by those of its values in turn: with one label that of its value. */
export function nextKeyHash(hash: number, valueHash: number): number {
  return (Math.imul(hash, HASH_FACTOR) ^ valueHash) >>> 0
}

/** Stands for the hash of a value that is missing. */
export const NO_VALUE_HASH = 0

/** The hash of the key that begins at `start`, which has so many labels. */
export function hashOfKey(bytes: Uint8Array, start: number, labels: number): number {
  let hash = 0
  for (let label = 0, at = start; label < labels; label++) {
    const end = skipKey(bytes, at, 1)
    if (bytes[at] === 0) hash = nextKeyHash(hash, NO_VALUE_HASH)
    else {
      while (bytes[at]! >= 128) at++
      hash = nextKeyHash(hash, hashBytes(bytes, at + 1, end))
    }
    at = end
  }
  return hash
}

/** The order of series by bucket, and the bucket of each. */
export function bucketOrder(hashes: Uint32Array): { readonly order: Uint32Array; readonly buckets: Uint32Array } {
  const buckets = new Uint32Array(hashes.length)
  for (let i = 0; i < hashes.length; i++) buckets[i] = hashes[i]! >>> (32 - BUCKET_BITS)
  return { order: countingSort(undefined, buckets, { count: hashes.length, keyCount: BUCKETS }), buckets }
}

/** Takes keys, label by label, each with its total behind it. Totals are whole numbers and not negative. */
export class KeyListWriter {
  #bytes: Uint8Array
  #size = 0

  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(Math.max(expectedBytes, 64))
  }

  get sizeBytes(): number {
    return this.#size
  }

  /** The key does not have the next label. */
  none(): void {
    this.#reserve(1)
    this.#bytes[this.#size++] = 0
  }

  /** The next label has the value `source[start, end)`. */
  value(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start + MAX_NUMBER_BYTES)
    const bytes = this.#bytes
    let at = putNumber(bytes, this.#size, end - start + 1)
    for (let i = start; i < end; i++) bytes[at++] = source[i]!
    this.#size = at
  }

  /** Whole keys, with totals behind them or without. */
  copy(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    const bytes = this.#bytes
    for (let i = start, at = this.#size; i < end; i++) bytes[at++] = source[i]!
    this.#size += end - start
  }

  total(total: number): void {
    this.#reserve(MAX_NUMBER_BYTES)
    this.#size = putNumber(this.#bytes, this.#size, total)
  }

  /** Not in shared memory, whose size the collector does not see: it may be much, and is dropped soon. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size)
  }

  #reserve(length: number): void {
    if (this.#size + length <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#size + length, this.#bytes.length * 2))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

/** The same bucket after bucket. */
export class TotalsWriter {
  readonly #list: KeyListWriter
  #bucket = 0
  readonly #ends = new Uint32Array(BUCKETS)
  readonly #sums = new Float64Array(BUCKETS)

  constructor(expectedBytes: number) {
    this.#list = new KeyListWriter(expectedBytes)
  }

  /** What follows is in this bucket, which is not before the last one. */
  enter(bucket: number): void {
    for (; this.#bucket < bucket; this.#bucket++) this.#ends[this.#bucket] = this.#list.sizeBytes
  }

  none(): void {
    this.#list.none()
  }

  value(source: Uint8Array, start: number, end: number): void {
    this.#list.value(source, start, end)
  }

  /** A whole key. */
  key(source: Uint8Array, start: number, end: number): void {
    this.#list.copy(source, start, end)
  }

  total(total: number): void {
    this.#list.total(total)
    this.#sums[this.#bucket]! += total
  }

  /** A whole bucket of others. */
  copyBucket({ bytes, ends, sums }: KeyedTotals, bucket: number): void {
    this.enter(bucket)
    this.#list.copy(bytes, bucket === 0 ? 0 : ends[bucket - 1]!, ends[bucket]!)
    this.#sums[bucket]! += sums[bucket]!
  }

  finish(): KeyedTotals {
    this.enter(BUCKETS)
    return { bytes: this.#list.finish(), ends: this.#ends, sums: this.#sums }
  }
}

/** Writes a uvarint; returns the position behind it. */
function putNumber(bytes: Uint8Array, position: number, value: number): number {
  let at = position
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128
  bytes[at++] = rest
  return at
}

type VisitTotal = (bytes: Uint8Array, start: number, end: number, total: number) => void

/** Calls `visit` with each key of a bucket, which lies in `bytes[start, end)`, and its total. */
export function forEachTotal(
  { bytes, ends }: KeyedTotals,
  { bucket, labels }: { readonly bucket: number; readonly labels: number },
  visit: VisitTotal,
): void {
  const start = bucket === 0 ? 0 : ends[bucket - 1]!
  if (start < ends[bucket]!) forEachOfList(bytes, { start, end: ends[bucket]!, labels }, visit)
}

/** The same with all keys of `bytes[start, end)`. */
export function forEachOfList(
  bytes: Uint8Array,
  { start, end: listEnd, labels }: { readonly start: number; readonly end: number; readonly labels: number },
  visit: VisitTotal,
): void {
  for (let at = start; at < listEnd;) {
    const end = skipKey(bytes, at, labels)
    let total = 0
    let next = end
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[next++]!
      total += (byte & 127) * factor
      if (byte < 128) break
    }
    visit(bytes, at, end, total)
    at = next
  }
}

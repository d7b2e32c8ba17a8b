/**
 * Distinct byte strings, numbered in order of arrival. Works on ranges of a buffer, so a repeated value costs a hash and a
 * compare, and no string. Bounded: beyond `maxCount` values or `maxBytes` of them it refuses.
 */
import { assert } from './assert.ts'

/** What `codeOf` answers when there is no room for a new value. */
export const DICTIONARY_FULL = -1

const FNV_OFFSET = 0x811c9dc5 | 0
const FNV_PRIME = 0x01000193

export class ByteDictionary {
  readonly #maxCount: number
  readonly #maxBytes: number
  /** Open addressing: code + 1, 0 for empty. At most half full. */
  readonly #slots: Int32Array
  readonly #ends: Uint32Array
  #bytes: Buffer
  #count = 0

  constructor(limits: { readonly maxCount: number; readonly maxBytes: number }) {
    assert(limits.maxCount > 0, 'a dictionary holds a value at least')
    this.#maxCount = limits.maxCount
    this.#maxBytes = limits.maxBytes
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(limits.maxCount * 2)))
    this.#ends = new Uint32Array(limits.maxCount)
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(limits.maxBytes, 4096))
  }

  get count(): number {
    return this.#count
  }

  /** All values back to back; value `code` is `[endOf(code - 1), endOf(code))`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.endOf(this.#count - 1))
  }

  endOf(code: number): number {
    return code < 0 ? 0 : this.#ends[code]!
  }

  valueAt(code: number): Buffer {
    return this.#bytes.subarray(this.endOf(code - 1), this.endOf(code))
  }

  clear(): void {
    this.#slots.fill(0)
    this.#count = 0
  }

  /** The number of `source[start, end)`, a new one when it is new, {@link DICTIONARY_FULL} when there is no room for it. */
  codeOf(source: Uint8Array, start: number, end: number): number {
    let hash = FNV_OFFSET
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ source[i]!, FNV_PRIME)
    const mask = this.#slots.length - 1
    // FNV's low bits mix badly for short inputs; fold the high ones in
    let slot = (hash ^ (hash >>> 15)) & mask
    for (;;) {
      const code = this.#slots[slot]! - 1
      if (code < 0) return this.#insert(slot, source, start, end)
      if (this.#equals(code, source, start, end)) return code
      slot = (slot + 1) & mask
    }
  }

  #equals(code: number, source: Uint8Array, start: number, end: number): boolean {
    const from = code === 0 ? 0 : this.#ends[code - 1]!
    if (this.#ends[code]! - from !== end - start) return false
    const bytes = this.#bytes
    for (let i = start, j = from; i < end; i++, j++) if (source[i] !== bytes[j]) return false
    return true
  }

  #insert(slot: number, source: Uint8Array, start: number, end: number): number {
    const from = this.endOf(this.#count - 1)
    const to = from + end - start
    if (this.#count === this.#maxCount || to > this.#maxBytes) return DICTIONARY_FULL
    if (to > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(to, this.#bytes.length * 2)))
      this.#bytes.copy(grown, 0, 0, from)
      this.#bytes = grown
    }
    for (let i = start, j = from; i < end; i++, j++) this.#bytes[j] = source[i]!
    this.#ends[this.#count] = to
    this.#slots[slot] = ++this.#count
    return this.#count - 1
  }
}

/**
 * Distinct byte strings in any number, numbered in order of arrival. Typed arrays alone: some ten bytes for each beside its own, and
 * no object. For few of them, of a known number at most, see ./byte-dictionary.ts.
 */

const INITIAL_COUNT = 1024
const INITIAL_BYTES = 16 * 1024
const FACTOR_A = 0x9e3779b1
const FACTOR_B = 0x85ebca6b
/** Columns grow to this many times their length. */
const GROWTH = 1.5
/** Part of the slots that may be in use; they double. */
const MAX_LOAD = 0.75

/** A hash of `source[start, end)` in 32 bits, all of which are well mixed. */
export function hashBytes(source: Uint8Array, start: number, end: number): number {
  let hash = end - start
  let at = start
  for (; at + 4 <= end; at += 4) {
    const word = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24)
    hash = Math.imul(hash ^ word, FACTOR_A)
    hash ^= hash >>> 15
  }
  for (; at < end; at++) hash = Math.imul(hash ^ source[at]!, FACTOR_A)
  hash = Math.imul(hash ^ (hash >>> 15), FACTOR_B)
  return (hash ^ (hash >>> 13)) >>> 0
}

export class ByteTable {
  /** Open addressing: code + 1, 0 for empty. */
  #slots = new Int32Array(slotsFor(INITIAL_COUNT))
  #ends = new Uint32Array(INITIAL_COUNT)
  #hashes = new Uint32Array(INITIAL_COUNT)
  #bytes = new Uint8Array(INITIAL_BYTES)
  #neededSlots = slotsFor(INITIAL_COUNT)
  #count = 0
  #size = 0

  get count(): number {
    return this.#count
  }

  /** All strings back to back, and perhaps more behind them; string `code` is `[startOf(code), endOf(code))`. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Memory that the table holds. */
  get sizeBytes(): number {
    return this.#slots.byteLength + this.#ends.byteLength + this.#hashes.byteLength + this.#bytes.byteLength
  }

  startOf(code: number): number {
    return code === 0 ? 0 : this.#ends[code - 1]!
  }

  endOf(code: number): number {
    return this.#ends[code]!
  }

  /** `hashBytes` of a string. */
  hashOf(code: number): number {
    return this.#hashes[code]!
  }

  /** Forgets all strings. */
  clear(): void {
    this.#slots.fill(0)
    this.#count = 0
    this.#size = 0
  }

  /** The number of `source[start, end)`, the next one when it is new. */
  codeOf(source: Uint8Array, start: number, end: number): number {
    const slots = this.#slots
    const hashes = this.#hashes
    const mask = slots.length - 1
    const hash = hashBytes(source, start, end)
    let slot = hash & mask
    for (;;) {
      const code = slots[slot]! - 1
      if (code < 0) break
      if (hashes[code] === hash && this.#equals(code, source, start, end)) return code
      slot = (slot + 1) & mask
    }
    const code = this.#append(hash, source, start, end)
    if (this.#slots.length < this.#neededSlots) this.#placeAll()
    else slots[slot] = code + 1
    return code
  }

  #equals(code: number, source: Uint8Array, start: number, end: number): boolean {
    const from = code === 0 ? 0 : this.#ends[code - 1]!
    if (this.#ends[code]! - from !== end - start) return false
    const bytes = this.#bytes
    for (let i = start, j = from; i < end; i++, j++) if (source[i] !== bytes[j]) return false
    return true
  }

  #append(hash: number, source: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (this.#size + length > this.#bytes.length) {
      this.#bytes = copied(this.#bytes, new Uint8Array(this.#bytesWith(length)))
    }
    const bytes = this.#bytes
    for (let i = start, j = this.#size; i < end; i++, j++) bytes[j] = source[i]!
    const code = this.#count++
    if (code === this.#ends.length) this.#growEntries(code)
    this.#size += length
    this.#ends[code] = this.#size
    this.#hashes[code] = hash
    return code
  }

  #growEntries(count: number): void {
    this.#ends = copied(this.#ends, new Uint32Array(largerOf(count)))
    this.#hashes = copied(this.#hashes, new Uint32Array(largerOf(count)))
    this.#neededSlots = slotsFor(this.#ends.length)
  }

  #placeAll(): void {
    const slots = new Int32Array(this.#neededSlots)
    const mask = slots.length - 1
    for (let code = 0; code < this.#count; code++) {
      let slot = this.#hashes[code]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = code + 1
    }
    this.#slots = slots
  }

  #bytesWith(length: number): number {
    return Math.max(this.#size + length, largerOf(this.#bytes.length))
  }
}

function largerOf(length: number): number {
  return Math.ceil(length * GROWTH)
}

/** A power of two. */
function slotsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity / MAX_LOAD))
}

function copied<T extends Uint8Array | Uint32Array>(from: T, into: T): T {
  into.set(from)
  return into
}

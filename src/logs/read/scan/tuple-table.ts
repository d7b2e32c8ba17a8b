/** Distinct rows of a few numbers each, numbered from 0 in order of arrival. */
import { grown } from './range/grow.ts'

const INITIAL_SLOTS = 1024

export class TupleTable {
  readonly #width: number
  /** Open addressing: 1 + the number of a tuple, 0 for empty. At most half full. */
  #slots = new Int32Array(INITIAL_SLOTS)
  #tuples = new Uint32Array(0)
  #count = 0

  /** `width` numbers in each. */
  constructor(width: number) {
    this.#width = width
  }

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return this.#slots.byteLength + this.#tuples.byteLength
  }

  at(tuple: number, position: number): number {
    return this.#tuples[tuple * this.#width + position]!
  }

  /** The number of `wanted`, the next one when it is new. */
  numberOf(wanted: Uint32Array): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hashOf(wanted) & mask
    for (;;) {
      const tuple = slots[slot]! - 1
      if (tuple < 0) break
      if (this.#equals(tuple, wanted)) return tuple
      slot = (slot + 1) & mask
    }
    const tuple = this.#count++
    this.#tuples = grown(this.#tuples, this.#count * this.#width)
    this.#tuples.set(wanted, tuple * this.#width)
    slots[slot] = this.#count
    if (this.#count * 2 > slots.length) this.#grow()
    return tuple
  }

  #equals(tuple: number, wanted: Uint32Array): boolean {
    const start = tuple * this.#width
    for (let i = 0; i < wanted.length; i++) if (this.#tuples[start + i] !== wanted[i]) return false
    return true
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let tuple = 0; tuple < this.#count; tuple++) {
      let slot = hashOf(this.#tuples.subarray(tuple * this.#width, (tuple + 1) * this.#width)) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = tuple + 1
    }
    this.#slots = slots
  }
}

function hashOf(tuple: Uint32Array): number {
  let hash = 0
  for (let i = 0; i < tuple.length; i++) {
    hash = Math.imul(hash ^ tuple[i]!, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return Math.imul(hash, 0x85ebca6b) >>> 8
}

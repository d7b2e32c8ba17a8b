/** From the frame and the words of a line to a number, by two hashes of 32 bits; open addressing, of fixed size. */
import type { LineTokens } from './line-tokens.ts'

export class ShapeTable {
  readonly #maxCount: number
  readonly #first: Int32Array
  readonly #second: Int32Array
  /** 0: free, else 1 + the number. */
  readonly #value: Int32Array
  #count = 0
  #lastFirst = 0
  #lastSecond = 0

  constructor(maxCount: number) {
    const size = 2 ** Math.ceil(Math.log2((maxCount * 4) / 3))
    this.#maxCount = maxCount
    this.#first = new Int32Array(size)
    this.#second = new Int32Array(size)
    this.#value = new Int32Array(size)
  }

  /** The place of a shape, known or free. */
  find({ frame, hash, count }: LineTokens): number {
    let first = frame
    let second = Math.imul(frame, 0x9e3779b1)
    for (let i = 0; i < count; i++) {
      const one = hash[i]!
      first = Math.imul(first ^ one, 0x85ebca6b)
      first ^= first >>> 15
      second = Math.imul(((second << 13) | (second >>> 19)) + one, 0xc2b2ae35)
    }
    const mask = this.#value.length - 1
    let slot = (first ^ (second >>> 16)) & mask
    while (this.#value[slot] !== 0 && (this.#first[slot] !== first || this.#second[slot] !== second)) {
      slot = (slot + 1) & mask
    }
    this.#lastFirst = first
    this.#lastSecond = second
    return slot
  }

  /** The number of the shape at a place; -1 when it is not known. */
  valueAt(slot: number): number {
    return this.#value[slot]! - 1
  }

  /** Keeps the number of the shape that was looked for last, at the place that was found for it, if there is room. */
  set(slot: number, value: number): void {
    if (this.#count >= this.#maxCount) return
    this.#count++
    this.#first[slot] = this.#lastFirst
    this.#second[slot] = this.#lastSecond
    this.#value[slot] = value + 1
  }
}

/** A set of pairs of numbers below 2^32, in typed arrays: open addressing, at most half full. */
const INITIAL_SLOTS = 1024

export class PairSet {
  /** 1 + the first number, or 0 for an empty slot. */
  #firsts = new Uint32Array(INITIAL_SLOTS)
  #seconds = new Uint32Array(INITIAL_SLOTS)
  #size = 0

  get sizeBytes(): number {
    return this.#firsts.byteLength * 2
  }

  /** False when the pair was there already. */
  add(first: number, second: number): boolean {
    if (this.#size * 2 >= this.#firsts.length) this.#grow()
    if (!this.#put(first, second)) return false
    this.#size++
    return true
  }

  forEach(visit: (first: number, second: number) => void): void {
    for (let slot = 0; slot < this.#firsts.length; slot++) {
      if (this.#firsts[slot] !== 0) visit(this.#firsts[slot]! - 1, this.#seconds[slot]!)
    }
  }

  #put(first: number, second: number): boolean {
    const mask = this.#firsts.length - 1
    let hash = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
    for (let slot = (hash ^ (hash >>> 16)) & mask; ; slot = (slot + 1) & mask) {
      if (this.#firsts[slot] === 0) {
        this.#firsts[slot] = first + 1
        this.#seconds[slot] = second
        return true
      }
      if (this.#firsts[slot] === first + 1 && this.#seconds[slot] === second) return false
    }
  }

  #grow(): void {
    const [firsts, seconds] = [this.#firsts, this.#seconds]
    this.#firsts = new Uint32Array(firsts.length * 2)
    this.#seconds = new Uint32Array(firsts.length * 2)
    for (let slot = 0; slot < firsts.length; slot++)
      if (firsts[slot] !== 0) this.#put(firsts[slot]! - 1, seconds[slot]!)
  }
}

/** A set of pairs of 32-bit words in one typed array, reused from page to page. Open addressing, at most half full. */
const FIRST_SLOTS = 1 << 16
/** A search that takes more steps meets pairs that were chosen to collide. */
const MAX_STEPS = 512

export class PairSet {
  readonly #maxPairs: number
  #table = new Int32Array(2 * FIRST_SLOTS)
  #mask = FIRST_SLOTS - 1
  #count = 0
  #isFull = false

  /** Beyond `maxPairs`, and when pairs collide beyond measure, the set takes nothing more and is full. */
  constructor(maxPairs: number) {
    this.#maxPairs = maxPairs
  }

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether the pair is new. The pair (0, 0) counts as (0, 1). */
  add(high: number, low: number): boolean {
    const second = (high | low) === 0 ? 1 : low
    const table = this.#table
    const mask = this.#mask
    let slot = mixed(high, second) & mask
    for (let steps = 0; ; steps++) {
      const heldHigh = table[2 * slot]!
      const heldLow = table[2 * slot + 1]!
      if (heldLow === second && heldHigh === high) return false
      if ((heldHigh | heldLow) === 0) break
      slot = (slot + 1) & mask
      if (steps < MAX_STEPS) continue
      this.#isFull = true
      return false
    }
    if (this.#count >= this.#maxPairs) this.#isFull = true
    if (this.#isFull) return false
    table[2 * slot] = high
    table[2 * slot + 1] = second
    if (2 * ++this.#count > mask) this.#grow()
    return true
  }

  /** Copies all pairs to `target` from pair `at` on, in no order, and empties the set. */
  drain(target: Int32Array, at: number): void {
    const table = this.#table
    let to = 2 * at
    for (let i = 0; i < table.length; i += 2) {
      const high = table[i]!
      const low = table[i + 1]!
      if ((high | low) === 0) continue
      target[to++] = high
      target[to++] = low
    }
    this.clear()
  }

  clear(): void {
    if (this.#count > 0) this.#table.fill(0)
    this.#count = 0
    this.#isFull = false
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Int32Array(2 * old.length)
    this.#mask = old.length - 1
    for (let i = 0; i < old.length; i += 2) {
      const high = old[i]!
      const low = old[i + 1]!
      if ((high | low) === 0) continue
      let slot = mixed(high, low) & this.#mask
      while ((this.#table[2 * slot]! | this.#table[2 * slot + 1]!) !== 0) slot = (slot + 1) & this.#mask
      this.#table[2 * slot] = high
      this.#table[2 * slot + 1] = low
    }
  }
}

function mixed(high: number, low: number): number {
  const h = Math.imul(high, 0x9e3779b1) ^ Math.imul(low, 0x85ebca6b)
  return h ^ (h >>> 15)
}

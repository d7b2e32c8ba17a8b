/**
 * How often each of many ranks occurs, made to find the n-th occurrence: counts of single ranks, of blocks of 16, of blocks of 16
 * blocks, and so on. A change touches one number on each level, a search at most 16 on each.
 */
const FAN_BITS = 4
const FAN_MASK = 2 ** FAN_BITS - 1

export class RankCounts {
  /** Single ranks first; the last level has at most 16 numbers. */
  readonly #levels: Uint32Array[] = []

  constructor(ranks: number) {
    let size = Math.max(1, ranks)
    for (;;) {
      this.#levels.push(new Uint32Array(size))
      if (size <= FAN_MASK + 1) return
      size = Math.ceil(size / (FAN_MASK + 1))
    }
  }

  add(rank: number, delta: number): void {
    let at = rank
    for (const level of this.#levels) {
      level[at]! += delta
      at >>>= FAN_BITS
    }
  }

  /** The rank with `index` occurrences before its last one, counted from 0; there must be that many. */
  rankAt(index: number): number {
    let rest = index
    let at = 0
    for (let depth = this.#levels.length - 1; ; depth--) {
      const level = this.#levels[depth]!
      while (level[at]! <= rest) rest -= level[at++]!
      if (depth === 0) return at
      at *= FAN_MASK + 1
    }
  }
}

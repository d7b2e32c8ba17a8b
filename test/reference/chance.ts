/** Random choices from a seed: equal seeds choose alike. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
    for (let i = 0; i < 8; i++) this.next()
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  is(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[this.int(0, values.length - 1)]!
  }

  /** One of the functions, called; an entry of weight 2 is chosen twice as often as one of weight 1. */
  weighted<T>(options: readonly (readonly [weight: number, make: () => T])[]): T {
    let rest = this.next() * options.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, make] of options) if ((rest -= weight) < 0) return make()
    return options.at(-1)![1]()
  }

  /** `count` values, chosen one by one. */
  some<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make)
  }

  /** Different ones of these, in their order. */
  subset<T>(values: readonly T[], least: number, most: number): T[] {
    const wanted = this.int(least, Math.min(most, values.length))
    const chosen = new Set<T>()
    while (chosen.size < wanted) chosen.add(this.pick(values))
    return values.filter((value) => chosen.has(value))
  }
}

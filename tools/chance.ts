/** Chance from a seed: the same on every machine, so that a data set is its seed. */

/** Traces that are under way at once, and how many lines one of them leaves on average. */
const liveTraces = 64
const linesPerTrace = 8

/** mulberry32: small, fast. */
export class Chance {
  #state: number
  /** Ids of the requests that are being served; filled at first use. */
  readonly #traces: string[] = []

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A float in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits)
      text += this.below(2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, digits)
  }

  /** Mostly small, now and then large: what latencies and sizes look like. */
  skewed(median: number): number {
    return Math.round(median * Math.exp((this.next() + this.next() + this.next() - 1.5) * 2))
  }

  /** Of `count` things, a few often and most seldom: users, pods, products. */
  popular(count: number): number {
    return Math.floor(this.next() ** 4 * count)
  }

  /** Id of a request that is under way: several lines close to each other share one. */
  trace(): string {
    const slot = this.below(liveTraces)
    const trace = this.#traces[slot]
    if (trace !== undefined && this.next() >= 1 / linesPerTrace) return trace
    return (this.#traces[slot] = this.hex(32))
  }
}

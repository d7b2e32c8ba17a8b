/** Counts of lines by stream, level, cluster and step of time, while lines come in any order. */
import type { MinedRow } from './pattern-miner.ts'
import { countingSort, sortByKey } from '#/kernel/sort-by-key.ts'

/**
 * Counts of patterns by stream and level, in columns. Series i has `counts[j]` lines in the step that begins at
 * `steps[j] * stepNs`, for j from `ends[i - 1]` to `ends[i] - 1`; its steps ascend.
 */
export type PatternColumns = {
  readonly stream: Uint32Array
  readonly level: Uint32Array
  readonly text: Uint32Array
  readonly ends: Uint32Array
  readonly steps: Uint32Array
  readonly counts: Uint32Array
}

const INITIAL_ENTRIES = 4096
/** Levels are numbers below. */
export const MAX_LEVELS = 64

export class PatternCounts {
  readonly #stepNs: number
  readonly #maxSeries: number
  readonly #maxPatternsOfStream: number
  /** Open addressing: series + 1, 0 for free. At most half full. */
  readonly #slots: Int32Array
  readonly #stream: number[] = []
  readonly #group: number[] = []
  readonly #lastEntry: Int32Array
  /** Series of each stream. */
  readonly #patternsOf = new Map<number, number>()
  #entrySeries = new Uint32Array(INITIAL_ENTRIES)
  #entryStep = new Uint32Array(INITIAL_ENTRIES)
  #entryCount = new Uint32Array(INITIAL_ENTRIES)
  #entries = 0

  constructor(stepNs: number, limits: { readonly maxSeries: number; readonly maxPatternsOfStream: number }) {
    this.#stepNs = stepNs
    this.#maxSeries = limits.maxSeries
    this.#maxPatternsOfStream = limits.maxPatternsOfStream
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(limits.maxSeries * 2)))
    this.#lastEntry = new Int32Array(limits.maxSeries)
  }

  /** False when there is no room for another series. */
  add(cluster: number, { stream, level, time, lines }: MinedRow): boolean {
    const series = this.#seriesOf(stream, cluster * MAX_LEVELS + level)
    if (series < 0) return false
    const step = Math.floor(time / this.#stepNs)
    const last = this.#lastEntry[series]! - 1
    if (last >= 0 && this.#entryStep[last] === step) {
      this.#entryCount[last]! += lines
      return true
    }
    if (this.#entries === this.#entryStep.length) this.#grow()
    const entry = this.#entries++
    this.#entrySeries[entry] = series
    this.#entryStep[entry] = step
    this.#entryCount[entry] = lines
    this.#lastEntry[series] = entry + 1
    return true
  }

  /** By stream, level and text. `textOf` tells the pattern of a cluster; series that have the same become one. */
  finish(textOf: (cluster: number) => number): PatternColumns {
    const { rankOf, ...columns } = this.#rankSeries(textOf)
    const seriesCount = columns.stream.length
    const ranks = this.#entrySeries.subarray(0, this.#entries).map((series) => rankOf[series]!)
    const order = countingSort(undefined, ranks, { count: this.#entries, keyCount: seriesCount })
    const time = Float64Array.from(this.#entryStep.subarray(0, this.#entries))
    const ends = new Uint32Array(seriesCount)
    const steps = new Uint32Array(this.#entries)
    const counts = new Uint32Array(this.#entries)
    const scratch = new Uint32Array(this.#entries)
    let size = 0
    for (let from = 0, to = 0; from < order.length; from = to) {
      const rank = ranks[order[from]!]!
      while (to < order.length && ranks[order[to]!] === rank) to++
      sortByKey(order, time, { from, to }, scratch)
      const first = size
      for (let i = from; i < to; i++) {
        const entry = order[i]!
        const step = this.#entryStep[entry]!
        if (size > first && steps[size - 1] === step) counts[size - 1]! += this.#entryCount[entry]!
        else {
          steps[size] = step
          counts[size++] = this.#entryCount[entry]!
        }
      }
      ends[rank] = size
    }
    return { ...columns, ends, steps: steps.subarray(0, size), counts: counts.subarray(0, size) }
  }

  #rankSeries(
    textOf: (cluster: number) => number,
  ): Pick<PatternColumns, 'stream' | 'level' | 'text'> & { readonly rankOf: Uint32Array } {
    const seriesCount = this.#stream.length
    const level = Uint32Array.from(this.#group, (group) => group % MAX_LEVELS)
    const text = Uint32Array.from(this.#group, (group, i) => textOf((group - level[i]!) / MAX_LEVELS))
    const order = Uint32Array.from({ length: seriesCount }, (_, i) => i)
    const compare = (a: number, b: number): number =>
      this.#stream[a]! - this.#stream[b]! || level[a]! - level[b]! || text[a]! - text[b]!
    order.sort(compare)
    const rankOf = new Uint32Array(seriesCount)
    const firsts: number[] = []
    for (let i = 0; i < seriesCount; i++) {
      if (i === 0 || compare(order[i - 1]!, order[i]!) !== 0) firsts.push(order[i]!)
      rankOf[order[i]!] = firsts.length - 1
    }
    const columnOf = (values: ArrayLike<number>): Uint32Array => Uint32Array.from(firsts, (first) => values[first]!)
    return { rankOf, stream: columnOf(this.#stream), level: columnOf(level), text: columnOf(text) }
  }

  #seriesOf(stream: number, group: number): number {
    const mask = this.#slots.length - 1
    let hash = Math.imul(stream ^ Math.imul(group, 0x9e3779b1), 0x85ebca6b)
    hash ^= hash >>> 15
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const series = this.#slots[slot]! - 1
      if (series < 0) return this.#insert(slot, stream, group)
      if (this.#stream[series] === stream && this.#group[series] === group) return series
    }
  }

  #insert(slot: number, stream: number, group: number): number {
    const ofStream = this.#patternsOf.get(stream) ?? 0
    const series = this.#stream.length
    if (series >= this.#maxSeries || ofStream >= this.#maxPatternsOfStream) return -1
    this.#patternsOf.set(stream, ofStream + 1)
    this.#stream.push(stream)
    this.#group.push(group)
    this.#slots[slot] = series + 1
    return series
  }

  #grow(): void {
    const size = this.#entryStep.length * 2
    this.#entrySeries = grown(this.#entrySeries, size)
    this.#entryStep = grown(this.#entryStep, size)
    this.#entryCount = grown(this.#entryCount, size)
  }
}

function grown(array: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(size)
  larger.set(array)
  return larger
}

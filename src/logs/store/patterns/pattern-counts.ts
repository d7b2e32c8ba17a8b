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
  /** By series. */
  #stream = new Uint32Array(INITIAL_ENTRIES)
  #group = new Uint32Array(INITIAL_ENTRIES)
  /** 1 + the entry that was counted last; 0 for none. */
  #lastEntry = new Uint32Array(INITIAL_ENTRIES)
  #seriesCount = 0
  /** Series of each stream. */
  #patternsOf = new Uint32Array(64)
  #entrySeries = new Uint32Array(INITIAL_ENTRIES)
  #entryStep = new Uint32Array(INITIAL_ENTRIES)
  #entryCount = new Uint32Array(INITIAL_ENTRIES)
  #entries = 0

  constructor(stepNs: number, limits: { readonly maxSeries: number; readonly maxPatternsOfStream: number }) {
    this.#stepNs = stepNs
    this.#maxSeries = limits.maxSeries
    this.#maxPatternsOfStream = limits.maxPatternsOfStream
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(limits.maxSeries * 2)))
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
    const count = this.#entries
    const ranks = new Uint32Array(count)
    for (let i = 0; i < count; i++) ranks[i] = rankOf[this.#entrySeries[i]!]!
    const order = this.#byRankAndStep(ranks, seriesCount)
    const ends = new Uint32Array(seriesCount)
    const steps = new Uint32Array(count)
    const counts = new Uint32Array(count)
    let size = 0
    for (let i = 0; i < count; i++) {
      const entry = order[i]!
      const rank = ranks[entry]!
      const step = this.#entryStep[entry]!
      if (i > 0 && rank === ranks[order[i - 1]!] && step === steps[size - 1])
        counts[size - 1]! += this.#entryCount[entry]!
      else {
        steps[size] = step
        counts[size++] = this.#entryCount[entry]!
      }
      ends[rank] = size
    }
    return { ...columns, ends, steps: steps.subarray(0, size), counts: counts.subarray(0, size) }
  }

  /** The entries of each series together, by time: they came so, unless several series have become one. */
  #byRankAndStep(ranks: Uint32Array, seriesCount: number): Uint32Array {
    const steps = this.#entryStep
    const order = countingSort(undefined, ranks, { count: this.#entries, keyCount: seriesCount })
    let time: Float64Array | undefined
    let scratch: Uint32Array | undefined
    for (let from = 0, to = 0; from < order.length; from = to) {
      const rank = ranks[order[from]!]!
      let isSorted = true
      for (to = from + 1; to < order.length && ranks[order[to]!] === rank; to++) {
        if (steps[order[to]!]! < steps[order[to - 1]!]!) isSorted = false
      }
      if (isSorted) continue
      time ??= Float64Array.from(steps.subarray(0, this.#entries))
      scratch ??= new Uint32Array(this.#entries)
      sortByKey(order, time, { from, to }, scratch)
    }
    return order
  }

  #rankSeries(
    textOf: (cluster: number) => number,
  ): Pick<PatternColumns, 'stream' | 'level' | 'text'> & { readonly rankOf: Uint32Array } {
    const count = this.#seriesCount
    const stream = this.#stream.subarray(0, count)
    const level = new Uint32Array(count)
    const text = new Uint32Array(count)
    let [streams, texts] = [0, 0]
    for (let i = 0; i < count; i++) {
      const group = this.#group[i]!
      level[i] = group % MAX_LEVELS
      text[i] = textOf((group - level[i]!) / MAX_LEVELS)
      streams = Math.max(streams, stream[i]! + 1)
      texts = Math.max(texts, text[i]! + 1)
    }
    // stable sorts, the most important one last
    const byText = countingSort(undefined, text, { count, keyCount: texts })
    const byLevel = countingSort(byText, level, { count, keyCount: MAX_LEVELS })
    const order = countingSort(byLevel, stream, { count, keyCount: streams })
    const rankOf = new Uint32Array(count)
    const first = new Uint32Array(count)
    let ranks = 0
    for (let i = 0; i < count; i++) {
      const own = order[i]!
      const before = order[i - 1]!
      const isSame =
        i > 0 && stream[own] === stream[before] && level[own] === level[before] && text[own] === text[before]
      if (!isSame) first[ranks++] = own
      rankOf[own] = ranks - 1
    }
    const columnOf = (values: Uint32Array): Uint32Array => first.subarray(0, ranks).map((series) => values[series]!)
    return { rankOf, stream: columnOf(stream), level: columnOf(level), text: columnOf(text) }
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
    if (stream >= this.#patternsOf.length) this.#patternsOf = grown(this.#patternsOf, stream * 2)
    const series = this.#seriesCount
    if (series >= this.#maxSeries || this.#patternsOf[stream]! >= this.#maxPatternsOfStream) return -1
    if (series === this.#stream.length) this.#growSeries()
    this.#patternsOf[stream]!++
    this.#stream[series] = stream
    this.#group[series] = group
    this.#slots[slot] = series + 1
    this.#seriesCount++
    return series
  }

  #growSeries(): void {
    const size = this.#stream.length * 2
    this.#stream = grown(this.#stream, size)
    this.#group = grown(this.#group, size)
    this.#lastEntry = grown(this.#lastEntry, size)
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

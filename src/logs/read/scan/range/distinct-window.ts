/**
 * Different texts in a sliding window. Segments enter and leave; what is counted is how often each thing is in the window, so that
 * nothing is looked at again however much windows overlap: texts for the exact count, values of registers for the estimate.
 */
import { estimate, locate, MAX_RANK, place, REGISTERS } from '#/kernel/hyper-log-log.ts'
import type { Series } from '#/series/series-set.ts'
import type { Run } from './cell-runs.ts'
import type { Windows } from './sample.ts'

export type Texts = {
  readonly texts: readonly string[]
  /** For each result, ids of texts. */
  readonly posted: readonly Uint32Array[]
  readonly sketches: readonly Uint8Array[]
}

/** Runs of ids, and sketches of what was too much to keep. */
export type TextSegment = { readonly runs: readonly Run[]; readonly sketches: readonly number[] }

/** Calls `change` for each segment that enters (1) or leaves (-1) until the window is `from` … `to`. */
class Slider {
  #from = 0
  #to = -1

  slideTo(from: number, to: number, change: (segment: number, sign: 1 | -1) => void): void {
    while (this.#from < from && this.#from <= this.#to) change(this.#from++, -1)
    if (this.#from < from) {
      this.#from = from
      this.#to = from - 1
    }
    while (this.#to < to) change(++this.#to, 1)
  }
}

export class DistinctWindow {
  readonly #source: Texts
  readonly #segments: readonly TextSegment[]
  readonly #max: number
  /** How often each text is in the window. */
  readonly #counts: Uint32Array
  #distinct = 0
  #sketches = 0

  constructor(source: Texts, segments: readonly TextSegment[], max: number) {
    this.#source = source
    this.#segments = segments
    this.#max = max
    this.#counts = new Uint32Array(source.texts.length)
  }

  /** Fills in exact counts, and returns the steps that cannot have one. */
  countAll({ stepCount, first, last }: Windows, into: Series): number[] {
    const slider = new Slider()
    const inexact: number[] = []
    const change = (segment: number, sign: 1 | -1): void => this.#change(segment, sign)
    for (let step = 0; step < stepCount; step++) {
      slider.slideTo(first[step]!, last[step]!, change)
      if (this.#distinct === 0 && this.#sketches === 0) continue
      into.present[step] = 1
      into.values[step] = this.#distinct
      if (this.#sketches > 0 || this.#distinct > this.#max) inexact.push(step)
    }
    return inexact
  }

  #change(segment: number, sign: 1 | -1): void {
    const { runs, sketches } = this.#segments[segment]!
    this.#sketches += sign * sketches.length
    for (const { posted, from, to } of runs) {
      const ids = this.#source.posted[posted]!
      for (let i = from; i < to; i++) {
        const id = ids[i]!
        if (sign > 0) this.#distinct += this.#counts[id]!++ === 0 ? 1 : 0
        else this.#distinct -= --this.#counts[id]! === 0 ? 1 : 0
      }
    }
  }
}

const RANKS = MAX_RANK + 1

export class SketchWindow {
  readonly #source: Texts
  readonly #segments: readonly TextSegment[]
  /** How often each register has each rank in the window. */
  readonly #counts = new Uint32Array(REGISTERS * RANKS)
  /** The largest rank of each register, and how many registers have which. */
  readonly #largest = new Uint8Array(REGISTERS)
  readonly #histogram = new Uint32Array(RANKS)

  constructor(source: Texts, segments: readonly TextSegment[]) {
    this.#source = source
    this.#segments = segments
    this.#histogram[0] = REGISTERS
  }

  estimateAll({ first, last }: Windows, steps: readonly number[], into: Series): void {
    const slider = new Slider()
    const change = (segment: number, sign: 1 | -1): void => this.#change(segment, sign)
    for (const step of steps) {
      slider.slideTo(first[step]!, last[step]!, change)
      into.values[step] = Math.round(estimate(this.#histogram))
    }
  }

  #change(segment: number, sign: 1 | -1): void {
    const { runs, sketches } = this.#segments[segment]!
    for (const { posted, from, to } of runs) {
      const ids = this.#source.posted[posted]!
      for (let i = from; i < to; i++) {
        locate(this.#source.texts[ids[i]!]!)
        this.#count(place.register, place.rank, sign)
      }
    }
    for (const sketch of sketches) {
      const registers = this.#source.sketches[sketch]!
      for (let i = 0; i < REGISTERS; i++) if (registers[i] !== 0) this.#count(i, registers[i]!, sign)
    }
  }

  #count(register: number, rank: number, sign: 1 | -1): void {
    const base = register * RANKS
    const largest = this.#largest[register]!
    this.#counts[base + rank]! += sign
    let now = largest
    if (sign > 0 && rank > largest) now = rank
    else if (sign < 0 && rank === largest) while (now > 0 && this.#counts[base + now] === 0) now--
    if (now === largest) return
    this.#histogram[largest]!--
    this.#histogram[now]!++
    this.#largest[register] = now
  }
}

/** Folds whose state for any number of samples is a few numbers: all states of a job stand in one array. */
import { assert } from '#/kernel/assert.ts'
import type { Series } from '#/series/series-set.ts'
import type { Collector, Merger, PostedCells, RangeFold, Sample, Windows } from './sample.ts'
import { grown, sharedCopy } from './grow.ts'
import { slideWindows } from './slide-windows.ts'

/** The end of a window, and what its samples had to do with it. */
export type WindowAt = { readonly endNs: number; readonly rangeNs: number }

/** A state is `fields` numbers, beginning at position `at` of an array. */
export type StateFold = {
  readonly fields: number
  /** The state of one sample. */
  readonly start: (states: Float64Array, at: number, sample: Sample) => void
  readonly add: (states: Float64Array, at: number, sample: Sample) => void
  /** Adds the state at `from` of `others`: of the same segment, or of later ones. */
  readonly merge: (states: Float64Array, at: number, others: Float64Array, from: number) => void
  readonly finish: (states: Float64Array, at: number, window: WindowAt) => number
}

export function stateFold(fold: StateFold): RangeFold {
  return { keepsSamples: false, collect: () => new StateCollector(fold), merge: () => new StateMerger(fold) }
}

const INITIAL_CELLS = 16

class StateCollector implements Collector {
  readonly #fold: StateFold
  #states: Float64Array
  #cells = 0

  constructor(fold: StateFold) {
    this.#fold = fold
    this.#states = new Float64Array(INITIAL_CELLS * fold.fields)
  }

  get sizeBytes(): number {
    return this.#states.byteLength
  }

  add(cell: number, sample: Sample): void {
    const at = cell * this.#fold.fields
    if (cell < this.#cells) return this.#fold.add(this.#states, at, sample)
    this.#cells = cell + 1
    this.#states = grown(this.#states, at + this.#fold.fields)
    this.#fold.start(this.#states, at, sample)
  }

  finish(cellCount: number): PostedCells {
    return { kind: 'states', states: sharedCopy(this.#states, cellCount * this.#fold.fields) }
  }
}

class StateMerger implements Merger {
  readonly isApproximate = false
  readonly #fold: StateFold
  #states: Float64Array
  /** 1 for cells that have a state. */
  #known = new Uint8Array(INITIAL_CELLS)

  constructor(fold: StateFold) {
    this.#fold = fold
    this.#states = new Float64Array(INITIAL_CELLS * fold.fields)
  }

  costOf(_posted: PostedCells, newCells: number): number {
    // arrays double when they are full
    return newCells * (this.#fold.fields * 8 + 1) * 2
  }

  absorb(posted: PostedCells, cells: Uint32Array): void {
    assert(posted.kind === 'states', `states are merged, not ${posted.kind}`)
    const { fields, merge } = this.#fold
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!
      this.#states = grown(this.#states, (cell + 1) * fields)
      this.#known = grown(this.#known, cell + 1)
      if (this.#known[cell] === 1) merge(this.#states, cell * fields, posted.states, i * fields)
      else this.#states.set(posted.states.subarray(i * fields, (i + 1) * fields), cell * fields)
      this.#known[cell] = 1
    }
  }

  evaluate(cells: Int32Array, windows: Windows, into: Series): Iterable<void> {
    slideWindows({ fold: this.#fold, states: this.#states, cells, windows }, into)
    return []
  }
}

/**
 * Values of windows that slide over segments, each segment merged twice however much the windows overlap. States cannot be
 * taken back (floats cancel, NaN stays), so the window is kept as two stacks:
 *
 *     first[k] ─── front ───┤ middle ├─── back ─── last[k]
 *
 * `back` is one state of the segments behind `middle`, added one by one. `front` has for each segment up to `middle` the state of
 * that segment and all up to `middle`, so that the window may begin at any of them. When the window has left the front, what is
 * in it becomes the new front.
 */
import type { Series } from '#/series/series-set.ts'
import type { Windows } from './sample.ts'
import type { StateFold } from './state-cells.ts'

export type Sliding = {
  readonly fold: StateFold
  /** States of cells. */
  readonly states: Float64Array
  /** 1 + the cell of each segment, or 0. */
  readonly cells: Int32Array
  readonly windows: Windows
}

export function slideWindows(sliding: Sliding, into: Series): void {
  const { stepCount, stepNs, rangeNs, first, last } = sliding.windows
  const stacks = new Stacks(sliding)
  const window = { endNs: 0, rangeNs }
  const result = new Float64Array(sliding.fold.fields)
  for (let step = 0; step < stepCount; step++) {
    if (!stacks.slideTo(first[step]!, last[step]!, result)) continue
    window.endNs = step * stepNs
    into.present[step] = 1
    into.values[step] = sliding.fold.finish(result, 0, window)
  }
}

class Stacks {
  readonly #sliding: Sliding
  readonly #back: Float64Array
  #backIsEmpty = true
  /** States of the segments `#frontFrom` … `#middle`; a segment without a state has 0 in `#frontHas`. */
  #front: Float64Array
  #frontHas = new Uint8Array(1)
  #frontFrom = 0
  #middle = -1
  #end = -1

  constructor(sliding: Sliding) {
    this.#sliding = sliding
    this.#back = new Float64Array(sliding.fold.fields)
    this.#front = new Float64Array(sliding.fold.fields)
  }

  /** Puts the state of the segments `from` … `to` into `result`; false when they have no samples. */
  slideTo(from: number, to: number, result: Float64Array): boolean {
    if (to < from) return false
    if (from > this.#middle) this.#flip(from, to)
    else while (this.#end < to) this.#push(++this.#end)
    const { fold } = this.#sliding
    const at = from - this.#frontFrom
    const hasFront = this.#frontHas[at] === 1
    if (hasFront) for (let i = 0; i < fold.fields; i++) result[i] = this.#front[at * fold.fields + i]!
    if (this.#backIsEmpty) return hasFront
    if (hasFront) fold.merge(result, 0, this.#back, 0)
    else result.set(this.#back)
    return true
  }

  #push(segment: number): void {
    const { fold, states, cells } = this.#sliding
    const cell = cells[segment]! - 1
    if (cell < 0) return
    if (this.#backIsEmpty) copyState(this.#back, 0, states, cell * fold.fields, fold.fields)
    else fold.merge(this.#back, 0, states, cell * fold.fields)
    this.#backIsEmpty = false
  }

  /** Makes the front of the segments `from` … `to`; nothing is behind it then. */
  #flip(from: number, to: number): void {
    const { fold, states, cells } = this.#sliding
    const { fields } = fold
    const size = to - from + 1
    if (this.#frontHas.length < size) {
      this.#frontHas = new Uint8Array(size * 2)
      this.#front = new Float64Array(size * 2 * fields)
    }
    for (let i = size - 1; i >= 0; i--) {
      const cell = cells[from + i]! - 1
      const hasLater = i + 1 < size && this.#frontHas[i + 1] === 1
      this.#frontHas[i] = Number(cell >= 0 || hasLater)
      if (cell >= 0) copyState(this.#front, i * fields, states, cell * fields, fields)
      if (!hasLater) continue
      if (cell >= 0) fold.merge(this.#front, i * fields, this.#front, (i + 1) * fields)
      else this.#front.copyWithin(i * fields, (i + 1) * fields, (i + 2) * fields)
    }
    this.#frontFrom = from
    this.#middle = to
    this.#end = to
    this.#backIsEmpty = true
  }
}

function copyState(states: Float64Array, at: number, others: Float64Array, from: number, fields: number): void {
  for (let i = 0; i < fields; i++) states[at + i] = others[from + i]!
}

/**
 * Segments: the pieces into which the edges of all windows cut time (see range/sample.ts). A segment is known by how many edges lie
 * before it, which {@link StepGrid} counts: the ends T(k) in `enterStep`, the starts T(k) - range in `leaveStep`. When the range is a
 * multiple of the step, most starts are ends too, and count once.
 */
import type { Windows } from './range/sample.ts'
import type { StepWindow } from './step-grid.ts'

export class Segments {
  /** Ends of windows that are starts of others: the first so many. */
  readonly #shared: number
  readonly #window: StepWindow
  readonly count: number

  constructor(window: StepWindow) {
    const { stepNs, stepCount, rangeNs } = window
    const isMultiple = stepNs > 0n && rangeNs % stepNs === 0n
    this.#window = window
    this.#shared = isMultiple ? Math.max(0, stepCount - Number(rangeNs / stepNs)) : 0
    this.count = 2 * stepCount - this.#shared + 1
  }

  /** The segment of a time, by the numbers of edges before it. */
  of(enterStep: number, leaveStep: number): number {
    return enterStep + leaveStep - (enterStep < this.#shared ? enterStep : this.#shared)
  }

  windows(): Windows {
    const { stepCount, rangeNs } = this.#window
    const stepNs = this.#window.stepNs > 0n ? this.#window.stepNs : 1n
    const steps = Math.min(Number((rangeNs + stepNs - 1n) / stepNs), stepCount)
    const first = Int32Array.from({ length: stepCount }, (_, k) => this.of(Math.max(0, k - steps + 1), k + 1))
    const last = Int32Array.from({ length: stepCount }, (_, k) => this.of(k, Math.min(stepCount, k + steps)))
    return { stepCount, segmentCount: this.count, first, last, stepNs: Number(stepNs), rangeNs: Number(rangeNs) }
  }
}

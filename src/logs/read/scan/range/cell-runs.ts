/** Which parts of which posted columns belong to each cell, when jobs are merged without copying. */
import { grown } from './grow.ts'

const INITIAL_CELLS = 16
const INITIAL_RUNS = 64

/** Entries [from, to) of the `posted`-th result. */
export type Run = { posted: number; from: number; to: number }

export class CellRuns {
  /** 1 + the latest run of each cell, or 0; a run knows the one before it. */
  #latest = new Uint32Array(INITIAL_CELLS)
  #before = new Uint32Array(INITIAL_RUNS)
  #posted = new Uint32Array(INITIAL_RUNS)
  #from = new Uint32Array(INITIAL_RUNS)
  #to = new Uint32Array(INITIAL_RUNS)
  #count = 0

  /** Estimated memory of one run. */
  static readonly runBytes = 40

  add(cell: number, posted: number, from: number, to: number): void {
    const run = this.#count++
    if (run === this.#before.length) {
      this.#before = grown(this.#before, run + 1)
      this.#posted = grown(this.#posted, run + 1)
      this.#from = grown(this.#from, run + 1)
      this.#to = grown(this.#to, run + 1)
    }
    this.#latest = grown(this.#latest, cell + 1)
    this.#before[run] = this.#latest[cell]!
    this.#posted[run] = posted
    this.#from[run] = from
    this.#to[run] = to
    this.#latest[cell] = run + 1
  }

  /** The runs of a cell, newest first. */
  of(cell: number): Run[] {
    const runs: Run[] = []
    for (let run = this.#latest[cell] ?? 0; run > 0; run = this.#before[run - 1]!) {
      runs.push({ posted: this.#posted[run - 1]!, from: this.#from[run - 1]!, to: this.#to[run - 1]! })
    }
    return runs
  }
}

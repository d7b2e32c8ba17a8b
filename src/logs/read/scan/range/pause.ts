/** When work on the main thread should let others have their turn. */

/** Samples looked at, about 10 ms. */
const WORK_BETWEEN_PAUSES = 100_000

export class Pause {
  #lastWork = 0

  /** `work` is how many samples were looked at in all. */
  isDue(work: number): boolean {
    if (work - this.#lastWork < WORK_BETWEEN_PAUSES) return false
    this.#lastWork = work
    return true
  }
}

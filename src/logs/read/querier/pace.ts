/** Lets a long loop on the main thread give other work its turn. */
import type { QueryRun } from './query-run.ts'

const MAX_BUSY_MS = 20
/** The clock is looked at once in so many turns of a loop, unless its turns are long. */
const TURNS_BETWEEN_LOOKS = 256

export class Pace {
  readonly #run: Pick<QueryRun, 'clock' | 'signal'>
  readonly #turnsBetweenLooks: number
  #startMs: number
  #turns = 0

  constructor(run: Pick<QueryRun, 'clock' | 'signal'>, turnsBetweenLooks = TURNS_BETWEEN_LOOKS) {
    this.#run = run
    this.#turnsBetweenLooks = turnsBetweenLooks
    this.#startMs = run.clock.monotonicMs()
  }

  /** To be asked in each turn. */
  isTired(): boolean {
    if (++this.#turns % this.#turnsBetweenLooks !== 0) return false
    return this.#run.clock.monotonicMs() - this.#startMs >= MAX_BUSY_MS
  }

  /** @throws the signal's reason when nobody waits for the answer any more. */
  async rest(): Promise<void> {
    const { clock, signal } = this.#run
    await clock.sleep(0, signal)
    this.#startMs = clock.monotonicMs()
  }
}

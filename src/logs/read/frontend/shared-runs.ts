/**
 * Questions that are asked while the same one is being answered share its answer: a dashboard that many look at asks the same many
 * times at once. A run goes on as long as anybody waits for it, and whoever leaves gets no answer.
 *
 * An answer shows what was stored when its run took its view of the data. So that nobody gets one that is much older than the question,
 * a run takes others in while it waits for its turn, and then for {@link JOIN_MS} only.
 */
import { abortError, throwIfAborted } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'

/** How old the view of the data may be that an answer shows. */
const JOIN_MS = 1000
/** Beyond so many a run takes in nobody else. */
const MAX_CALLERS = 4096

/** `began` is to be called when the run begins to look at data. */
type Start<T> = (signal: AbortSignal, began: () => void) => Promise<T>

type Run = {
  answer: Promise<unknown>
  readonly abort: AbortController
  callers: number
  /** Undefined while it waits for its turn. */
  beganMs: number | undefined
}

const notYet = Promise.withResolvers<never>().promise

export type SharedRunsOptions = {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Told of each caller that gets the answer of a run that another one began. */
  readonly onShared?: () => void
}

export class SharedRuns {
  readonly #options: SharedRunsOptions
  readonly #runs = new Map<string, Run>()

  constructor(options: SharedRunsOptions) {
    this.#options = options
  }

  /** Runs that others may join. */
  get size(): number {
    return this.#runs.size
  }

  /** `key` is equal only for questions whose answers are of the same type, and interchangeable. What `start` throws all callers get. */
  async run<T>(key: string, signal: AbortSignal, start: Start<T>): Promise<T> {
    throwIfAborted(signal)
    let run = this.#runs.get(key)
    if (run !== undefined && this.#isOpen(run)) this.#options.onShared?.()
    else run = this.#begin(key, start)
    run.callers++
    const left = Promise.withResolvers<never>()
    const leave = (): void => {
      if (this.#leave(key, run, signal.reason)) left.reject(abortError(signal))
    }
    signal.addEventListener('abort', leave, { once: true })
    try {
      return (await Promise.race([run.answer, left.promise])) as T
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  #isOpen({ callers, beganMs }: Run): boolean {
    return callers < MAX_CALLERS && (beganMs === undefined || this.#options.clock.monotonicMs() - beganMs <= JOIN_MS)
  }

  #begin(key: string, start: Start<unknown>): Run {
    const abort = new AbortController()
    const run: Run = { answer: notYet, abort, callers: 0, beganMs: undefined }
    this.#runs.set(key, run)
    run.answer = start(abort.signal, () => void (run.beganMs = this.#options.clock.monotonicMs()))
    const forget = (): void => this.#forget(key, run)
    run.answer.then(forget, forget)
    return run
  }

  /** Whether the caller may go at once; the last one waits until its run has ended. */
  #leave(key: string, run: Run, reason: unknown): boolean {
    run.callers--
    if (run.callers > 0) return true
    this.#forget(key, run)
    run.abort.abort(reason)
    return false
  }

  #forget(key: string, run: Run): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key)
  }
}

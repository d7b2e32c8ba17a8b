/** Pauses between attempts: doubled from one to the next, with jitter, and never shorter than the receiver asks for. */
import type { Clock, Random } from '#/kernel/world.ts'

export type BackoffOptions = {
  readonly minMs: number
  readonly maxMs: number
  readonly clock: Clock
  readonly random: Random
}

/** Longest pause that a receiver may ask for. */
const maxRetryAfterMs = 300_000

export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  reset(): void {
    this.#attempts = 0
  }

  /** Resolves after the pause, or when `signal` is aborted. */
  async wait(signal: AbortSignal, retryAfterSeconds = 0): Promise<void> {
    const { minMs, maxMs, clock, random } = this.#options
    const full = Math.min(maxMs, minMs * 2 ** Math.min(this.#attempts++, 30))
    const jittered = full / 2 + (full / 2) * random.next()
    const pauseMs = Math.max(jittered, Math.min(maxRetryAfterMs, retryAfterSeconds * 1000))
    await clock.sleep(pauseMs, signal).catch(() => undefined)
  }
}

/** Whether the same request may be taken later; every other refusal is a judgement on its content. */
export function isRetryable(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

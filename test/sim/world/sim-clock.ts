/** A clock that stands still until it is told to move. Timers fire in order of time, each before the clock goes on. */
import type { Clock } from '#/kernel/world.ts'

type Timer = { atMs: number; readonly fire: () => void; readonly everyMs: number | undefined }

export class SimClock implements Clock {
  readonly #startMs: number
  #elapsedMs = 0
  #timers: Timer[] = []

  constructor(startMs = Date.UTC(2026, 0, 15, 12)) {
    this.#startMs = startMs
  }

  nowNs(): bigint {
    return BigInt(this.nowMs()) * 1_000_000n
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error)
      const stop = this.#add(ms, undefined, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      const onAbort = (): void => {
        stop()
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  every(ms: number, tick: () => void): () => void {
    return this.#add(ms, ms, tick)
  }

  #add(ms: number, everyMs: number | undefined, fire: () => void): () => void {
    const timer: Timer = { atMs: this.#elapsedMs + Math.max(0, ms), fire, everyMs }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }

  /** Moves `ms` ahead, firing what is due; what each timer sets going runs as far as it can before the next one fires. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms
    for (;;) {
      await settle()
      const next = this.#timers.reduce<Timer | undefined>(
        (first, timer) => (first === undefined || timer.atMs < first.atMs ? timer : first),
        undefined,
      )
      if (next === undefined || next.atMs > endMs) break
      this.#elapsedMs = next.atMs
      if (next.everyMs === undefined) this.#timers = this.#timers.filter((one) => one !== next)
      else next.atMs += Math.max(1, next.everyMs)
      next.fire()
    }
    this.#elapsedMs = endMs
    await settle()
  }

  /** Moves `ms` ahead without firing any timer, all are put off by as much: for whoever does himself what they would set going. */
  jump(ms: number): void {
    this.#elapsedMs += ms
    for (const timer of this.#timers) timer.atMs += ms
  }

  /** Forgets all timers: the process that set them is gone. */
  clear(): void {
    this.#timers = []
  }

  get pendingTimers(): number {
    return this.#timers.length
  }
}

/** Lets everything run that needs no more than promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * Retention and deletes look from time to time, and before each round of merges that somebody asks for. What they order, merges carry
 * out; what is to be removed whole, they remove themselves.
 */
import type { Clock } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { DeleteWork } from './deletes/delete-work.ts'
import type { Erasures } from './merge/erase.ts'
import type { RetentionWork } from './retention/retention-work.ts'

export type UpkeepNeeds = {
  readonly deletes: DeleteWork
  readonly retention: RetentionWork
  readonly clock: Clock
  readonly logger: Logger
  readonly intervalMs: number
}

export class Upkeep {
  readonly #needs: UpkeepNeeds
  readonly #stopping = new AbortController()
  #isLooking = false
  #last: Promise<void> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()

  constructor(needs: UpkeepNeeds) {
    this.#needs = needs
  }

  /** What merges ask for orders, and report to. */
  get erasures(): Erasures {
    const { deletes, retention } = this.#needs
    return {
      ordersFor: (block) => [...deletes.ordersFor(block), ...retention.ordersFor(block)],
      onErased: (done) => {
        deletes.onErased(done)
        retention.onErased(done)
      },
    }
  }

  start(): void {
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await this.#last
  }

  /** Looks now, behind a look that is under way. What fails is logged and tried again the next time. */
  look(): Promise<void> {
    this.#last = this.#last.then(() => this.#lookNow())
    return this.#last
  }

  /** Looks now, unless it looks already; nobody waits for it. */
  lookSoon(): void {
    if (!this.#isLooking) void this.look()
  }

  async #lookNow(): Promise<void> {
    const { deletes, retention, clock, logger } = this.#needs
    const { signal } = this.#stopping
    const startedMs = clock.monotonicMs()
    this.#isLooking = true
    for (const [what, work] of [
      ['retention', retention],
      ['deletes', deletes],
    ] as const) {
      if (signal.aborted) break
      await work.look(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.error(`${what} could not be looked after`, { error: String(error) })
      })
    }
    this.#isLooking = false
    retention.counts.lastSeconds = (clock.monotonicMs() - startedMs) / 1000
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.look()
      await this.#needs.clock.sleep(this.#needs.intervalMs, signal).catch(() => undefined)
    }
  }
}

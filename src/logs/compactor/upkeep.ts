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
  #last: Promise<void> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()
  #freeing: Promise<void> | undefined

  constructor(needs: UpkeepNeeds) {
    this.#needs = needs
  }

  /** What merges ask for orders, and report to. */
  get erasures(): Erasures {
    const { deletes, retention } = this.#needs
    return {
      ordersFor: (block) => [...deletes.ordersFor(block), ...retention.ordersFor(block)],
      cannotWait: (block) => deletes.cannotWait(block) || retention.cannotWait(block),
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
    await this.#freeing
  }

  /** Looks now, behind a look that is under way. What fails is logged and tried again the next time. */
  look(): Promise<void> {
    this.#last = this.#last.then(() => this.#lookNow())
    return this.#last
  }

  /** The disk fills up: retention by space looks at once, whatever else is looked at. Nobody waits for it. */
  freeSpaceSoon(): void {
    const { retention, logger } = this.#needs
    const { signal } = this.#stopping
    if (signal.aborted) return
    this.#freeing ??= retention
      .freeSpace(signal)
      .catch((error: unknown) => {
        if (!signal.aborted) logger.error('space could not be freed', { error: String(error) })
      })
      .finally(() => (this.#freeing = undefined))
  }

  async #lookNow(): Promise<void> {
    const { deletes, retention, clock, logger } = this.#needs
    const { signal } = this.#stopping
    const startedMs = clock.monotonicMs()
    for (const [what, work] of [
      ['retention', retention],
      ['deletes', deletes],
    ] as const) {
      if (signal.aborted) break
      await work.look(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.error(`${what} could not be looked after`, { error: String(error) })
      })
    }
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

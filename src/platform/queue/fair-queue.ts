/**
 * A queue of requests that is fair between tenants: a tenant with a thousand requests waits, a tenant with one does not.
 *
 * Start-time fair queueing. Every tenant has an account of the work that it was given (its `served` weight, for queries the
 * estimated bytes). Of the tenants with waiting requests the one with the smallest account is next, and its account is
 * charged when its request starts. A tenant that comes back starts at least at the level of the last one served, so that
 * idling earns nothing, and a large request is remembered until the others have caught up.
 *
 * Invariants: never more than `maxConcurrent` requests run; never more than `maxWaitingPerTenant` of a tenant wait; requests of
 * one tenant start in their order.
 */
import { assert } from '#/kernel/assert.ts'
import { LimitExceeded, abortError } from '#/kernel/errors.ts'

export type FairQueueOptions = {
  readonly maxConcurrent: number
  /** Beyond it a request is refused with 429 `too many outstanding requests`. */
  readonly maxWaitingPerTenant: number
  readonly observer?: FairQueueObserver
}

/** Told what happens; for metrics. */
export type FairQueueObserver = {
  /** The number of waiting requests of a tenant changed. */
  readonly waiting: (tenant: string, count: number) => void
  readonly refused: (tenant: string) => void
}

type Entry = {
  readonly weight: number
  /** Runs the request and settles the promise of its `enqueue`; resolves when it is over, never rejects. */
  readonly start: () => Promise<void>
}

type Account = { readonly tenant: string; readonly waiting: Set<Entry>; served: number }

export class FairQueue {
  readonly #options: FairQueueOptions
  readonly #accounts = new Map<string, Account>()
  /** Account of the tenant that was served last, before it was charged. */
  #level = 0
  #running = 0

  constructor(options: FairQueueOptions) {
    assert(options.maxConcurrent > 0, `max concurrent ${options.maxConcurrent} is positive`)
    assert(options.maxWaitingPerTenant > 0, `max waiting ${options.maxWaitingPerTenant} is positive`)
    this.#options = options
  }

  get running(): number {
    return this.#running
  }

  waiting(tenant: string): number {
    return this.#accounts.get(tenant)?.waiting.size ?? 0
  }

  /**
   * Runs `run` when it is the request's turn, and settles as it does. `weight` is the expected work in any unit. A request
   * whose `signal` aborts while it waits leaves the queue at once; one that runs must watch the signal itself.
   * @throws LimitExceeded when too many requests of the tenant wait; Cancelled (or the signal's reason) when aborted.
   */
  async enqueue<T>(tenant: string, weight: number, run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) throw abortError(signal)
    const account = this.#account(tenant)
    if (account.waiting.size >= this.#options.maxWaitingPerTenant) {
      this.#options.observer?.refused(tenant)
      throw new LimitExceeded('too many outstanding requests', { retryAfterSeconds: 1 })
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onAbort = (): void => {
      if (!account.waiting.delete(entry)) return
      this.#changed(account)
      if (signal !== undefined) reject(abortError(signal))
    }
    const entry: Entry = {
      weight: Math.max(1, weight),
      start: async () => {
        signal?.removeEventListener('abort', onAbort)
        try {
          resolve(await run())
        } catch (error) {
          reject(error)
        }
      },
    }
    account.waiting.add(entry)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#changed(account)
    this.#startNext()
    return promise
  }

  #account(tenant: string): Account {
    let account = this.#accounts.get(tenant)
    if (account === undefined) {
      account = { tenant, waiting: new Set(), served: this.#level }
      this.#accounts.set(tenant, account)
    }
    if (account.waiting.size === 0) account.served = Math.max(account.served, this.#level)
    return account
  }

  #changed(account: Account): void {
    this.#options.observer?.waiting(account.tenant, account.waiting.size)
  }

  #startNext(): void {
    while (this.#running < this.#options.maxConcurrent) {
      const account = this.#next()
      const [entry] = account?.waiting ?? []
      if (account === undefined || entry === undefined) return
      account.waiting.delete(entry)
      this.#level = Math.max(this.#level, account.served)
      account.served += entry.weight
      this.#changed(account)
      this.#running++
      void entry.start().then(() => {
        this.#running--
        this.#startNext()
      })
    }
  }

  /** The waiting tenant with the smallest account; forgets tenants that wait for nothing and owe nothing. */
  #next(): Account | undefined {
    let next: Account | undefined
    for (const account of this.#accounts.values()) {
      if (account.waiting.size === 0) {
        if (account.served <= this.#level) this.#accounts.delete(account.tenant)
      } else if (next === undefined || account.served < next.served) {
        next = account
      }
    }
    return next
  }
}

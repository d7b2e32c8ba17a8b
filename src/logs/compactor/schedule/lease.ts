/**
 * Who may merge the blocks of a tenant. One process holds all leases; of several, each asks before it begins and while it works.
 *
 * In an object store a lease is the object `<tenant>/compactor/lease.json`. The store has no compare-and-set, so a holder writes its name,
 * waits for longer than a write may take, and reads it again: whoever wrote last has it. A lease that was not renewed for `ttlMs`
 * is anybody's; clocks of holders may differ by less than `settleMs`.
 */
import { asRecord } from '#/storage/block/meta-json.ts'
import { NotFound } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'

export interface Leases {
  /** True when the caller holds the tenant for a while from now on; to be asked again before each merge. */
  acquire(tenant: string, signal?: AbortSignal): Promise<boolean>
  /** Lets others have it. */
  release(tenant: string): Promise<void>
}

/** For the only process. */
export const everyLease: Leases = { acquire: async () => true, release: async () => {} }

export type StoreLeaseOptions = {
  readonly store: Pick<ObjectStore, 'get' | 'put' | 'delete'>
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>
  /** Unique among all that may hold a lease. */
  readonly holder: string
  readonly ttlMs: number
  /** Longer than a write may take. */
  readonly settleMs: number
}

type Lease = { readonly holder: string; readonly expiresMs: number }

export class StoreLeases implements Leases {
  readonly #options: StoreLeaseOptions

  constructor(options: StoreLeaseOptions) {
    this.#options = options
  }

  async acquire(tenant: string, signal?: AbortSignal): Promise<boolean> {
    const { store, clock, holder, ttlMs, settleMs } = this.#options
    const known = await this.#read(tenant)
    const isOwn = known?.holder === holder
    const leftMs = known === undefined ? 0 : known.expiresMs - clock.nowMs()
    if (!isOwn && leftMs > 0) return false
    if (isOwn && leftMs > ttlMs / 2) return true
    const lease: Lease = { holder, expiresMs: clock.nowMs() + ttlMs }
    await store.put(leaseKey(tenant), [Buffer.from(JSON.stringify(lease))], signal)
    // who had it already and renews in time has no rival
    if (isOwn && leftMs > settleMs) return true
    await clock.sleep(settleMs, signal)
    return (await this.#read(tenant))?.holder === holder
  }

  async release(tenant: string): Promise<void> {
    const known = await this.#read(tenant)
    if (known?.holder === this.#options.holder) await this.#options.store.delete(leaseKey(tenant))
  }

  async #read(tenant: string): Promise<Lease | undefined> {
    try {
      return parseLease((await this.#options.store.get(leaseKey(tenant))).toString())
    } catch (error) {
      if (error instanceof NotFound) return undefined
      throw error
    }
  }
}

function leaseKey(tenant: string): string {
  return `${tenant}/compactor/lease.json`
}

/** What is not a lease holds nobody off. */
function parseLease(text: string): Lease | undefined {
  try {
    const { holder, expiresMs } = asRecord(JSON.parse(text)) ?? {}
    return typeof holder === 'string' && typeof expiresMs === 'number' ? { holder, expiresMs } : undefined
  } catch {
    return undefined
  }
}

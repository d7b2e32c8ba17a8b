/**
 * Deletes objects that the catalog has buried: inputs of merges, blocks that retention dropped, outputs of merges that did not come
 * to their end. Queries that began before may still read them, so each stays for a while; what was buried before the start goes at once.
 */
import type { Clock } from '#/kernel/world.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'

export type SweepNeeds = {
  readonly store: Pick<ObjectStore, 'delete'>
  readonly catalog: Pick<Catalog, 'days' | 'forget'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Longer than a query may take. */
  readonly delayMs: number
}

export class Sweeper {
  readonly #needs: SweepNeeds
  /** When each buried key was first seen; those of before the start are due. */
  readonly #seenMs = new Map<string, number>()
  #deleted = 0

  constructor(needs: SweepNeeds) {
    this.#needs = needs
    for (const { state } of needs.catalog.days()) {
      for (const key of state.tombstones) this.#seenMs.set(key, -Infinity)
    }
  }

  /** Objects that are buried and not deleted yet. */
  get waiting(): number {
    return this.#seenMs.size
  }

  get deleted(): number {
    return this.#deleted
  }

  /**
   * Looks at all days; not while a merge runs, as the outputs that it writes are buried until it is completed. What cannot be deleted is
   * tried again the next time, and the error is thrown in the end.
   */
  async sweep(signal?: AbortSignal): Promise<void> {
    const { catalog, clock } = this.#needs
    const nowMs = clock.monotonicMs()
    const errors: unknown[] = []
    for (const { tenant, day, state } of catalog.days()) {
      for (const key of state.tombstones) if (!this.#seenMs.has(key)) this.#seenMs.set(key, nowMs)
      const deleted: string[] = []
      try {
        await this.#sweepDay(state.tombstones, deleted, signal)
      } catch (error) {
        errors.push(error)
      }
      if (deleted.length === 0) continue
      catalog.forget(tenant, day, deleted)
      for (const key of deleted) this.#seenMs.delete(key)
      this.#deleted += deleted.length
    }
    if (errors.length > 0) throw errors[0]
  }

  async #sweepDay(keys: Iterable<string>, deleted: string[], signal: AbortSignal | undefined): Promise<void> {
    const { store, clock, delayMs } = this.#needs
    for (const key of keys) {
      if (clock.monotonicMs() - this.#seenMs.get(key)! < delayMs) return
      await store.delete(key, signal)
      deleted.push(key)
    }
  }
}

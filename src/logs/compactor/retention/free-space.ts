/**
 * Retention by free space: the oldest blocks of all tenants go when the disk of the blocks has less than it should, and their objects at
 * once, whoever reads them.
 */
import { oldestFirst } from './retention-plan.ts'
import { throwIfAborted } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'

/**
 * How long a file system may take until the space of deleted files is free. Where it does not become free, e.g. as a snapshot on the same
 * disk holds the files, so long passes before more is removed.
 */
const RELEASE_MS = 60_000

export type FreeSpaceNeeds = {
  /** 0: the disk may fill up. */
  readonly minFreeBytes: number
  readonly catalog: Pick<Catalog, 'days' | 'dayState' | 'forget'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly logger: Logger
  readonly freeBytes: () => Promise<number>
  /** Blocks that were removed already, by key, and whose objects are not deleted yet. */
  readonly waiting: Map<string, BlockMeta>
  /** Takes a block out of the catalog; false when it is not there any more, or that failed. */
  readonly remove: (block: BlockMeta) => Promise<boolean>
  readonly deleteObject: (key: string) => Promise<void>
}

type Buried = { readonly tenant: string; readonly day: number; readonly keys: readonly string[] }
type Freed = { readonly freeBefore: number; readonly bytes: number; readonly atMs: number }

export class FreeSpace {
  readonly #needs: FreeSpaceNeeds
  /** Objects that did not count any more at the start, by day: nobody reads them, and they go before anything else. */
  #left: readonly Buried[]
  #last: Freed | undefined
  #running: Promise<void> | undefined

  constructor(needs: FreeSpaceNeeds) {
    this.#needs = needs
    const days = needs.catalog.days().filter(({ state }) => state.tombstones.size > 0)
    this.#left = days.map(({ tenant, day, state }) => ({ tenant, day, keys: [...state.tombstones] }))
  }

  /** Whoever asks while it is being done shares it. */
  keep(signal?: AbortSignal): Promise<void> {
    this.#running ??= this.#keep(signal).finally(() => (this.#running = undefined))
    return this.#running
  }

  async #keep(signal: AbortSignal | undefined): Promise<void> {
    const { minFreeBytes, catalog, clock, freeBytes, waiting } = this.#needs
    if (minFreeBytes === 0) return
    if ((await freeBytes()) < minFreeBytes) await this.#deleteLeft(signal)
    const freeBefore = await freeBytes()
    const missing = minFreeBytes - freeBefore
    if (missing <= 0 || this.#isBeingReleased(freeBefore)) return
    let bytes = 0
    try {
      const all = catalog.days().flatMap(({ state }) => [...state.blocks.values()])
      // those that are removed already come first
      for (const meta of [...waiting.values(), ...oldestFirst(all)]) {
        if (bytes >= missing) return
        throwIfAborted(signal)
        if (await this.#delete(meta)) bytes += meta.sizeBytes
        // a younger one must not go in its place
        else if (catalog.dayState(meta.tenant, meta.day)?.blocks.has(meta.key)) return
      }
    } finally {
      if (bytes > 0) this.#last = { freeBefore, bytes, atMs: clock.monotonicMs() }
    }
  }

  async #deleteLeft(signal: AbortSignal | undefined): Promise<void> {
    const { catalog, deleteObject } = this.#needs
    for (const { tenant, day, keys } of this.#left) {
      for (const key of keys) {
        throwIfAborted(signal)
        await deleteObject(key)
        catalog.forget(tenant, day, [key])
      }
    }
    this.#left = []
  }

  async #delete(meta: BlockMeta): Promise<boolean> {
    const { catalog, waiting, remove, deleteObject } = this.#needs
    const { tenant, day, key } = meta
    if (!waiting.has(key) && !(await remove(meta))) return false
    await deleteObject(key)
    catalog.forget(tenant, day, [key])
    waiting.delete(key)
    return true
  }

  /** Whether what was deleted a moment ago does not show yet. */
  #isBeingReleased(freeNow: number): boolean {
    const last = this.#last
    if (last === undefined) return false
    const { clock, logger } = this.#needs
    const isFree = freeNow >= last.freeBefore + last.bytes / 2
    const isOver = clock.monotonicMs() - last.atMs >= RELEASE_MS
    if (!isFree && !isOver) return true
    this.#last = undefined
    if (!isFree) {
      logger.warn('deleting blocks does not free space: files may be open, or snapshots on the same disk hold them', {
        deletedBytes: last.bytes,
        freeBytes: freeNow,
      })
    }
    return false
  }
}

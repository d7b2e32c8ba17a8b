/** What the ingester asks of others, as narrow as it can be. */
import type { Day } from '#/logs/model/day.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

export type BlockInput = {
  readonly tenant: string
  readonly head: HeadSnapshot
  /** Becomes part of the block's key. A head that is built again gets the same, and so the same key. */
  readonly ulid: string
  readonly source: NonNullable<BlockMeta['source']>
}

export type BuiltBlock = { readonly meta: BlockMeta; readonly parts: readonly Uint8Array[] }

/** Makes a block of a head; in production in a worker thread. */
export type BuildBlock = (input: BlockInput) => Promise<BuiltBlock>

/** Which blocks exist, as far as an ingester must know. */
export interface BlockCatalog {
  /**
   * Makes a stored block known. After it was persisted, it becomes visible and `onVisible` is called in one synchronous step.
   * To be called again with the same block after it was rejected. A block in the store that was never made known is found at the
   * next start.
   */
  publish(meta: BlockMeta, onVisible: () => void): Promise<void>
  /** Visible blocks of a tenant with a day in [firstDay, lastDay]. */
  list(tenant: string, firstDay: Day, lastDay: Day): readonly BlockMeta[]
  tenants(): readonly string[]
  /** The last WAL record of `ingester` whose rows of that day are in blocks, whatever became of the blocks since; 0 when none. */
  flushedSequence(ingester: string, tenant: string, day: Day): number
}

/** Where blocks are put. */
export interface BlockStore {
  /** Over an older object of the same key, if there is one. After an error the object may be there or not. */
  put(key: string, data: readonly Uint8Array[], signal?: AbortSignal): Promise<void>
}

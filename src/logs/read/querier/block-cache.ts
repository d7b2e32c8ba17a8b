/** Open blocks, kept while memory allows: opening one costs a read. What is decoded of their indexes is kept apart from them. */
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { CachePart } from '#/platform/memory/caches.ts'
import { dropShared } from '#/platform/memory/shared-garbage.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

export type OpenBlock = (meta: BlockMeta) => Promise<LogBlock>

export class BlockCache {
  readonly #open: OpenBlock
  readonly #blocks: CachePart<LogBlock>
  readonly #opening = new Map<string, Promise<LogBlock>>()

  constructor(open: OpenBlock, blocks: CachePart<LogBlock>) {
    this.#open = open
    this.#blocks = blocks
  }

  /** Callers of the same block at the same time share one opening. */
  async get(meta: BlockMeta): Promise<LogBlock> {
    const known = this.#blocks.get(meta.key)
    if (known !== undefined) return known
    let opening = this.#opening.get(meta.key)
    if (opening === undefined) {
      opening = this.#load(meta).finally(() => this.#opening.delete(meta.key))
      this.#opening.set(meta.key, opening)
    }
    return opening
  }

  async #load(meta: BlockMeta): Promise<LogBlock> {
    const block = await this.#open(meta)
    const { evicted } = this.#blocks
    const isKept = this.#blocks.set(meta.key, block, block.memoryBytes)
    // the collector is in no hurry about the bytes of indexes: where blocks come and go, it must be told
    if (!isKept || this.#blocks.evicted > evicted) dropShared(block.memoryBytes)
    return block
  }
}

/** Open blocks, kept while memory allows: opening one costs a read and the decoding of its index. */
import { LRUCache } from 'lru-cache'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { MemoryBudget, Reservation } from '#/platform/memory/memory-budget.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

export type OpenBlock = (meta: BlockMeta) => Promise<LogBlock>

/** A block is kept only when it is at most this part of the cache. */
const MAX_SHARE = 0.5

export class BlockCache {
  readonly #open: OpenBlock
  readonly #blocks: LRUCache<string, LogBlock>
  readonly #opening = new Map<string, Promise<LogBlock>>()
  readonly #reserved: Reservation

  constructor({ open, budget, maxBytes }: { open: OpenBlock; budget: MemoryBudget; maxBytes: number }) {
    this.#open = open
    this.#reserved = budget.reserve('open blocks')
    this.#blocks = new LRUCache({
      maxSize: maxBytes,
      maxEntrySize: Math.max(1, Math.floor(maxBytes * MAX_SHARE)),
      sizeCalculation: (block) => Math.max(1, block.memoryBytes),
      dispose: (block) => this.#reserved.shrink(Math.max(1, block.memoryBytes)),
    })
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
    const size = Math.max(1, block.memoryBytes)
    if (size <= this.#blocks.maxEntrySize && this.#makeRoom(size)) this.#blocks.set(meta.key, block)
    return block
  }

  /** Takes `bytes` of the budget, for which old blocks may have to go. */
  #makeRoom(bytes: number): boolean {
    while (!this.#reserved.grow(bytes)) {
      if (this.#blocks.size === 0) return false
      this.#blocks.pop()
    }
    return true
  }
}

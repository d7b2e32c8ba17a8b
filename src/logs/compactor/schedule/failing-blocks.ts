/** Blocks whose merges fail: they are left alone for a while, longer each time. */
import type { BlockMeta } from '#/storage/block/meta.ts'

const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 6 * 3_600_000

export class FailingBlocks {
  readonly #blocks = new Map<string, { readonly failures: number; readonly retryAtMs: number }>()

  isLeftAlone({ key }: BlockMeta, nowMs: number): boolean {
    return (this.#blocks.get(key)?.retryAtMs ?? 0) > nowMs
  }

  failed(blocks: readonly BlockMeta[], nowMs: number): void {
    for (const { key } of blocks) {
      const failures = (this.#blocks.get(key)?.failures ?? 0) + 1
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)
      this.#blocks.set(key, { failures, retryAtMs: nowMs + pauseMs })
    }
  }

  merged(blocks: readonly BlockMeta[]): void {
    for (const { key } of blocks) this.#blocks.delete(key)
  }

  /** Forgets blocks that are gone. */
  keep(isThere: (key: string) => boolean): void {
    for (const key of this.#blocks.keys()) if (!isThere(key)) this.#blocks.delete(key)
  }
}

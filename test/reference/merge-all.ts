/** The blocks of each day become few, as by the compactor: slices and outputs are so small that everything is cut somewhere. */
import { mergeBlocks } from '#/logs/compactor/merge/merge-blocks.ts'
import { inlineMergeThreads } from '#/logs/compactor/tasks/inline-merge-threads.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import type { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

export async function mergeAll(
  store: MemoryStore,
  blocks: readonly BlockMeta[],
  pageRows: number,
): Promise<BlockMeta[]> {
  const budget = new MemoryBudget(1e12)
  let ids = 0
  const needs = {
    store,
    catalog: { bury: async () => {}, replace: async () => {} },
    threads: inlineMergeThreads(),
    world: { clock: realClock, random: { next: () => 0, bytes: (count: number) => Buffer.alloc(count, ++ids) } },
    budget,
    buffers: new SharedBuffers({ budget, maxIdleBytes: 0 }),
    limits: { outputBytes: 2000, outputStoredBytes: 1e9, sliceBytes: 500, sliceRows: 20, memoryPart: 1 },
  }
  const merged: BlockMeta[] = []
  for (const inputs of Map.groupBy(blocks, ({ day }) => day).values()) {
    const result = await mergeBlocks(needs, { inputs, level: 1, orders: [], minesPatterns: true, pageRows })
    merged.push(...result.outputs)
  }
  return merged
}

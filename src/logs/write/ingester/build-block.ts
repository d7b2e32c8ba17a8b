/** Blocks from heads, on the thread of the caller or in the worker pool. */
import type { LimitsOf } from '#/logs/limits.ts'
import type { BlockInput, BuildBlock, BuiltBlock } from './ports.ts'
import { type LogBlockInput, writeLogBlock } from '#/logs/store/write-log-block.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'

const worker = new URL('./build-block.worker.ts', import.meta.url)

export const buildBlockHere: BuildBlock = async (input) => writeLogBlock(blockInput(input, true))

/** The head's pages go to the worker as shared memory, the block comes back as transferred buffers. */
export function buildBlockInWorker(pool: WorkerPool, limitsOf: LimitsOf): BuildBlock {
  return (input) => {
    const { pattern_mining: minesPatterns } = limitsOf(input.tenant)
    return pool.run<BuiltBlock>(worker, blockInput(input, minesPatterns), { priority: 'background' })
  }
}

function blockInput({ tenant, head, ulid, source }: BlockInput, minesPatterns: boolean): LogBlockInput {
  const { day, streams, pages } = head
  return {
    tenant,
    day,
    level: 0,
    ulid,
    source,
    texts: shareTexts(streams),
    labels: streams.coded(),
    pages,
    minesPatterns,
  }
}

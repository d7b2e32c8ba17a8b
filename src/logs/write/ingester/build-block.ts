/** Blocks from heads, on the thread of the caller or in the worker pool. */
import type { BlockInput, BuildBlock, BuiltBlock } from './ports.ts'
import { type LogBlockInput, writeLogBlock } from '#/logs/store/write-log-block.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'
import { shareLabels } from '#/storage/index/shared-labels.ts'

const worker = new URL('./build-block.worker.ts', import.meta.url)

export const buildBlockHere: BuildBlock = async (input) => writeLogBlock(blockInput(input))

/** The head's pages go to the worker as shared memory, the block comes back as transferred buffers. */
export function buildBlockInWorker(pool: WorkerPool): BuildBlock {
  return (input) => pool.run<BuiltBlock>(worker, blockInput(input), { priority: 'background' })
}

function blockInput({ tenant, head, ulid, source }: BlockInput): LogBlockInput {
  const { day, streams, pages } = head
  return { tenant, day, level: 0, ulid, source, streams: shareLabels(streams), pages }
}

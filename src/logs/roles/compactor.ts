/** Wires the compactor: merges in the worker pool, leases, metrics. */
import type { World } from '#/kernel/world.ts'
import type { Erasures } from '#/logs/compactor/merge/erase.ts'
import { Compactor } from '#/logs/compactor/schedule/compactor.ts'
import { everyLease } from '#/logs/compactor/schedule/lease.ts'
import { workerMergeThreads } from '#/logs/compactor/tasks/worker-merge-threads.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'
import { watchCompactor } from './compactor-metrics.ts'

/** Keys of the section `compactor`. */
export type CompactorKeys = {
  readonly compaction_interval: number
  readonly compaction_enabled: boolean
  readonly target_block_bytes: number
  readonly max_merge_inputs: number
  readonly settle_time: number
  readonly retention_delete_delay: number
}

export type CompactorRoleNeeds = {
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly store: ObjectStore
  readonly catalog: Catalog
  readonly workers: WorkerPool
  readonly budget: MemoryBudget
  readonly limitsOf: LimitsOf
  readonly erasures?: Erasures | undefined
  /** Why so many bytes must not be written to the disk of the blocks now. */
  readonly refusalOf?: (bytes: number) => Promise<Error | undefined>
}

/** The part of the memory budget that a merge may take, and the parts of that for pages and for a slice. */
const MEMORY_PART = 0.5
const STORED_PART = 1 / 8
const SLICE_BYTES = 4 * 1024 * 1024
const SLICE_ROWS = 131_072

export function openCompactor(keys: CompactorKeys, needs: CompactorRoleNeeds): Compactor {
  const { workers, budget, metrics } = needs
  const outputStoredBytes = Math.floor(budget.limitBytes * STORED_PART)
  const limits = {
    outputBytes: keys.target_block_bytes,
    outputStoredBytes,
    sliceBytes: SLICE_BYTES,
    sliceRows: SLICE_ROWS,
    memoryPart: MEMORY_PART,
  }
  const settings = {
    targetBytes: keys.target_block_bytes,
    targetStoredBytes: outputStoredBytes,
    maxInputs: keys.max_merge_inputs,
    settleMs: keys.settle_time,
    intervalMs: keys.compaction_interval,
    deleteDelayMs: keys.retention_delete_delay,
    mergesByItself: keys.compaction_enabled,
  }
  const compactor = new Compactor(settings, {
    ...needs,
    limits,
    leases: everyLease,
    threads: workerMergeThreads(workers),
    buffers: new SharedBuffers({ budget, maxIdleBytes: 0 }),
  })
  watchCompactor(metrics, compactor)
  compactor.start()
  return compactor
}

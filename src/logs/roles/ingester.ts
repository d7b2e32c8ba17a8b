/** Wires the ingester: WAL, heads, flush to blocks. */
import type { World } from '#/kernel/world.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import { buildBlockInWorker } from '#/logs/write/ingester/build-block.ts'
import { Ingester } from '#/logs/write/ingester/ingester.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'
import { ingesterMetrics } from './ingester-metrics.ts'

export type IngesterSettings = {
  readonly wal: { readonly dir: string; readonly sync: 'commit' | 'interval' | 'never'; readonly sync_interval: number }
  readonly flush_bytes: number
  readonly flush_age: number
}

export type IngesterNeeds = {
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly store: ObjectStore
  readonly catalog: Catalog
  readonly workers: WorkerPool
  readonly budget: MemoryBudget
  readonly limitsOf: LimitsOf
}

/** Replays the WAL before it resolves. */
export async function openIngester(settings: IngesterSettings, needs: IngesterNeeds): Promise<Ingester> {
  const { world, logger, metrics, store, catalog, workers, budget, limitsOf } = needs
  const counters = ingesterMetrics(metrics)
  const ingester = await Ingester.open({
    world,
    log: logger,
    store,
    catalog,
    buildBlock: buildBlockInWorker(workers, limitsOf),
    budget,
    limits: limitsOf,
    wal: { directory: settings.wal.dir, sync: settings.wal.sync, syncIntervalMs: settings.wal.sync_interval },
    flushBytes: settings.flush_bytes,
    flushAgeMs: settings.flush_age,
    onCorruption: () => counters.corruption(),
  })
  counters.watch(() => ingester.stats())
  return ingester
}

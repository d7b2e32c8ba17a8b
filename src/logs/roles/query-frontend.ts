/** Wires the reading side of one process: frontend, queue, querier, scans in worker threads. */
import type { Clock } from '#/kernel/world.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import { Frontend } from '#/logs/read/frontend/frontend.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { workerScanPool } from '#/logs/read/scan/worker-scan-pool.ts'
import { FilterCache } from '#/logs/store/filter-cache.ts'
import { ColumnCache } from '#/logs/store/column-cache.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import type { DeleteRequests, HiddenRowsReader } from '#/logs/wire/deletes.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import { Caches } from '#/platform/memory/caches.ts'
import { PartCache } from '#/platform/memory/kept-parts.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import { FairQueue } from '#/platform/queue/fair-queue.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'
import { observeCaches } from './cache-metrics.ts'

/** Part of the budget for filters of blocks: their words, and what was read of the rest. */
const FILTER_CACHE_SHARE = 0.125
/** Part of the budget for what is decoded of indexes of blocks. */
const INDEX_CACHE_SHARE = 0.125
/** Part of the budget for small columns of pages. */
const COLUMN_CACHE_SHARE = 0.0625

export type FrontendSettings = {
  readonly maxConcurrent: number
  readonly maxWaitingPerTenant: number
  readonly cachesResults: boolean
}

export type FrontendNeeds = {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly limitsOf: LimitsOf
  readonly deletes: HiddenRowsReader & Pick<DeleteRequests, 'generation'>
  readonly ingester: IngesterReader
  readonly store: ObjectStore
  readonly workers: WorkerPool
  readonly budget: MemoryBudget
}

export function newFrontend(settings: FrontendSettings, needs: FrontendNeeds): Frontend {
  const { clock, metrics, limitsOf, deletes, ingester, store, workers, budget } = needs
  const waiting = metrics.gauge({
    name: 'loki_query_scheduler_queue_length',
    help: 'Queries that wait for their turn.',
    labels: ['user'] as const,
  })
  const refused = metrics.counter({
    name: 'loki_query_scheduler_discarded_requests_total',
    help: 'Queries refused because too many of the tenant wait.',
    labels: ['user'] as const,
  })
  const { maxConcurrent, maxWaitingPerTenant } = settings
  const queue = new FairQueue({
    maxConcurrent,
    maxWaitingPerTenant,
    observer: { waiting: (user, count) => waiting.set({ user }, count), refused: (user) => refused.inc({ user }) },
  })
  const shared = metrics.counter({
    name: 'loki_query_frontend_shared_queries_total',
    help: 'Queries answered by the run of one that asked the same at the same time.',
  })
  const caches = new Caches(budget)
  // what is cheap to get again comes first: it is given up first
  const columns = new ColumnCache(caches.part('columns', budget.limitBytes * COLUMN_CACHE_SHARE))
  const parts = new PartCache(caches.part('index-parts', budget.limitBytes * INDEX_CACHE_SHARE))
  const filters = new FilterCache(caches.part('filters', budget.limitBytes * FILTER_CACHE_SHARE))
  const querier = new Querier({
    ingesters: [ingester],
    deletes,
    openBlock: (meta) => openLogBlock(store, meta, { filters, parts, columns }),
    pool: workerScanPool(workers),
    budget,
    caches,
    cachesResults: settings.cachesResults,
    clock,
  })
  observeCaches(metrics, caches)
  return new Frontend({
    querier,
    queue,
    limitsOf,
    clock,
    generation: (tenant) => deletes.generation(tenant),
    onShared: () => shared.inc(),
  })
}

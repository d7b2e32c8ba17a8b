/** Wires the reading side of one process: frontend, queue, querier, scans in worker threads. */
import type { Clock } from '#/kernel/world.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import { Frontend } from '#/logs/read/frontend/frontend.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { workerScanPool } from '#/logs/read/scan/worker-scan-pool.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import { FairQueue } from '#/platform/queue/fair-queue.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'

export type FrontendSettings = { readonly maxConcurrent: number; readonly maxWaitingPerTenant: number }

export type FrontendNeeds = {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly limitsOf: LimitsOf
  readonly ingester: IngesterReader
  readonly store: ObjectStore
  readonly workers: WorkerPool
  readonly budget: MemoryBudget
}

export function newFrontend(settings: FrontendSettings, needs: FrontendNeeds): Frontend {
  const { clock, metrics, limitsOf, ingester, store, workers, budget } = needs
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
  const queue = new FairQueue({
    ...settings,
    observer: { waiting: (user, count) => waiting.set({ user }, count), refused: (user) => refused.inc({ user }) },
  })
  const querier = new Querier({
    ingesters: [ingester],
    openBlock: (meta) => openLogBlock(store, meta),
    pool: workerScanPool(workers),
    budget,
    clock,
  })
  return new Frontend({ querier, queue, limitsOf, clock })
}

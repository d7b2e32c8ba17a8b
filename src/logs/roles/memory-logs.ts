/**
 * A small engine in memory: what is pushed is found by queries, with the checks and labels of a real push, and is gone with the
 * object. For rule tests, which run without a server.
 */
import type { Clock } from '#/kernel/world.ts'
import { type Limits, limits as limitOptions } from '#/logs/limits.ts'
import { Frontend } from '#/logs/read/frontend/frontend.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import { compactBatch } from '#/logs/wire/entry-batch-codec.ts'
import { encodePushProtobuf, type PushStream } from '#/logs/wire/encode-push.ts'
import type { IngesterReader, IngesterWriter } from '#/logs/wire/head-view.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import { Distributor } from '#/logs/write/distributor/distributor.ts'
import { noPushMetrics } from '#/logs/write/distributor/push-metrics.ts'
import { unpooledMemory } from '#/logs/write/ingester/page-memory.ts'
import { TenantHeads } from '#/logs/write/ingester/tenant-heads.ts'
import { decodeLokiProtobuf } from '#/logs/write/push/loki-protobuf.ts'
import { BadRequest, Unavailable } from '#/kernel/errors.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { FairQueue } from '#/platform/queue/fair-queue.ts'

export type MemoryLogs = {
  readonly frontend: QueryFrontend
  /** @throws BadRequest when not all entries are taken. */
  push(streams: readonly PushStream[]): Promise<void>
}

/** Memory of all queries together. */
const budgetBytes = 256 * 1024 * 1024

/** Entries of any time and rate are taken; all else is as the defaults of a server have it. */
const memoryLimits: Limits = {
  ...defaultsOf(limitOptions),
  reject_old_samples: false,
  ingestion_rate_mb: 1e6,
  ingestion_burst_size_mb: 1e6,
}

export function openMemoryLogs(clock: Clock, tenant: string): MemoryLogs {
  const heads = new TenantHeads(tenant, unpooledMemory)
  const limitsOf = (): Limits => memoryLimits
  const distributor = new Distributor({
    clock,
    limitsOf,
    ingester: headWriter(heads),
    maxInflightBytes: 0,
    metrics: noPushMetrics,
  })
  const querier = new Querier({
    ingesters: [headReader(heads)],
    openBlock: () => Promise.reject(new Unavailable('there are no blocks in memory')),
    pool: inlineScanPool(1),
    budget: new MemoryBudget(budgetBytes),
    clock,
  })
  const queue = new FairQueue({ maxConcurrent: 1, maxWaitingPerTenant: 100 })
  return {
    frontend: new Frontend({ querier, queue, limitsOf, clock }),
    async push(streams) {
      const columns = decodeLokiProtobuf(encodePushProtobuf(streams))
      const none = { backfillShard: undefined, policy: undefined, signal: undefined }
      const { status, message } = await distributor.push(tenant, { columns, ...none })
      if (status !== 204) throw new BadRequest(message)
    },
  }
}

function headWriter(heads: TenantHeads): IngesterWriter {
  let sequence = 0
  return {
    async push(_tenant, batch) {
      const duplicates = heads.append(compactBatch(batch), ++sequence, 0)
      return { duplicateRows: duplicates.length, refused: [] }
    },
  }
}

function headReader(heads: TenantHeads): IngesterReader {
  return {
    view: async (_tenant, firstDay, lastDay) => ({ ...heads.snapshots(firstDay, lastDay), blocks: [] }),
    tenants: async () => [heads.tenant],
  }
}

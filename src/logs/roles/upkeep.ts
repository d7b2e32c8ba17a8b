/** Wires retention and deletes: what they look at, and metrics. */
import type { World } from '#/kernel/world.ts'
import type { StoredDeletes } from '#/logs/compactor/deletes/delete-requests.ts'
import { DeleteWork, type LineMemory } from '#/logs/compactor/deletes/delete-work.ts'
import { RetentionWork } from '#/logs/compactor/retention/retention-work.ts'
import { Upkeep } from '#/logs/compactor/upkeep.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import type { Retention } from '#/logs/wire/retention.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'
import { watchUpkeep } from './upkeep-metrics.ts'

/** Keys of the section `compactor`. */
export type UpkeepKeys = {
  readonly retention_enabled: boolean
  readonly apply_retention_interval: number
  readonly retention_min_free: number
  readonly compaction_interval: number
  readonly retention_delete_delay: number
  readonly delete_request_erase_period: number
}

export type UpkeepNeeds = {
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly store: ObjectStore
  readonly catalog: Catalog
  readonly deletes: StoredDeletes
  readonly ingester: LineMemory
  readonly limitsOf: LimitsOf
  /** Where the blocks are. */
  readonly directory: string
}

export type OpenedUpkeep = { readonly upkeep: Upkeep; readonly retention: Retention }

/** Two looks, two rounds of merges, and the delay of deleting: so long it takes at most, besides the merges, to erase what cannot wait. */
function eraseMs({ apply_retention_interval, compaction_interval, retention_delete_delay }: UpkeepKeys): number {
  return 2 * (apply_retention_interval + compaction_interval) + retention_delete_delay
}

export function openUpkeep(keys: UpkeepKeys, needs: UpkeepNeeds): OpenedUpkeep {
  const { world, logger, metrics, store, catalog, deletes, ingester: memory, limitsOf, directory } = needs
  const { clock, disk } = world
  const shared = {
    catalog,
    clock,
    logger,
    openBlock: (meta: Parameters<typeof openLogBlock>[1]) => openLogBlock(store, meta),
  }
  const { delete_request_erase_period: erasePeriodMs } = keys
  const waitMs = Math.max(0, erasePeriodMs - eraseMs(keys))
  const work = new DeleteWork({ waitMs, erasePeriodMs }, { ...shared, deletes, memory })
  const retention = new RetentionWork(
    { isEnabled: keys.retention_enabled, minFreeBytes: keys.retention_min_free },
    {
      ...shared,
      limitsOf,
      freeBytes: () => disk.freeBytes(directory),
      emptyLog: () => memory.emptyLog(),
      deleteObject: (key) => store.delete(key),
    },
  )
  const upkeep = new Upkeep({ deletes: work, retention, clock, logger, intervalMs: keys.apply_retention_interval })
  watchUpkeep(metrics, { retention, deletes, work, clock })
  return { upkeep, retention }
}

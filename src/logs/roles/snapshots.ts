/** Wires the keeper of snapshots of a running server. */
import type { EddaError } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import { SnapshotKeeper } from '#/logs/keeper/snapshot/snapshot-keeper.ts'
import type { IngesterControl } from '#/logs/wire/head-view.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'

export type SnapshotSettings = {
  readonly directory: string
  /** Where the files of the object store are. */
  readonly blocksDirectory: string
}

export type SnapshotNeeds = {
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly store: ObjectStore
  readonly catalog: Catalog
  readonly ingester: IngesterControl
  readonly refusal: () => EddaError | undefined
}

export function newSnapshots({ directory, blocksDirectory }: SnapshotSettings, needs: SnapshotNeeds): SnapshotKeeper {
  const { ingester, metrics, ...rest } = needs
  const keeper = new SnapshotKeeper({
    ...rest,
    directory,
    flush: () => ingester.flush(undefined),
    pathOf: (key) => `${blocksDirectory}/${key}`,
  })
  metrics.collectedCounter({
    name: 'edda_snapshots_made_total',
    help: 'Snapshots that were made.',
    value: () => keeper.stats().made,
  })
  metrics.collectedCounter({
    name: 'edda_snapshots_failed_total',
    help: 'Snapshots that were begun and not made.',
    value: () => keeper.stats().failed,
  })
  metrics.gauge({
    name: 'edda_snapshot_last_made_timestamp_seconds',
    help: 'When the last snapshot was made, since the start of the process; 0: none.',
    collect: (gauge) => gauge.set(keeper.stats().lastMadeSeconds),
  })
  return keeper
}

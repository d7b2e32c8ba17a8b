/** The modules of one process, and what each needs of the others. The order of start and stop follows from the needs. */
import { join } from 'node:path'

import { agentConfig } from '#/agent/config.ts'
import { startAgent } from '#/agent/agent.ts'
import { defined } from '#/kernel/assert.ts'
import type { World } from '#/kernel/world.ts'
import { StoredDeletes } from '#/logs/compactor/deletes/delete-requests.ts'
import type { LineMemory } from '#/logs/compactor/deletes/delete-work.ts'
import { limits, type LimitsOf } from '#/logs/limits.ts'
import { openCompactor } from '#/logs/roles/compactor.ts'
import { newDistributor } from '#/logs/roles/distributor.ts'
import { openIngester } from '#/logs/roles/ingester.ts'
import { newFrontend } from '#/logs/roles/query-frontend.ts'
import { openUpkeep, type OpenedUpkeep } from '#/logs/roles/upkeep.ts'
import { newSnapshots } from '#/logs/roles/snapshots.ts'
import { newTails } from '#/logs/roles/tailer.ts'
import { refuseUnfinishedRestore } from '#/logs/keeper/snapshot/restore-snapshot.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import type { IngesterControl, IngesterWriter } from '#/logs/wire/head-view.ts'
import type { Distributor } from '#/logs/write/distributor/distributor.ts'
import type { Compaction } from '#/logs/wire/compaction.ts'
import type { Snapshots } from '#/logs/wire/snapshot.ts'
import type { Tails, TailSource } from '#/logs/wire/tail.ts'
import type { GrpcMethod } from '#/platform/grpc/grpc-method.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { DiskSpace } from '#/platform/disk-space/disk-space.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { defineModule, type Module } from '#/platform/modules/module.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import { MeteredStore } from '#/platform/objstore/metered.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { Overrides } from '#/platform/tenant/overrides.ts'
import { WorkerPool } from '#/platform/workers/worker-pool.ts'
import { lockDirectory } from '#/platform/world/lock-directory.ts'
import { frontendQueries } from '#/ruler/evaluate/frontend-queries.ts'
import { openRuler } from '#/ruler/open-ruler.ts'
import type { Rules } from '#/ruler/ruler.ts'
import { httpPost } from '#/ruler/send/http-post.ts'
import { Catalog } from '#/storage/catalog/catalog.ts'
import type { Config } from './config.ts'
import type { Gate } from './gate.ts'
import type { Insight } from './insight.ts'
import { type Listeners, startListener } from './listener.ts'
import { lokiLimits } from './loki-keys.ts'
import { observeBudget, observeSpace, observeWorkers, storeObserver } from './metrics.ts'
import { ownTransport } from './own-transport.ts'
import type { SelfLogs } from './self-logs.ts'

export type Process = {
  readonly config: Config
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly gate: Gate
  readonly insight: Insight
  readonly selfLogs: SelfLogs
  readonly endpoints: readonly Endpoint[]
  readonly grpcMethods: readonly GrpcMethod[]
}

export type EddaModules = {
  /** Listens from the beginning; endpoints answer once the gate is open. */
  readonly http: Module<Listeners>
  readonly roots: readonly Module<unknown>[]
}

export function eddaModules(app: Process): EddaModules {
  const http = httpModule(app)
  const store = storeModule(app)
  const workers = workersModule(app)
  const overrides = overridesModule(app)
  const budget = new MemoryBudget(app.config.memory_limit)
  observeBudget(app.metrics, budget)

  const catalog = catalogModule(http, store)
  const lock = lockModule(app, http)
  const ingester = defineModule({
    name: 'ingester',
    needs: { lock, store, catalog, workers, limitsOf: overrides },
    start: async (needs, { logger }) => {
      const { world, metrics, config } = app
      const api = await openIngester(config.ingester, { ...needs, world, metrics, logger, budget })
      return { api, stop: () => api.shutdown({ flush: true, deadlineMs: config.shutdown_timeout }) }
    },
  })
  const space = spaceModule(app)
  const snapshots = snapshotsModule(app, { store, catalog, ingester, space })
  const distributor = distributorModule(app, { ingester, limitsOf: overrides, space })
  const deletes = deletesModule(app, { store, limitsOf: overrides })
  const frontend = defineModule({
    name: 'query-frontend',
    needs: { ingester, store, workers, deletes, limitsOf: overrides },
    start: async (needs) => {
      const { metrics, config, world } = app
      const settings = {
        maxConcurrent: config.querier.max_concurrent,
        maxWaitingPerTenant: config.frontend.max_outstanding_per_tenant,
        cachesResults: config.query_range.cache_results,
      }
      return { api: newFrontend(settings, { ...needs, metrics, budget, clock: world.clock }) }
    },
  })
  const ruler = rulerModule(app, { store, frontend, limitsOf: overrides })
  const tails = tailsModule(app, budget, { source: ingester, frontend, deletes, limitsOf: overrides })
  const upkeep = upkeepModule(app, { ingester, store, catalog, deletes, space, limitsOf: overrides })
  const toCompact = { ingester, store, catalog, workers, upkeep, space, limitsOf: overrides }
  const compaction = compactorModule(app, budget, toCompact)
  /** Opens the gate last, and on the way out closes it first and lets requests finish. */
  const traffic = defineModule({
    name: 'server',
    needs: {
      http,
      distributor,
      frontend,
      ingester,
      tails,
      rules: ruler,
      deletes,
      upkeep,
      snapshots,
      compaction,
      limitsOf: overrides,
    },
    start: async ({ http: server, upkeep: { retention }, ...behind }) => {
      app.gate.open({ ...behind, retention })
      return {
        api: server,
        stop: async () => {
          await server.drain(app.config.server.graceful_shutdown_timeout)
          app.gate.close('stopping')
        },
      }
    },
  })
  return { http, roots: [traffic, ...extraModules(app, { traffic, distributor })] }
}

type StoreModules = { readonly store: Module<ObjectStore>; readonly limitsOf: Module<LimitsOf> }

function deletesModule({ config, world }: Process, needs: StoreModules): Module<StoredDeletes> {
  const { delete_request_cancel_period: cancelPeriodMs, delete_max_interval: maxIntervalMs } = config.compactor
  return defineModule({
    name: 'deletes',
    needs,
    start: async (needed, { logger }) => ({
      api: await StoredDeletes.open({ cancelPeriodMs, maxIntervalMs }, { ...needed, world, logger }),
    }),
  })
}

type RulerModules = {
  readonly store: Module<ObjectStore>
  readonly frontend: Module<Pick<QueryFrontend, 'instant' | 'range'>>
  readonly limitsOf: Module<LimitsOf>
}

/** Without rules it reads the store from time to time, and does nothing else. */
function rulerModule({ metrics, config, world }: Process, needs: RulerModules): Module<Rules> {
  return defineModule({
    name: 'ruler',
    needs,
    start: async ({ store, frontend, limitsOf }, { logger }) => {
      const queries = frontendQueries(frontend)
      const needed = { world, metrics, logger, store, queries, limitsOf, http: httpPost() }
      const { ruler, stop } = await openRuler(config.ruler, needed)
      return { api: ruler as Rules, stop }
    },
  })
}

function catalogModule(http: Module<Listeners>, store: Module<ObjectStore>): Module<Catalog> {
  return defineModule({
    name: 'catalog',
    needs: { http, store },
    start: async (needs, { logger }) => ({ api: await Catalog.open({ store: needs.store, logger }) }),
  })
}

function lockModule({ config }: Process, http: Module<Listeners>): Module<undefined> {
  return defineModule({
    name: 'directory-lock',
    needs: { http },
    start: async (_needs, { logger }) => {
      const { dir } = config.ingester.wal
      const { isHeld, release } = await lockDirectory(dir)
      if (!isHeld) logger.warn('nothing keeps a second process away from the directory', { dir })
      return { api: undefined, stop: release }
    },
  })
}

type DistributorModules = {
  readonly ingester: Module<IngesterWriter>
  readonly limitsOf: Module<LimitsOf>
  readonly space: Module<DiskSpace>
}

function distributorModule({ config, world, metrics }: Process, needs: DistributorModules): Module<Distributor> {
  return defineModule({
    name: 'distributor',
    needs,
    start: async ({ space, ...parts }) => {
      const deps = { ...parts, metrics, clock: world.clock, refusal: () => space.refusal }
      return { api: newDistributor(config.distributor.max_inflight_bytes, deps) }
    },
  })
}

/** The name of the disk of the blocks, in messages and metrics. */
const BLOCK_VOLUME = 'blocks'

/** What is nearly full is known before anything is taken. */
function spaceModule({ config, world, metrics, insight }: Process): Module<DiskSpace> {
  return defineModule({
    name: 'disk-space',
    needs: {},
    start: async (_needs, { logger }) => {
      const { low_free, read_only_free, writable_free, check_interval } = config.disk_space
      const api = await DiskSpace.open({
        world,
        logger,
        volumes: [
          { name: 'wal', directory: config.ingester.wal.dir },
          { name: BLOCK_VOLUME, directory: config.storage_config.filesystem.directory },
        ],
        lowBytes: low_free,
        readOnlyBytes: read_only_free,
        writableBytes: writable_free,
        intervalMs: check_interval,
      })
      observeSpace(metrics, api)
      insight.space = api
      return { api, stop: async () => api.stop() }
    },
  })
}

type CompactorModules = {
  readonly ingester: Module<unknown>
  readonly store: Module<ObjectStore>
  readonly catalog: Module<Catalog>
  readonly workers: Module<WorkerPool>
  readonly upkeep: Module<OpenedUpkeep>
  readonly space: Module<DiskSpace>
  readonly limitsOf: Module<LimitsOf>
}

type UpkeepModules = {
  readonly ingester: Module<LineMemory>
  readonly store: Module<ObjectStore>
  readonly catalog: Module<Catalog>
  readonly deletes: Module<StoredDeletes>
  readonly space: Module<DiskSpace>
  readonly limitsOf: Module<LimitsOf>
}

function upkeepModule({ config, world, metrics }: Process, needs: UpkeepModules): Module<OpenedUpkeep> {
  return defineModule({
    name: 'upkeep',
    needs,
    start: async ({ space, ...parts }, { logger }) => {
      const { directory } = config.storage_config.filesystem
      const { retention_period, retention_stream, retention_bytes } = config.limits_config
      const hasRules = retention_period > 0 || retention_bytes > 0 || retention_stream.length > 0
      if (hasRules && !config.compactor.retention_enabled) {
        logger.warn('nothing is removed although retention is set: compactor.retention_enabled is false')
      }
      const api = openUpkeep(config.compactor, { ...parts, world, metrics, logger, directory })
      api.upkeep.start()
      const { retention_min_free: minFreeBytes } = config.compactor
      const unfollow = space.onBelow(BLOCK_VOLUME, minFreeBytes, () => api.upkeep.freeSpaceSoon())
      const stop = async (): Promise<void> => {
        unfollow()
        await api.upkeep.stop()
      }
      return { api, stop }
    },
  })
}

/** Begins when the ingester has replayed, and ends before it flushes for the last time. */
function compactorModule(
  { config, world, metrics }: Process,
  budget: MemoryBudget,
  needs: CompactorModules,
): Module<Compaction> {
  return defineModule({
    name: 'compactor',
    needs,
    start: async ({ upkeep: { upkeep }, space, ...parts }, { logger }) => {
      const { erasures } = upkeep
      const refusalOf = (bytes: number): Promise<Error | undefined> => space.refusalOf(BLOCK_VOLUME, bytes)
      const needed = { ...parts, world, metrics, logger, budget, erasures, refusalOf }
      const compactor = openCompactor(config.compactor, needed)
      const api: Compaction = {
        status: () => compactor.status(),
        runOnce: async (tenant) => {
          await upkeep.look()
          const run = await compactor.runOnce(tenant)
          await upkeep.look()
          return run
        },
      }
      return { api, stop: () => compactor.stop() }
    },
  })
}

type SnapshotModules = {
  readonly store: Module<ObjectStore>
  readonly catalog: Module<Catalog>
  readonly ingester: Module<IngesterControl>
  readonly space: Module<DiskSpace>
}

function snapshotsModule({ config, world, metrics }: Process, needs: SnapshotModules): Module<Snapshots> {
  return defineModule({
    name: 'snapshots',
    needs,
    start: async ({ space, ...parts }, { logger }) => {
      const { directory: blocksDirectory } = config.storage_config.filesystem
      const settings = { directory: config.snapshots.directory, blocksDirectory }
      const api = newSnapshots(settings, { ...parts, world, logger, metrics, refusal: () => space.refusal })
      return { api: api as Snapshots, stop: () => api.stop() }
    },
  })
}

type TailNeeds = {
  readonly source: Module<TailSource>
  readonly deletes: Module<StoredDeletes>
  readonly frontend: Module<Pick<QueryFrontend, 'range'>>
  readonly limitsOf: Module<LimitsOf>
}

function tailsModule({ metrics, config, world }: Process, budget: MemoryBudget, needs: TailNeeds): Module<Tails> {
  return defineModule({
    name: 'tails',
    needs,
    start: async (parts, { logger }) => {
      const maxDurationMs = config.querier.tail_max_duration
      const api = newTails({ ...parts, metrics, budget, clock: world.clock, logger, maxDurationMs })
      return { api, stop: async () => api.stop() }
    },
  })
}

type Traffic = {
  readonly traffic: Module<Listeners>
  readonly distributor: Module<Distributor>
}

/** What runs only when it is asked for: an agent, and the process's own log lines. */
function extraModules(
  { config, world, selfLogs, endpoints }: Process,
  { traffic, distributor }: Traffic,
): readonly Module<unknown>[] {
  const agent = defineModule({
    name: 'agent',
    needs: { server: traffic },
    start: async (_needs, { logger }) => {
      const targets = [{ paths: config.agent_paths, exclude: [], labels: { job: 'varlogs' } }]
      const state_dir = join(config.common.path_prefix, 'agent')
      const push = defined(
        endpoints.find(({ path }) => path === '/loki/api/v1/push'),
        'the endpoint of pushes',
      )
      const transport = ownTransport(push, config.no_auth_tenant)
      const running = await startAgent(agentConfig({ targets, state_dir }), world, logger, transport)
      return { api: undefined, stop: () => running.stop() }
    },
  })
  const ownLogs = defineModule({
    name: 'self-logs',
    needs: { distributor },
    start: async (needs) => ({ api: undefined, stop: selfLogs.start(needs.distributor, config.no_auth_tenant) }),
  })
  return [...(config.agent_paths.length > 0 ? [agent] : []), ...(config.self_logs ? [ownLogs] : [])]
}

function httpModule(app: Process): Module<Listeners> {
  return defineModule({ name: 'http', needs: {}, start: (_needs, { logger }) => startListener(app, logger) })
}

function storeModule({ config, world, metrics }: Process): Module<ObjectStore> {
  return defineModule({
    name: 'store',
    needs: {},
    start: async () => {
      const root = config.storage_config.filesystem.directory
      await refuseUnfinishedRestore(world.disk, root)
      const files = await FilesystemStore.open({ disk: world.disk, random: world.random, root })
      return { api: new MeteredStore(files, storeObserver(metrics), world.clock) as ObjectStore }
    },
  })
}

function workersModule({ config, world, metrics, insight }: Process): Module<WorkerPool> {
  return defineModule({
    name: 'workers',
    needs: {},
    start: async () => {
      const { workers } = config.querier
      const api = new WorkerPool({ clock: world.clock, ...(workers > 0 ? { threads: workers } : {}) })
      observeWorkers(metrics, api)
      insight.workers = api
      return { api, stop: () => api.close() }
    },
  })
}

function overridesModule({ config, world, metrics, insight }: Process): Module<LimitsOf> {
  return defineModule({
    name: 'runtime-config',
    needs: {},
    start: async (_needs, { logger }) => {
      const { clock, disk } = world
      const overrides = await Overrides.open({
        section: limits,
        defaults: config.limits_config,
        files: config.runtime_config.file,
        periodMs: config.runtime_config.period,
        foreignKeys: lokiLimits,
        disk,
        clock,
        logger,
        metrics,
      })
      insight.overrides = overrides
      return {
        api: ((tenant) => overrides.forTenant(tenant)) as LimitsOf,
        stop: async () => overrides.stop(),
      }
    },
  })
}

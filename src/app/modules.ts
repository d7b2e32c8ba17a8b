/** The modules of one process, and what each needs of the others. The order of start and stop follows from the needs. */
import { join } from 'node:path'

import { agentConfig } from '#/agent/config.ts'
import { startAgent } from '#/agent/agent.ts'
import { defined } from '#/kernel/assert.ts'
import type { World } from '#/kernel/world.ts'
import { limits, type LimitsOf } from '#/logs/limits.ts'
import { newDistributor } from '#/logs/roles/distributor.ts'
import { openIngester } from '#/logs/roles/ingester.ts'
import { newFrontend } from '#/logs/roles/query-frontend.ts'
import { newTails } from '#/logs/roles/tailer.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import type { Tails, TailSource } from '#/logs/wire/tail.ts'
import type { GrpcMethod } from '#/platform/grpc/grpc-method.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
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
import { Catalog } from '#/storage/catalog/catalog.ts'
import type { Config } from './config.ts'
import type { Gate } from './gate.ts'
import type { Insight } from './insight.ts'
import { type Listeners, startListener } from './listener.ts'
import { lokiLimits } from './loki-keys.ts'
import { observeBudget, observeWorkers, storeObserver } from './metrics.ts'
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

  const catalog = defineModule({
    name: 'catalog',
    needs: { http, store },
    start: async ({ store: blocks }, { logger }) => ({ api: await Catalog.open({ store: blocks, logger }) }),
  })
  const lock = defineModule({
    name: 'directory-lock',
    needs: { http },
    start: async (_, { logger }) => {
      const { dir } = app.config.ingester.wal
      const { isHeld, release } = await lockDirectory(dir)
      if (!isHeld) logger.warn('nothing keeps a second process away from the directory', { dir })
      return { api: undefined, stop: release }
    },
  })
  const ingester = defineModule({
    name: 'ingester',
    needs: { lock, store, catalog, workers, limitsOf: overrides },
    start: async (needs, { logger }) => {
      const { world, metrics, config } = app
      const api = await openIngester(config.ingester, { ...needs, world, metrics, logger, budget })
      return { api, stop: () => api.shutdown({ flush: true, deadlineMs: config.shutdown_timeout }) }
    },
  })
  const distributor = defineModule({
    name: 'distributor',
    needs: { ingester, limitsOf: overrides },
    start: async (needs) => {
      const { metrics, config, world } = app
      return { api: newDistributor(config.distributor.max_inflight_bytes, { ...needs, metrics, clock: world.clock }) }
    },
  })
  const frontend = defineModule({
    name: 'query-frontend',
    needs: { ingester, store, workers, limitsOf: overrides },
    start: async (needs) => {
      const { metrics, config, world } = app
      const settings = {
        maxConcurrent: config.querier.max_concurrent,
        maxWaitingPerTenant: config.frontend.max_outstanding_per_tenant,
      }
      return { api: newFrontend(settings, { ...needs, metrics, budget, clock: world.clock }) }
    },
  })
  const tails = tailsModule(app, budget, { source: ingester, frontend, limitsOf: overrides })
  /** Opens the gate last, and on the way out closes it first and lets requests finish. */
  const traffic = defineModule({
    name: 'server',
    needs: { http, distributor, frontend, ingester, tails, limitsOf: overrides },
    start: async ({ http: server, ...behind }) => {
      app.gate.open(behind)
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

type TailNeeds = {
  readonly source: Module<TailSource>
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
  readonly distributor: Module<ReturnType<typeof newDistributor>>
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

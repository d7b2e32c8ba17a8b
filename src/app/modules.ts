/** The modules of one process, and what each needs of the others. The order of start and stop follows from the needs. */
import { join } from 'node:path'

import { agentConfig } from '#/agent/config.ts'
import { startAgent } from '#/agent/agent.ts'
import type { World } from '#/kernel/world.ts'
import { limits, type LimitsOf } from '#/logs/limits.ts'
import { newDistributor } from '#/logs/roles/distributor.ts'
import { openIngester } from '#/logs/roles/ingester.ts'
import { newFrontend } from '#/logs/roles/query-frontend.ts'
import { HttpServer } from '#/platform/http/http-server.ts'
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
import { Catalog } from '#/storage/catalog/catalog.ts'
import type { Config } from './config.ts'
import type { Gate } from './gate.ts'
import { lokiLimits } from './loki-keys.ts'
import type { SelfLogs } from './self-logs.ts'
import { observeBudget, observeWorkers, storeObserver } from './metrics.ts'

export type Process = {
  readonly config: Config
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly gate: Gate
  readonly selfLogs: SelfLogs
  readonly endpoints: readonly Endpoint[]
}

export type EddaModules = {
  /** Listens from the beginning; endpoints answer once the gate is open. */
  readonly http: Module<HttpServer>
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
  const ingester = defineModule({
    name: 'ingester',
    needs: { store, catalog, workers, limitsOf: overrides },
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
  /** Opens the gate last, and on the way out closes it first and lets requests finish. */
  const traffic = defineModule({
    name: 'server',
    needs: { http, distributor, frontend, ingester, limitsOf: overrides },
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

type Traffic = {
  readonly traffic: Module<HttpServer>
  readonly distributor: Module<ReturnType<typeof newDistributor>>
}

/** What runs only when it is asked for: an agent, and the process's own log lines. */
function extraModules(
  { config, world, selfLogs }: Process,
  { traffic, distributor }: Traffic,
): readonly Module<unknown>[] {
  const agent = defineModule({
    name: 'agent',
    needs: { server: traffic },
    start: async ({ server }, { logger }) => {
      const url = `http://127.0.0.1:${server.port}${config.server.http_path_prefix}`
      const targets = [{ paths: config.agent_paths, exclude: [], labels: { job: 'varlogs' } }]
      const state_dir = join(config.common.path_prefix, 'agent')
      const tenant = config.auth_enabled ? config.no_auth_tenant : ''
      const running = await startAgent(agentConfig({ url, targets, state_dir, tenant }), world, logger)
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

function httpModule({ config, world, metrics, endpoints }: Process): Module<HttpServer> {
  return defineModule({
    name: 'http',
    needs: {},
    start: async (_needs, { logger }) => {
      const { server, frontend } = config
      const api = await HttpServer.start(
        {
          address: server.http_listen_address,
          port: server.http_listen_port,
          pathPrefix: server.http_path_prefix,
          tenantRules: {
            isAuthEnabled: config.auth_enabled,
            noAuthTenant: config.no_auth_tenant,
            isMultiTenantAllowed: false,
          },
          maxBodyBytes: frontend.max_body_size,
          readTimeoutMs: server.http_server_read_timeout,
          writeTimeoutMs: server.http_server_write_timeout,
          idleTimeoutMs: server.http_server_idle_timeout,
          maxConnections: server.http_listen_conn_limit,
          compressResponses: frontend.compress_responses,
          logRequestsAtInfo: false,
        },
        { endpoints, logger, metrics, clock: world.clock, random: world.random },
      )
      // the modules behind stop before this one, and drain it; this is for a start that fails half way
      return { api, stop: () => api.drain(0) }
    },
  })
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

function workersModule({ config, world, metrics }: Process): Module<WorkerPool> {
  return defineModule({
    name: 'workers',
    needs: {},
    start: async () => {
      const { workers } = config.querier
      const api = new WorkerPool({ clock: world.clock, ...(workers > 0 ? { threads: workers } : {}) })
      observeWorkers(metrics, api)
      return { api, stop: () => api.close() }
    },
  })
}

function overridesModule({ config, world, metrics }: Process): Module<LimitsOf> {
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
      return {
        api: ((tenant) => overrides.forTenant(tenant)) as LimitsOf,
        stop: async () => overrides.stop(),
      }
    },
  })
}

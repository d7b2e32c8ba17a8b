/** Runs the server: configuration in, modules up, and down again when somebody says stop. */
import { readEndpoints } from '#/logs/api/index.ts'
import { flushTenantEndpoint } from '#/logs/api/flush-tenant.ts'
import { flushEndpoint } from '#/logs/api/flush.ts'
import { ingesterShutdownEndpoint } from '#/logs/api/ingester-shutdown.ts'
import { legacyPushEndpoint, pushEndpoint } from '#/logs/api/push-loki.ts'
import { otlpEndpoint } from '#/logs/api/push-otlp.ts'
import type { Clock, World } from '#/kernel/world.ts'
import { renderConfig } from '#/platform/config/render.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { ModuleSet } from '#/platform/modules/module-set.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { newLogger, type RootLogger } from '#/platform/telemetry/pino-logger.ts'
import { type Config, sections } from './config.ts'
import { buildinfoEndpoint } from './endpoints/buildinfo.ts'
import { configEndpoint } from './endpoints/config.ts'
import { logLevelEndpoint } from './endpoints/log-level.ts'
import { metricsEndpoint } from './endpoints/metrics.ts'
import { readyEndpoint } from './endpoints/ready.ts'
import { servicesEndpoint } from './endpoints/services.ts'
import { Gate } from './gate.ts'
import { eddaModules } from './modules.ts'
import { SelfLogs } from './self-logs.ts'
import { version } from './version.ts'

export type RunningServer = {
  /** `127.0.0.1:3100`, to be shown to people. */
  readonly address: string
  /** Resolves with what went wrong when a module fails, or with undefined when a request asked the process to stop. */
  readonly ended: Promise<unknown>
  /** Orderly: not ready, `shutdown_delay`, drain, flush, close. Gives what went wrong. */
  stop(): Promise<readonly unknown[]>
}

export type ServerOptions = {
  readonly config: Config
  readonly warnings: readonly string[]
  readonly world: World
  /** Takes a log line with its newline. */
  readonly writeLog: (line: string) => void
}

export async function startServer({ config, warnings, world, writeLog }: ServerOptions): Promise<RunningServer> {
  const selfLogs = new SelfLogs(world.clock)
  const logger = newLogger({
    clock: world.clock,
    level: config.server.log_level,
    format: config.server.log_format,
    write: (line) => {
      writeLog(line)
      if (config.self_logs) selfLogs.write(line)
    },
  })
  for (const warning of warnings) logger.warn(warning)
  const metrics = new Metrics()
  metrics.addProcessMetrics({ version: version.edda, revision: version.revision, branch: version.branch })
  const gate = new Gate()
  const asked = Promise.withResolvers<undefined>()
  let isStopping = false
  let services: () => readonly { readonly name: string; readonly state: string }[] = () => []
  const endpoints = processEndpoints({
    config,
    clock: world.clock,
    logger,
    metrics,
    gate,
    services: () => services(),
    isStopping: () => isStopping,
    terminate: () => asked.resolve(undefined),
  })
  const { http, roots } = eddaModules({ config, world, logger, metrics, gate, selfLogs, endpoints })
  const modules = new ModuleSet(roots, logger)
  services = () => modules.services()
  const startedMs = world.clock.monotonicMs()
  await modules.start()
  const host = config.server.http_listen_address || '0.0.0.0'
  const address = `${host}:${modules.api(http).port}`
  const seconds = Math.round(world.clock.monotonicMs() - startedMs) / 1000
  logger.info('listening', { http: address, target: config.target.join(','), seconds })
  return {
    address,
    ended: Promise.race([modules.failure, asked.promise]),
    stop: async () => {
      isStopping = true
      logger.info('stopping')
      if (config.shutdown_delay > 0) await world.clock.sleep(config.shutdown_delay)
      const problems = await modules.stop()
      logger.info('stopped', { problems: problems.length })
      return problems
    },
  }
}

type EndpointNeeds = {
  readonly config: Config
  readonly clock: Clock
  readonly logger: RootLogger
  readonly metrics: Metrics
  readonly gate: Gate
  readonly services: () => readonly { readonly name: string; readonly state: string }[]
  readonly isStopping: () => boolean
  readonly terminate: () => void
}

function processEndpoints({
  config,
  clock,
  logger,
  metrics,
  gate,
  services,
  isStopping,
  terminate,
}: EndpointNeeds): readonly Endpoint[] {
  const pushDeps = {
    distributor: gate.distributor,
    bodyLimits: {
      maxCompressedBytes: config.distributor.max_recv_msg_size,
      maxDecompressedBytes: config.distributor.max_decompressed_size,
    },
  }
  const notReady = (): string | undefined => {
    if (isStopping()) return 'Application is stopping'
    if (gate.isOpen) return undefined
    const counts = Map.groupBy(services(), ({ state }) => state)
    return `Some services are not Running:\n${[...counts].map(([state, list]) => `${state}: ${list.length}`).join('\n')}`
  }
  return [
    pushEndpoint(pushDeps),
    legacyPushEndpoint(pushDeps),
    otlpEndpoint({
      ...pushDeps,
      logger,
      limitsOf: gate.limitsOf,
      nowNs: () => clock.nowNs(),
      defaultIndexLabels: config.distributor.otlp_config.default_resource_attributes_as_index_labels,
    }),
    ...readEndpoints({ frontend: gate.frontend, clock }),
    flushEndpoint(gate.ingester),
    flushTenantEndpoint(gate.ingester),
    ingesterShutdownEndpoint({ ingester: gate.ingester, isRunning: () => gate.isOpen && !isStopping(), terminate }),
    readyEndpoint(notReady),
    metricsEndpoint(async () => ({ contentType: metrics.contentType, text: await metrics.text() })),
    servicesEndpoint(services),
    configEndpoint((mode) => renderConfig(sections, config, mode)),
    logLevelEndpoint({
      get: () => logger.level,
      set: (level) => {
        logger.level = level as typeof logger.level
      },
    }),
    buildinfoEndpoint(),
  ]
}

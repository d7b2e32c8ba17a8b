/** Runs the server: configuration in, modules up, and down again when somebody says stop. */
import type { World } from '#/kernel/world.ts'
import { ModuleSet } from '#/platform/modules/module-set.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { newLogger } from '#/platform/telemetry/pino-logger.ts'
import type { Config } from './config.ts'
import { allEndpoints, allGrpcMethods, type EndpointNeeds } from './endpoints/index.ts'
import { Gate } from './gate.ts'
import type { Insight } from './insight.ts'
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
  const insight: Insight = { workers: undefined, space: undefined, overrides: undefined }
  const needs: EndpointNeeds = {
    config,
    world,
    logger,
    metrics,
    gate,
    insight,
    services: () => services(),
    isStopping: () => isStopping,
    terminate: () => asked.resolve(undefined),
  }
  const tables = { endpoints: allEndpoints(needs), grpcMethods: allGrpcMethods(needs) }
  const { http, roots } = eddaModules({ config, world, logger, metrics, gate, insight, selfLogs, ...tables })
  const modules = new ModuleSet(roots, logger)
  services = () => modules.services()
  const startedMs = world.clock.monotonicMs()
  await modules.start()
  const host = config.server.http_listen_address || '0.0.0.0'
  const { port, grpcPort } = modules.api(http)
  const address = `${host}:${port}`
  const seconds = Math.round(world.clock.monotonicMs() - startedMs) / 1000
  const tls = config.server.http_tls_config.cert_file === '' ? {} : { tls: true }
  const grpc = grpcPort === undefined ? {} : { grpc: grpcPort }
  logger.info('listening', { http: address, ...grpc, ...tls, target: config.target.join(','), seconds })
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

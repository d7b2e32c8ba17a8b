/** The table of all routes of the process. The API reference follows from it. */
import { WorkMemoryPool } from '#/platform/memory/work-memory.ts'
import type { World } from '#/kernel/world.ts'
import { deleteEndpoints } from '#/logs/api/delete.ts'
import { flushTenantEndpoint } from '#/logs/api/flush-tenant.ts'
import { flushEndpoint } from '#/logs/api/flush.ts'
import { readEndpoints } from '#/logs/api/index.ts'
import { ingesterShutdownEndpoint } from '#/logs/api/ingester-shutdown.ts'
import { prepareShutdownEndpoint } from '#/logs/api/prepare-shutdown.ts'
import { legacyPushEndpoint, pushEndpoint } from '#/logs/api/push-loki.ts'
import type { OtlpReaderDeps } from '#/logs/api/otlp-reader.ts'
import { otlpGrpcMethod, otlpGrpcService } from '#/logs/api/push-otlp-grpc.ts'
import { otlpEndpoint } from '#/logs/api/push-otlp.ts'
import { retentionEndpoint } from '#/logs/api/retention.ts'
import { tailEndpoints } from '#/logs/api/tail.ts'
import { drilldownLimitsEndpoint, tenantLimitsEndpoint } from '#/logs/api/tenant-limits.ts'
import { ShutdownMarker } from '#/logs/write/ingester/shutdown-marker.ts'
import { type Config, sections } from '#/app/config.ts'
import type { Gate } from '#/app/gate.ts'
import type { Insight } from '#/app/insight.ts'
import { hasCredentials } from '#/app/config-views.ts'
import { version } from '#/app/version.ts'
import { renderConfig } from '#/platform/config/render.ts'
import { spaceLines } from '#/platform/disk-space/disk-space.ts'
import { DebugTools } from '#/platform/debug/debug-tools.ts'
import type { GrpcMethod } from '#/platform/grpc/grpc-method.ts'
import { healthMethod } from '#/platform/grpc/health.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { RootLogger } from '#/platform/telemetry/pino-logger.ts'
import { ruleEndpoints } from '#/ruler/api/rule-endpoints.ts'
import { statusEndpoints } from '#/ruler/api/status-endpoints.ts'
import { buildinfoEndpoint } from './buildinfo.ts'
import { compactorEndpoints } from './compactor.ts'
import { configEndpoint } from './config.ts'
import { type DebugEndpointDeps, debugEndpoints } from './debug.ts'
import { logLevelEndpoint } from './log-level.ts'
import { metricsEndpoint } from './metrics.ts'
import { withOpenApi } from './openapi.ts'
import { readyEndpoint } from './ready.ts'
import { ringEndpoints } from './rings.ts'
import { runtimeConfigEndpoint } from './runtime-config.ts'
import { type ServiceStates, servicesEndpoint } from './services.ts'
import { snapshotEndpoints } from './snapshots.ts'

export type EndpointNeeds = {
  readonly config: Config
  readonly world: World
  readonly logger: RootLogger
  readonly metrics: Metrics
  readonly gate: Gate
  readonly insight: Insight
  readonly services: ServiceStates
  readonly isStopping: () => boolean
  readonly terminate: () => void
}

export function allEndpoints(needs: EndpointNeeds): readonly Endpoint[] {
  const { gate, world, config } = needs
  const endpoints = [
    ...pushEndpoints(needs),
    ...readEndpoints({ frontend: gate.frontend, clock: world.clock }),
    ...deleteEndpoints({ deletes: gate.deletes, limitsOf: gate.limitsOf, clock: world.clock }),
    ...tailEndpoints({ tails: gate.tails, clock: world.clock }),
    ...rulesEndpoints(needs),
    ...limitEndpoints(needs),
    ...ingesterEndpoints(needs),
    ...snapshotEndpoints(gate.snapshots),
    ...compactorEndpoints(gate.compaction),
    retentionEndpoint(gate.retention),
    ...processEndpoints(needs),
    ...debugEndpoints(debugDeps(needs)),
    ...ringEndpoints(world.clock),
  ]
  const options = { pathPrefix: config.server.http_path_prefix, needsCredentials: hasCredentials(config) }
  return withOpenApi(endpoints, options)
}

/** The table of all methods over gRPC. */
export function allGrpcMethods(needs: EndpointNeeds): readonly GrpcMethod[] {
  const isReady = (): boolean => notReady(needs) === undefined
  return [
    otlpGrpcMethod({ distributor: needs.gate.distributor, ...otlpRules(needs) }),
    healthMethod([otlpGrpcService], isReady),
  ]
}

/** Memory that pushes leave to the next ones: some pushes of 1 MB at a time. */
const idlePushBytes = 16 * 1024 * 1024

function pushEndpoints(needs: EndpointNeeds): readonly Endpoint[] {
  const { config, gate, logger } = needs
  const deps = {
    distributor: gate.distributor,
    bodyLimits: {
      maxCompressedBytes: config.distributor.max_recv_msg_size,
      maxDecompressedBytes: config.distributor.max_decompressed_size,
    },
    memory: new WorkMemoryPool(idlePushBytes),
  }
  return [pushEndpoint(deps), legacyPushEndpoint(deps), otlpEndpoint({ ...deps, logger, ...otlpRules(needs) })]
}

function otlpRules({ config, gate, world }: EndpointNeeds): OtlpReaderDeps {
  return {
    limitsOf: gate.limitsOf,
    nowNs: () => world.clock.nowNs(),
    defaultIndexLabels: config.distributor.otlp_config.default_resource_attributes_as_index_labels,
  }
}

function rulesEndpoints({ config, gate }: EndpointNeeds): readonly Endpoint[] {
  const { rules, limitsOf } = gate
  return config.ruler.enable_api ? [...ruleEndpoints({ rules, limitsOf }), ...statusEndpoints(rules)] : []
}

function limitEndpoints({ config, gate }: EndpointNeeds): readonly Endpoint[] {
  const deps = {
    limitsOf: gate.limitsOf,
    published: config.tenant_limits_allow_publish,
    version: version.version,
  }
  return [drilldownLimitsEndpoint(deps), tenantLimitsEndpoint(deps)]
}

function ingesterEndpoints({ config, gate, world, isStopping, terminate }: EndpointNeeds): readonly Endpoint[] {
  const directory = config.ingester.shutdown_marker_path
  const marker = directory === '' ? undefined : new ShutdownMarker(world.disk, directory)
  return [
    flushEndpoint(gate.ingester),
    flushTenantEndpoint(gate.ingester),
    ingesterShutdownEndpoint({ ingester: gate.ingester, isRunning: () => gate.isOpen && !isStopping(), terminate }),
    prepareShutdownEndpoint({ marker, clock: world.clock }),
  ]
}

function processEndpoints(needs: EndpointNeeds): readonly Endpoint[] {
  const { config, logger, metrics, insight, services } = needs
  return [
    readyEndpoint(
      () => notReady(needs),
      services,
      () => spaceLines(insight.space?.volumes() ?? []),
    ),
    metricsEndpoint(async () => ({ contentType: metrics.contentType, text: await metrics.text() })),
    servicesEndpoint(services),
    configEndpoint((mode) => renderConfig(sections, config, mode)),
    runtimeConfigEndpoint((mode) => insight.overrides?.render(mode)),
    logLevelEndpoint({
      get: () => logger.level,
      set: (level) => {
        logger.level = level as typeof logger.level
      },
    }),
    buildinfoEndpoint(),
  ]
}

function notReady({ gate, services, isStopping }: EndpointNeeds): string | undefined {
  if (isStopping()) return 'Application is stopping'
  if (gate.isOpen) return undefined
  const counts = Map.groupBy(services(), ({ state }) => state)
  return `Some services are not Running:\n${[...counts].map(([state, list]) => `${state}: ${list.length}`).join('\n')}`
}

const loopback = /^(127(\.\d{1,3}){3}|::1|localhost)$/

function debugDeps({ config, world, insight }: EndpointNeeds): DebugEndpointDeps {
  const { debug_endpoints: wanted, http_listen_address: address } = config.server
  const byItself = hasCredentials(config) ? 'all' : loopback.test(address) ? 'local' : 'nobody'
  const openTo = { on: 'all', off: 'nobody', auto: byItself } as const
  const tools = new DebugTools({
    clock: world.clock,
    workers: () => insight.workers?.liveThreads ?? [],
    availableBytes: () => process.availableMemory(),
  })
  return { tools, openTo: openTo[wanted], pool: () => insight.workers?.stats() ?? {} }
}

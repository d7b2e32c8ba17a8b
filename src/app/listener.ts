/** Where the process listens: HTTP, and gRPC where it is on, with what stands before both: certificates, and credentials. */
import { Authenticator } from '#/platform/auth/authenticator.ts'
import { Credentials } from '#/platform/auth/credential-file.ts'
import type { GrpcServer, GrpcServerDeps, GrpcServerOptions } from '#/platform/grpc/grpc-server.ts'
import type { AccessControl } from '#/platform/http/access.ts'
import { HttpServer, type HttpServerOptions } from '#/platform/http/http-server.ts'
import type { Started } from '#/platform/modules/module.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { TenantRules } from '#/platform/tenant/tenant-id.ts'
import { ServerTls } from '#/platform/tls/server-tls.ts'
import type { Config } from './config.ts'
import { hasCredentials, tlsOptions } from './config-views.ts'
import type { Process } from './modules.ts'

export type Listeners = {
  /** Of HTTP. */
  readonly port: number
  /** Undefined while gRPC is off. */
  readonly grpcPort: number | undefined
  /** Both take no more requests, and finish those that they have within `graceMs`. */
  readonly drain: (graceMs: number) => Promise<void>
}

export async function startListener(app: Process, logger: Logger): Promise<Started<Listeners>> {
  const { config, world, metrics, endpoints, grpcMethods } = app
  const closing: (() => void)[] = []
  const access = await openAccess(app, logger, closing)
  const tls = await openTls(app, logger, closing)
  const deps = { access, logger, metrics, clock: world.clock, random: world.random }
  const http = await HttpServer.start({ ...httpOptions(config), tls: tls?.material }, { ...deps, endpoints })
  const grpc =
    config.server.grpc_listen_port === 0
      ? undefined
      : await startGrpc({ ...grpcOptions(config), tls: tls?.material }, { ...deps, methods: grpcMethods }, http)
  tls?.onChange((material) => {
    http.setTls(material)
    grpc?.setTls(material)
  })
  const drain = async (graceMs: number): Promise<void> => {
    await Promise.all([http.drain(graceMs), grpc?.drain(graceMs)])
  }
  const stop = async (): Promise<void> => {
    // the modules behind stop before this one, and drain it; this is for a start that fails half way
    await drain(0)
    for (const close of closing) close()
  }
  return { api: { port: http.port, grpcPort: grpc?.port, drain }, stop }
}

async function startGrpc(options: GrpcServerOptions, deps: GrpcServerDeps, http: HttpServer): Promise<GrpcServer> {
  try {
    // 20 MB of memory, which nobody should pay who has gRPC off
    const grpc = await import('#/platform/grpc/grpc-server.ts')
    return await grpc.GrpcServer.start(options, deps)
  } catch (error) {
    await http.drain(0)
    throw error
  }
}

function tenantRules(config: Config): TenantRules {
  return {
    isAuthEnabled: config.auth_enabled,
    noAuthTenant: config.no_auth_tenant,
    isMultiTenantAllowed: config.querier.multi_tenant_queries_enabled,
  }
}

function grpcOptions(config: Config): GrpcServerOptions {
  const { server } = config
  return {
    address: server.grpc_listen_address || server.http_listen_address,
    port: server.grpc_listen_port,
    tenantRules: tenantRules(config),
    maxMessageBytes: server.grpc_server_max_recv_msg_size,
    maxConcurrentCalls: server.grpc_server_max_concurrent_streams,
    maxConnections: server.grpc_listen_conn_limit,
    readTimeoutMs: server.http_server_read_timeout,
    handleTimeoutMs: server.http_server_write_timeout,
  }
}

function httpOptions(config: Config): HttpServerOptions {
  const { server, frontend } = config
  return {
    address: server.http_listen_address,
    port: server.http_listen_port,
    pathPrefix: server.http_path_prefix,
    tenantRules: tenantRules(config),
    maxBodyBytes: frontend.max_body_size,
    readTimeoutMs: server.http_server_read_timeout,
    writeTimeoutMs: server.http_server_write_timeout,
    idleTimeoutMs: server.http_server_idle_timeout,
    maxConnections: server.http_listen_conn_limit,
    compressResponses: frontend.compress_responses,
    logRequestsAtInfo: false,
  }
}

async function openAccess(
  { config, world, metrics }: Process,
  logger: Logger,
  closing: (() => void)[],
): Promise<AccessControl | undefined> {
  if (!hasCredentials(config)) return undefined
  const { file, period, credentials: fixed, open_paths: openPaths, max_password_checks: maxChecks } = config.auth
  const { disk, clock, random } = world
  const directory = await Credentials.open({ fixed, file, periodMs: period, disk, clock, logger, metrics })
  closing.push(() => directory.stop())
  return new Authenticator({ maxChecks, openPaths }, { clock, random, metrics, directory })
}

async function openTls(
  { config, world, metrics }: Process,
  logger: Logger,
  closing: (() => void)[],
): Promise<ServerTls | undefined> {
  const options = tlsOptions(config)
  if (options.certFile === '') return undefined
  const tls = await ServerTls.open(options, { disk: world.disk, clock: world.clock, logger, metrics })
  closing.push(() => tls.stop())
  return tls
}

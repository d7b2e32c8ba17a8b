/**
 * Serves tables of methods over gRPC, with the same rules as HTTP: who calls and for which tenant is checked before a message is
 * read, errors become a status, every call is counted and logged, and a stop lets calls in flight finish.
 */
import type { AddressInfo, Socket } from 'node:net'

import { type sendUnaryData, Server, ServerCredentials, status } from '@grpc/grpc-js'

import { BadRequest, EddaError, errorStatus, TimedOut, Unavailable } from '#/kernel/errors.ts'
import type { Clock, Random } from '#/kernel/world.ts'
import type { AccessControl } from '#/platform/http/access.ts'
import type { ListenerTls } from '#/platform/http/listener.ts'
import { type RequestMetrics, requestMetrics } from '#/platform/http/request-metrics.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { type AllowedTenants, type TenantRules, tenantFrom } from '#/platform/tenant/tenant-id.ts'
import { GrpcCall, type RawCall } from './grpc-call.ts'
import { type GrpcListener, newGrpcListener } from './grpc-listener.ts'
import type { GrpcMethod } from './grpc-method.ts'
import { grpcStatus, statusName } from './grpc-status.ts'

export type GrpcServerOptions = {
  /** Empty: all interfaces. */
  readonly address: string
  /** 0: any free port. */
  readonly port: number
  readonly tenantRules: TenantRules
  /** Largest message, as sent and after decompression. */
  readonly maxMessageBytes: number
  /** Most calls at once on one connection. */
  readonly maxConcurrentCalls: number
  /** Most connections at once; 0: no limit. */
  readonly maxConnections: number
  /** Longest time to receive a message, and to agree on TLS. */
  readonly readTimeoutMs: number
  /** Longest time to handle a message; 0: for ever. */
  readonly handleTimeoutMs: number
  /** Undefined: connections are not encrypted. */
  readonly tls?: ListenerTls | undefined
}

export type GrpcServerDeps = {
  readonly methods: readonly GrpcMethod[]
  /** Undefined: everybody may do everything. */
  readonly access?: AccessControl | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}

/** A connection whose client does not answer is closed after both together. */
const keepaliveTimeMs = 60_000
const keepaliveTimeoutMs = 20_000
/** How long the last answers may take to their clients, once all calls are done or cut off. */
const cutGraceMs = 500
/** Ends of calls that are the server's fault. */
const failures: ReadonlySet<number> = new Set([status.INTERNAL, status.UNAVAILABLE, status.DEADLINE_EXCEEDED])
/** What metrics call the method of every call. */
const metricMethod = 'gRPC'

export class GrpcServer {
  readonly #options: GrpcServerOptions
  readonly #deps: GrpcServerDeps
  readonly #metrics: RequestMetrics
  readonly #server: Server
  readonly #listener: GrpcListener
  readonly #active = new Set<GrpcCall>()
  #isDraining = false
  #onIdle: () => void = () => undefined

  private constructor(options: GrpcServerOptions, deps: GrpcServerDeps) {
    this.#options = options
    this.#deps = deps
    this.#metrics = requestMetrics(deps.metrics)
    this.#server = new Server({
      'grpc.max_receive_message_length': options.maxMessageBytes,
      'grpc.max_concurrent_streams': options.maxConcurrentCalls,
      'grpc.keepalive_time_ms': keepaliveTimeMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      'grpc.enable_channelz': 0,
    })
    for (const method of deps.methods) this.#add(method)
    // what comes from the listener is decrypted already
    const connections = this.#server.createConnectionInjector(ServerCredentials.createInsecure())
    const take = (connection: Socket): void => connections.injectConnection(connection)
    this.#listener = newGrpcListener(options.readTimeoutMs, options.tls, take)
    if (options.maxConnections > 0) this.#listener.server.maxConnections = options.maxConnections
  }

  /** Resolves when the server listens. @throws Node's error when the address is taken. */
  static async start(options: GrpcServerOptions, deps: GrpcServerDeps): Promise<GrpcServer> {
    const server = new GrpcServer(options, deps)
    await server.#listen(options.address === '' ? '::' : options.address).catch((error: NodeJS.ErrnoException) => {
      const isWithoutIpv6 = options.address === '' && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(error.code ?? '')
      if (!isWithoutIpv6) throw error
      return server.#listen('0.0.0.0')
    })
    return server
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#listener.server.address() as AddressInfo).port
  }

  /** Other certificates, for the next connections. */
  setTls(tls: ListenerTls): void {
    this.#listener.setTls(tls)
  }

  /** Takes no more connections and calls, lets those in flight finish within `graceMs`, then cuts the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true
    const closed = new Promise<void>((resolve) => this.#listener.server.close(() => resolve()))
    // tells clients; each connection closes behind its last call. When that is, the library does not know in recent Nodes
    this.#server.tryShutdown(() => undefined)
    await this.#untilIdle(graceMs)
    if (this.#active.size > 0) {
      this.#deps.logger.warn('gRPC calls are cut off', { count: this.#active.size })
      for (const call of this.#active) call.abort(new Unavailable('server is stopping'))
    }
    await this.#within(cutGraceMs, closed)
    this.#server.forceShutdown()
    this.#listener.cutAll()
    await closed
  }

  #listen(host: string): Promise<void> {
    const { server } = this.#listener
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port: this.#options.port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  }

  /**
   * Methods are registered as if their clients sent a stream, which is the same on the wire, and lets us refuse a call before its
   * message is read.
   */
  #add(method: GrpcMethod): void {
    const read = (message: Buffer): Buffer => message
    const write = ({ buffer, byteOffset, length }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, length)
    const handler = (raw: RawCall, reply: sendUnaryData<Uint8Array>): void => void this.#serve(method, raw, reply)
    this.#server.register(method.path, handler as never, write, read, 'clientStream')
  }

  async #serve(method: GrpcMethod, raw: RawCall, reply: sendUnaryData<Uint8Array>): Promise<void> {
    const call = new GrpcCall(method.path, raw, this.#deps.clock.monotonicMs())
    this.#active.add(call)
    this.#metrics.started(metricMethod, method.path)
    try {
      reply(null, await Promise.race([this.#run(method, call), call.aborted()]))
    } catch (error) {
      call.error = this.#foreseen(error)
      reply(grpcStatus(call.error))
    } finally {
      this.#end(call)
    }
  }

  async #run(method: GrpcMethod, call: GrpcCall): Promise<Uint8Array> {
    if (this.#isDraining) throw new Unavailable('server is stopping')
    const { readTimeoutMs, handleTimeoutMs } = this.#options
    call.tenant = await this.#admit(method, call)
    const message = await this.#orLate(call, readTimeoutMs, call.message())
    const { headers, tenant, signal } = call
    return this.#orLate(call, handleTimeoutMs, method.handle({ message, headers, tenant, signal }))
  }

  async #admit(method: GrpcMethod, { headers, remoteAddress, signal }: GrpcCall): Promise<string> {
    const { access } = this.#deps
    let tenants: AllowedTenants = 'any'
    if (access !== undefined) {
      if (headers.authorization?.includes(', ') === true) throw new BadRequest('more than one authorization')
      const path = method.sameAsPath ?? method.path
      tenants = (await access.admit({ headers, remoteAddress, path, access: method.access }, signal)).tenants
    }
    if (method.tenant === 'none') return ''
    return tenantFrom(headers, { ...this.#options.tenantRules, isMultiTenantAllowed: false }, tenants)
  }

  /** Aborts the call when `work` takes longer. */
  async #orLate<T>(call: GrpcCall, limitMs: number, work: Promise<T>): Promise<T> {
    if (limitMs <= 0) return work
    const done = new AbortController()
    this.#deps.clock.sleep(limitMs, done.signal).then(
      () => call.abort(new TimedOut(`the call took longer than ${limitMs / 1000} s`)),
      () => undefined,
    )
    // work on a call that has ended may never end
    return Promise.race([work, call.aborted()]).finally(() => done.abort())
  }

  async #untilIdle(limitMs: number): Promise<void> {
    if (this.#active.size === 0) return
    await this.#within(limitMs, new Promise<void>((resolve) => (this.#onIdle = resolve)))
  }

  async #within(limitMs: number, work: Promise<void>): Promise<void> {
    const done = new AbortController()
    const late = this.#deps.clock.sleep(limitMs, done.signal).catch(() => undefined)
    await Promise.race([work, late])
    done.abort()
  }

  #end(call: GrpcCall): void {
    const { path, startMs, error, tenant, remoteAddress } = call
    this.#active.delete(call)
    if (this.#active.size === 0) this.#onIdle()
    const seconds = (this.#deps.clock.monotonicMs() - startMs) / 1000
    const code = error === undefined ? status.OK : errorStatus[error.code].grpc
    this.#metrics.ended({ method: metricMethod, route: path, status: statusName(code), seconds, isWebSocket: false })
    const level = failures.has(code) ? 'warn' : code === status.OK || code === status.CANCELLED ? 'debug' : 'info'
    this.#deps.logger[level]('call', {
      method: path,
      status: status[code],
      duration: `${seconds.toFixed(6)}s`,
      ...(tenant === '' ? {} : { tenant }),
      remote: remoteAddress,
      ...(error === undefined ? {} : { err: error }),
    })
  }

  /** An error that may be shown. What nobody foresaw is logged whole, under an id that is shown instead. */
  #foreseen(thrown: unknown): EddaError {
    if (thrown instanceof EddaError) return thrown
    const id = this.#deps.random.bytes(8).toString('hex')
    const { stack, message } = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#deps.logger.error('call failed unexpectedly', { id, err: message, stack })
    // exporters take INTERNAL for good
    return new Unavailable(`internal error ${id}`)
  }
}

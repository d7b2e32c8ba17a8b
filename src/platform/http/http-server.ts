/**
 * Serves tables of endpoints on fastify: reads bodies as raw bytes with limits, finds out the tenant, runs the handler, turns
 * errors into answers, and counts and logs every request.
 *
 * A handler that throws what nobody foresaw fails its own request with 500 and an id; the process lives.
 */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { EddaError, NotFound, TimedOut, Unavailable } from '#/kernel/errors.ts'
import type { Clock, Random } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { type TenantRules, tenantFrom } from '#/platform/tenant/tenant-id.ts'
import { ActiveRequest } from './active-request.ts'
import { type Endpoint, type HttpReply, textReply } from './endpoint.ts'
import { bodyTooLarge, errorReply, internalError } from './error-reply.ts'
import { asOurs, newFastify } from './fastify-app.ts'
import { type RequestMetrics, requestMetrics, routeName } from './request-metrics.ts'
import { acceptsGzip, writeReply } from './write-reply.ts'

export type HttpServerOptions = {
  /** Empty: all interfaces. */
  readonly address: string
  /** 0: any free port. */
  readonly port: number
  /** Before every route, e.g. `/loki`. */
  readonly pathPrefix: string
  readonly tenantRules: TenantRules
  /** Largest body of endpoints that do not say. */
  readonly maxBodyBytes: number
  /** Longest time to receive a request. */
  readonly readTimeoutMs: number
  /** Longest time until the answer begins, and without a byte taken by the client from then on; 0: for ever. */
  readonly writeTimeoutMs: number
  /** How long a connection may stay open between requests. */
  readonly idleTimeoutMs: number
  /** Most connections at once; 0: no limit. */
  readonly maxConnections: number
  readonly compressResponses: boolean
  readonly logRequestsAtInfo: boolean
}

export type HttpServerDeps = {
  readonly endpoints: readonly Endpoint[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}

const sweepMs = 250
/** How long requests have to notice that the server stops, once the time for finishing is over. */
const cutGraceMs = 500
const allMethods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'] as const
const formType = /^application\/x-www-form-urlencoded\s*(;|$)/i

export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #metrics: RequestMetrics
  readonly #app: FastifyInstance
  readonly #active = new Map<IncomingMessage, ActiveRequest>()
  #port = 0
  #isDraining = false
  #onIdle: () => void = () => undefined
  #stopSweeping: () => void = () => undefined

  private constructor(options: HttpServerOptions, deps: HttpServerDeps) {
    this.#options = options
    this.#clock = deps.clock
    this.#random = deps.random
    this.#logger = deps.logger
    this.#metrics = requestMetrics(deps.metrics)
    this.#app = newFastify(options)
    this.#app.addHook('onRequest', (request, reply, done) => this.#begin(request, reply, done))
    this.#app.setErrorHandler((error, request, reply) => this.#refuse(error, request, reply))
    this.#app.setNotFoundHandler((request, reply) => {
      void this.#answer(request, reply, undefined, () => Promise.reject(new NotFound('404 page not found')))
    })
    this.#addRoutes(deps.endpoints)
  }

  /** Resolves when the server listens. @throws Node's error when the address is taken. */
  static async start(options: HttpServerOptions, deps: HttpServerDeps): Promise<HttpServer> {
    const server = new HttpServer(options, deps)
    await server.#listen()
    server.#port = (server.#app.server.address() as AddressInfo).port
    server.#stopSweeping = deps.clock.every(sweepMs, () => server.#sweep())
    return server
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#port
  }

  /** Requests that are being answered. */
  get activeRequests(): number {
    return this.#active.size
  }

  async #listen(): Promise<void> {
    const { address, port, maxConnections, readTimeoutMs } = this.#options
    if (maxConnections > 0) this.#app.server.maxConnections = maxConnections
    this.#app.server.headersTimeout = readTimeoutMs
    try {
      await this.#app.listen({ host: address === '' ? '::' : address, port })
    } catch (error) {
      const isWithoutIpv6 =
        address === '' && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes((error as NodeJS.ErrnoException).code ?? '')
      if (!isWithoutIpv6) throw error
      await this.#app.listen({ host: '0.0.0.0', port })
    }
  }

  #addRoutes(endpoints: readonly Endpoint[]): void {
    for (const [path, group] of Map.groupBy(endpoints, (endpoint) => endpoint.path)) {
      const url = this.#options.pathPrefix.replace(/\/+$/, '') + path
      for (const endpoint of group) {
        this.#app.route({
          method: [...endpoint.methods],
          url,
          bodyLimit: this.#bodyLimit(endpoint),
          config: { endpoint, route: routeName(path) } satisfies RouteConfig,
          handler: (request, reply) => void this.#handle(endpoint, request, reply),
        })
      }
      const allowed = group.flatMap((endpoint) => [...endpoint.methods])
      this.#app.route({
        method: allMethods.filter((method) => !allowed.includes(method as never)),
        url,
        config: { endpoint: undefined, route: routeName(path) } satisfies RouteConfig,
        handler: (request, reply) =>
          void this.#answer(request, reply, undefined, async () =>
            textReply(405, 'method not allowed', { allow: allowed.join(', ') }),
          ),
      })
    }
  }

  #bodyLimit({ body, maxBodyBytes }: Endpoint): number {
    return body === 'none' ? 1 : (maxBodyBytes ?? this.#options.maxBodyBytes)
  }

  /** The first step of every request: the books, and the checks that need no body. */
  #begin(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    const { endpoint, route } = routeConfig(request)
    const times = { now: this.#clock.monotonicMs(), limit: this.#options.writeTimeoutMs }
    const active = new ActiveRequest(request.raw, reply.raw, route, times)
    this.#active.set(request.raw, active)
    this.#metrics.started(request.method, route)
    reply.raw.once('close', () => this.#end(active))
    try {
      if (this.#isDraining) throw new Unavailable('server is stopping')
      if (endpoint?.tenant === 'required') {
        const { tenantRules } = this.#options
        const isMultiTenantAllowed = tenantRules.isMultiTenantAllowed && endpoint.isMultiTenant === true
        active.tenant = tenantFrom(request.headers, { ...tenantRules, isMultiTenantAllowed })
      }
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  #end(active: ActiveRequest): void {
    const { request, response, route, tenant, sentBytes, startMs, error } = active
    this.#active.delete(request)
    if (this.#active.size === 0) this.#onIdle()
    const { status } = active
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000
    const method = request.method ?? ''
    this.#metrics.ended(method, route, status, seconds)
    const level = status >= 500 ? 'warn' : status >= 400 && status !== 499 ? 'info' : 'debug'
    this.#logger[level === 'debug' && this.#options.logRequestsAtInfo ? 'info' : level]('request', {
      method,
      path: pathOf(request.url ?? ''),
      status,
      bytes: sentBytes,
      duration: `${seconds.toFixed(6)}s`,
      ...(tenant === '' ? {} : { tenant }),
      remote: remoteOf(response.req),
      ...(error === undefined ? {} : { err: error }),
    })
  }

  async #handle(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.#answer(request, reply, endpoint, async (active) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      if (endpoint.body === 'none' && body.length > 0) throw bodyTooLarge(body.length, 0)
      const isForm = endpoint.body === 'form' && formType.test(request.headers['content-type'] ?? '')
      const handling = endpoint.handle({
        method: request.method,
        path: pathOf(request.url).slice(this.#options.pathPrefix.replace(/\/+$/, '').length),
        pathParams: request.params as Readonly<Record<string, string>>,
        query: parametersOf(request.url, isForm ? body : undefined),
        headers: request.headers,
        body: endpoint.body === 'raw' ? body : Buffer.alloc(0),
        tenant: active.tenant,
        signal: active.signal,
        remoteAddress: remoteOf(request.raw),
      })
      // a handler that does not look at its signal must not keep the client waiting
      return await Promise.race([handling, active.aborted()])
    })
  }

  /** Fastify's errors from before the handler, and those of `#begin`. */
  #refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const { endpoint } = routeConfig(request)
    const limit = endpoint === undefined ? this.#options.maxBodyBytes : this.#bodyLimit(endpoint)
    void this.#answer(request, reply, endpoint, () => Promise.reject(asOurs(error, request, limit)))
  }

  /** Runs `run` and writes what it gives, or its error. Never rejects. */
  async #answer(
    request: FastifyRequest,
    reply: FastifyReply,
    endpoint: Endpoint | undefined,
    run: (active: ActiveRequest) => Promise<HttpReply>,
  ): Promise<void> {
    reply.hijack()
    const active = this.#active.get(request.raw)
    if (active === undefined) return
    try {
      const answer = await run(active).catch((error: unknown) => this.#errorAnswer(error, active, endpoint))
      if (active.response.destroyed) return
      // what is left of a refused body is read and dropped: closing now would reset the connection under the answer
      if (!request.raw.complete) request.raw.resume()
      active.beginWriting(this.#clock.monotonicMs())
      await writeReply(active.response, answer, {
        mayCompress: this.#options.compressResponses && acceptsGzip(request.headers['accept-encoding']),
        closeConnection: this.#isDraining,
        onBytes: (count) => void (active.sentBytes += count),
      })
    } catch (error) {
      // the head is out, so that only a cut connection can tell the client
      active.error = this.#foreseen(error)
      active.response.destroy()
    }
  }

  #errorAnswer(thrown: unknown, active: ActiveRequest, endpoint: Endpoint | undefined): HttpReply {
    const error = this.#foreseen(thrown)
    active.error = error
    const { headers, url = '' } = active.request
    return endpoint?.errorReply?.(error, { headers, path: pathOf(url) }) ?? errorReply(error)
  }

  /** An error that may be shown. What nobody foresaw is logged whole, under an id that is shown instead. */
  #foreseen(thrown: unknown): EddaError {
    if (thrown instanceof EddaError) return thrown
    const id = this.#random.bytes(8).toString('hex')
    const { stack, message } = thrown instanceof Error ? thrown : new Error(String(thrown))
    this.#logger.error('request failed unexpectedly', { id, err: message, stack })
    return internalError(id, undefined)
  }

  /** Ends requests that take too long and connections that do not take their answers. */
  #sweep(): void {
    const { writeTimeoutMs } = this.#options
    if (writeTimeoutMs <= 0) return
    const now = this.#clock.monotonicMs()
    for (const active of this.#active.values()) {
      if (active.isLate(now)) active.abort(new TimedOut(`the request took longer than ${writeTimeoutMs / 1000} s`))
      else if (active.isStalled(now, writeTimeoutMs)) active.response.destroy()
    }
  }

  /**
   * Stops: takes no more connections, refuses new requests on open ones, lets those in flight finish within `graceMs`, then
   * aborts and cuts the rest.
   */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true
    const closed = new Promise<void>((resolve) => this.#app.server.close(() => resolve()))
    this.#app.server.closeIdleConnections()
    await this.#untilIdle(graceMs)
    if (this.#active.size > 0) {
      this.#logger.warn('requests are cut off', { count: this.#active.size })
      for (const active of this.#active.values()) active.abort(new Unavailable('server is stopping'))
      await this.#untilIdle(cutGraceMs)
    }
    this.#stopSweeping()
    this.#app.server.closeAllConnections()
    await closed
    await this.#app.close()
  }

  async #untilIdle(limitMs: number): Promise<void> {
    if (this.#active.size === 0) return
    const late = new AbortController()
    const idle = new Promise<void>((resolve) => (this.#onIdle = resolve))
    await Promise.race([idle, this.#clock.sleep(limitMs, late.signal).catch(() => undefined)])
    late.abort()
  }
}

type RouteConfig = { readonly endpoint: Endpoint | undefined; readonly route: string }

/** Loki calls requests to no route `other`. */
function routeConfig(request: FastifyRequest): RouteConfig {
  const config = request.routeOptions.config as Partial<RouteConfig>
  return { endpoint: config.endpoint, route: config.route ?? 'other' }
}

const pathOf = (url: string): string => {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

/** Values of a form come before those of the URL, as in Go. */
function parametersOf(url: string, form: Buffer | undefined): URLSearchParams {
  const start = url.indexOf('?')
  const fromUrl = start < 0 ? '' : url.slice(start + 1)
  if (form === undefined) return new URLSearchParams(fromUrl)
  const parameters = new URLSearchParams(form.toString())
  for (const [name, value] of new URLSearchParams(fromUrl)) parameters.append(name, value)
  return parameters
}

function remoteOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? ''
}

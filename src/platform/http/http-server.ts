/**
 * Serves tables of endpoints on fastify: reads bodies as raw bytes with limits, finds out the tenant, runs the handler, turns
 * errors into answers, and counts and logs every request.
 *
 * A handler that throws what nobody foresaw fails its own request with 500 and an id; the process lives.
 */
import { type IncomingHttpHeaders, type IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { BadRequest, EddaError, NotFound, TimedOut, Unavailable } from '#/kernel/errors.ts'
import type { Clock, Random } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { type AllowedTenants, type TenantRules, tenantFrom } from '#/platform/tenant/tenant-id.ts'
import { type AccessControl, checkSite } from './access.ts'
import { ActiveRequest } from './active-request.ts'
import { type Endpoint, type HttpReply, type HttpRequest, textReply } from './endpoint.ts'
import { bodyTooLarge, errorReply, internalError, withChallenge } from './error-reply.ts'
import { asOurs, newFastify } from './fastify-app.ts'
import { type Listener, type ListenerTls, newListener } from './listener.ts'
import { type RequestMetrics, requestMetrics, routeName } from './request-metrics.ts'
import { type Handshake, WebSockets } from './web-sockets.ts'
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
  /** Undefined: connections are not encrypted. */
  readonly tls?: ListenerTls | undefined
}

export type HttpServerDeps = {
  readonly endpoints: readonly Endpoint[]
  /** Undefined: everybody may do everything. */
  readonly access?: AccessControl | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}

const sweepMs = 250
/** How long requests have to notice that the server stops, once the time for finishing is over. */
const cutGraceMs = 500
const allMethods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'] as const
/** In a URL and a form together. Each costs many times its bytes. */
const maxParameters = 1000
const formType = /^application\/x-www-form-urlencoded\s*(;|$)/i

export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #metrics: RequestMetrics
  readonly #access: AccessControl | undefined
  readonly #app: FastifyInstance
  #listener: Listener | undefined
  readonly #sockets: WebSockets
  readonly #active = new Map<IncomingMessage, ActiveRequest>()
  /** Of requests that ask for a WebSocket and have no answer yet. */
  readonly #handshakes = new Map<IncomingMessage, Handshake>()
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
    this.#access = deps.access
    this.#sockets = new WebSockets(deps.clock)
    this.#app = newFastify(options.maxBodyBytes, (handler) => {
      this.#listener = newListener(options, options.tls, handler)
      return this.#listener.server
    })
    this.#app.server.on('upgrade', (request, socket, head) => this.#takeHandshake(request, { socket, head }))
    this.#app.addHook('onRequest', (request, reply) => this.#begin(request, reply))
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

  /** Other certificates, for the next connections. */
  setTls(tls: ListenerTls): void {
    this.#listener?.setTls(tls)
  }

  /** Requests that are being answered. */
  get activeRequests(): number {
    return this.#active.size
  }

  async #listen(): Promise<void> {
    const { address, port, maxConnections } = this.#options
    if (maxConnections > 0) this.#app.server.maxConnections = maxConnections
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
  async #begin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { endpoint, route } = routeConfig(request)
    const times = { now: this.#clock.monotonicMs(), limit: this.#options.writeTimeoutMs }
    const active = new ActiveRequest(request.raw, reply.raw, route, times)
    this.#active.set(request.raw, active)
    this.#metrics.started(request.method, route)
    reply.raw.once('close', () => this.#end(active))
    if (this.#isDraining) throw new Unavailable('server is stopping')
    if (endpoint === undefined) return
    checkSite(request.headers, endpoint.access)
    if (this.#access === undefined) active.tenant = this.#tenantOf(request.headers, endpoint, 'any')
    // whoever has left, or waited too long, does not wait for the check
    else await Promise.race([this.#admit(this.#access, request, endpoint, active), active.aborted()])
  }

  async #admit(
    access: AccessControl,
    { headers, raw }: FastifyRequest,
    endpoint: Endpoint,
    active: ActiveRequest,
  ): Promise<void> {
    if ((raw.headersDistinct['authorization'] ?? []).length > 1) throw new BadRequest('more than one Authorization')
    const who = { headers, remoteAddress: remoteOf(raw), path: endpoint.path, access: endpoint.access }
    const { tenants } = await access.admit(who, active.signal)
    active.tenant = this.#tenantOf(headers, endpoint, tenants)
  }

  #tenantOf(headers: IncomingHttpHeaders, endpoint: Endpoint, allowed: AllowedTenants): string {
    if (endpoint.tenant === 'none') return ''
    const { tenantRules } = this.#options
    const isMultiTenantAllowed = tenantRules.isMultiTenantAllowed && endpoint.isMultiTenant === true
    return tenantFrom(headers, { ...tenantRules, isMultiTenantAllowed }, allowed)
  }

  #end(active: ActiveRequest): void {
    const { request, response, route, tenant, sentBytes, startMs, error } = active
    this.#active.delete(request)
    if (this.#active.size === 0) this.#onIdle()
    const { status } = active
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000
    const method = request.method ?? ''
    this.#metrics.ended({ method, route, status, seconds, isWebSocket: active.isWebSocket })
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

  /**
   * A request for a WebSocket goes the way of all others, with a response of its own, as Node has none for it: so that whatever
   * speaks against it is answered as HTTP.
   */
  #takeHandshake(request: IncomingMessage, handshake: Handshake): void {
    const { socket } = handshake
    const response = new ServerResponse(request)
    response.assignSocket(request.socket)
    response.once('finish', () => socket.end())
    socket.on('error', () => socket.destroy())
    this.#handshakes.set(request, handshake)
    socket.once('close', () => this.#handshakes.delete(request))
    this.#app.routing(request, response)
  }

  async #handle(endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const handshake = this.#handshakes.get(request.raw)
    if (handshake !== undefined && endpoint.upgrade !== undefined) {
      return this.#upgrade(endpoint.upgrade, endpoint, handshake, { request, reply })
    }
    await this.#answer(request, reply, endpoint, async (active) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      if (endpoint.body === 'none' && body.length > 0) throw bodyTooLarge(body.length, 0)
      const isForm = endpoint.body === 'form' && formType.test(request.headers['content-type'] ?? '')
      const handling = endpoint.handle({
        ...this.#requestOf(request, active),
        query: parametersOf(request.url, isForm ? body : undefined),
        body: endpoint.body === 'raw' ? body : Buffer.alloc(0),
      })
      // a handler that does not look at its signal must not keep the client waiting
      return await Promise.race([handling, active.aborted()])
    })
  }

  #requestOf(request: FastifyRequest, active: ActiveRequest): HttpRequest {
    return {
      method: request.method,
      path: pathOf(request.url).slice(this.#options.pathPrefix.replace(/\/+$/, '').length),
      pathParams: request.params as Readonly<Record<string, string>>,
      query: parametersOf(request.url, undefined),
      headers: request.headers,
      body: Buffer.alloc(0),
      tenant: active.tenant,
      signal: active.signal,
      remoteAddress: remoteOf(request.raw),
    }
  }

  /** Lets the endpoint decide, answers the handshake, and hands over the socket until the endpoint is done with it. */
  async #upgrade(
    upgrade: NonNullable<Endpoint['upgrade']>,
    endpoint: Endpoint,
    handshake: Handshake,
    { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  ): Promise<void> {
    reply.hijack()
    const active = this.#active.get(request.raw)
    if (active === undefined) return
    try {
      const use = await Promise.race([upgrade(this.#requestOf(request, active)), active.aborted()])
      if (this.#isDraining) throw new Unavailable('server is stopping')
      const socket = this.#sockets.accept(request.raw, handshake)
      active.becomeWebSocket(this.#clock.monotonicMs())
      await use(socket).then(
        () => socket.close(1000, ''),
        (error: unknown) => {
          active.error = this.#foreseen(error)
          socket.close(1011, active.error.message)
        },
      )
    } catch (error) {
      await this.#answer(request, reply, endpoint, () => Promise.reject(error as Error))
    }
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
    if (!reply.sent) reply.hijack()
    const active = this.#active.get(request.raw)
    if (active === undefined) return
    try {
      const answer = await run(active).catch((error: unknown) => this.#errorAnswer(error, active, endpoint))
      if (active.response.destroyed) return
      // what is left of a refused body is read and dropped: closing now would reset the connection under the answer
      if (!request.raw.complete) request.raw.resume()
      active.beginWriting(this.#clock.monotonicMs())
      active.onStop = answer.onStop
      if (this.#isDraining) answer.onStop?.()
      await writeReply(active.response, answer, {
        mayCompress: this.#options.compressResponses && acceptsGzip(request.headers['accept-encoding']),
        closeConnection: this.#isDraining || this.#handshakes.has(request.raw),
        onBytes: (count) => active.countBytes(count),
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
    const reply = endpoint?.errorReply?.(error, { headers, path: pathOf(url) }) ?? errorReply(error)
    return withChallenge(reply, error)
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
   * Stops: takes no more connections, refuses new requests on open ones, ends sockets and endless answers, lets requests in
   * flight finish within `graceMs`, then aborts and cuts the rest.
   */
  async drain(graceMs: number): Promise<void> {
    this.#isDraining = true
    const closed = new Promise<void>((resolve) => this.#app.server.close(() => resolve()))
    this.#app.server.closeIdleConnections()
    this.#sockets.closeAll(1001, 'server is stopping')
    for (const { onStop } of this.#active.values()) onStop?.()
    await this.#untilIdle(graceMs)
    if (this.#active.size > 0) {
      this.#logger.warn('requests are cut off', { count: this.#active.size })
      for (const active of this.#active.values()) active.abort(new Unavailable('server is stopping'))
      await this.#untilIdle(cutGraceMs)
    }
    this.#stopSweeping()
    this.#sockets.stop()
    for (const { request } of this.#active.values()) request.socket.destroy()
    this.#listener?.cutAll()
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

/** Values of a form come before those of the URL, as in Go. @throws BadRequest when there are too many. */
function parametersOf(url: string, form: Buffer | undefined): URLSearchParams {
  const start = url.indexOf('?')
  const fromUrl = start < 0 ? '' : url.slice(start + 1)
  const fromForm = form?.toString() ?? ''
  const count = countParameters(fromForm) + countParameters(fromUrl)
  if (count > maxParameters) throw new BadRequest(`${count} parameters exceed the limit of ${maxParameters}`)
  if (fromForm === '') return new URLSearchParams(fromUrl)
  const parameters = new URLSearchParams(fromForm)
  for (const [name, value] of new URLSearchParams(fromUrl)) parameters.append(name, value)
  return parameters
}

function countParameters(text: string): number {
  if (text === '') return 0
  let count = 1
  for (let at = text.indexOf('&'); at >= 0; at = text.indexOf('&', at + 1)) count++
  return count
}

function remoteOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? ''
}

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'

import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'

import { BadRequest, Forbidden, LimitExceeded } from '#/kernel/errors.ts'
import { type AccessControl, type AccessRequest, Unauthenticated } from '#/platform/http/access.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { makeCertificate } from '#/platform/tls/testing-certificates.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import type { GrpcMethod, GrpcRequest } from './grpc-method.ts'
import { GrpcServer, type GrpcServerOptions } from './grpc-server.ts'
import { healthMethod } from './health.ts'
import { field } from './protobuf-fields.ts'

const { clock, random } = realWorld()
const servers: GrpcServer[] = []
const clients: Client[] = []
after(async () => {
  for (const client of clients) client.close()
  await Promise.all(servers.map((server) => server.drain(0)))
})

type Handle = (request: GrpcRequest) => Promise<Uint8Array>
type Setup = { readonly options?: Partial<GrpcServerOptions>; readonly access?: AccessControl }
type Running = { readonly server: GrpcServer; readonly metrics: Metrics }

async function serve(handle: Handle, { options = {}, access }: Setup = {}): Promise<Running> {
  const metrics = new Metrics()
  const echo: GrpcMethod = { path: '/test.Echo/Say', tenant: 'required', access: 'write', handle }
  const server = await GrpcServer.start(
    {
      address: '127.0.0.1',
      port: 0,
      tenantRules: { isAuthEnabled: true, noAuthTenant: 'fake', isMultiTenantAllowed: true },
      maxMessageBytes: 10_000,
      maxConcurrentCalls: 10,
      maxConnections: 0,
      readTimeoutMs: 60_000,
      handleTimeoutMs: 60_000,
      ...options,
    },
    { methods: [echo, healthMethod(['test.Echo'], () => true)], access, clock, random, logger: silentLogger, metrics },
  )
  servers.push(server)
  return { server, metrics }
}

type Ask = {
  readonly path?: string
  readonly message?: Buffer
  readonly metadata?: Readonly<Record<string, string>>
  readonly deadlineMs?: number
  readonly gzip?: boolean
  readonly credentials?: ChannelCredentials
}
type Answer = { readonly code: number; readonly message: Buffer; readonly details: string; readonly metadata: Metadata }

function newClient({ port }: GrpcServer, channel = credentials.createInsecure(), gzip = false): Client {
  // no IP address may be the name of a TLS server
  const client = new Client(`localhost:${port}`, channel, gzip ? { 'grpc.default_compression_algorithm': 2 } : {})
  clients.push(client)
  return client
}

function call(
  client: Client,
  { path = '/test.Echo/Say', message = Buffer.from('hi'), metadata = {}, deadlineMs }: Ask,
): Promise<Answer> {
  const headers = new Metadata()
  for (const [name, value] of Object.entries({ 'x-scope-orgid': 'a', ...metadata }))
    if (value !== '') headers.set(name, value)
  const same = (bytes: Buffer): Buffer => bytes
  const options = deadlineMs === undefined ? {} : { deadline: clock.nowMs() + deadlineMs }
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      path,
      same,
      same,
      message,
      headers,
      options,
      (error: ServiceError | null, answer?: Buffer) => {
        resolve({
          code: error?.code ?? status.OK,
          message: answer ?? Buffer.alloc(0),
          details: error?.details ?? '',
          metadata: error?.metadata ?? new Metadata(),
        })
      },
    )
  })
}

const ask = (server: GrpcServer, asked: Ask = {}): Promise<Answer> =>
  call(newClient(server, asked.credentials, asked.gzip), asked)

/** Gives no Buffer, as methods need not. */
const echo: Handle = async ({ message, tenant }) => new TextEncoder().encode(`${tenant}:${message.toString()}`)

describe('a gRPC server', () => {
  it('gives the message and the tenant to the method, compressed or not', async () => {
    const { server, metrics } = await serve(echo)
    assert.equal((await ask(server)).message.toString(), 'a:hi')
    assert.equal((await ask(server, { gzip: true })).message.toString(), 'a:hi')
    const text = await metrics.text()
    assert.match(
      text,
      /loki_request_duration_seconds_count\{method="gRPC",route="\/test.Echo\/Say",status_code="success",ws="false"\} 2/,
    )
    assert.match(text, /loki_inflight_requests\{method="gRPC",route="\/test.Echo\/Say"\} 0/)
  })

  it('refuses calls without a tenant, with a wrong one, with several', async () => {
    const { server } = await serve(echo)
    const nobody = await ask(server, { metadata: { 'x-scope-orgid': '' } })
    assert.deepEqual([nobody.code, nobody.details], [status.UNAUTHENTICATED, 'no org id'])
    assert.equal((await ask(server, { metadata: { 'x-scope-orgid': '../a' } })).code, status.INVALID_ARGUMENT)
    const several = await ask(server, { metadata: { 'x-scope-orgid': 'a|b' } })
    assert.deepEqual([several.code, several.details], [status.INVALID_ARGUMENT, 'multiple org IDs present'])
  })

  it('knows callers as HTTP does, before it reads their messages', async () => {
    const seen: AccessRequest[] = []
    const access: AccessControl = {
      admit: async (request) => {
        seen.push(request)
        const { authorization } = request.headers
        if (authorization === undefined) throw new Unauthenticated('credentials are missing')
        if (authorization !== 'Bearer good') throw new Forbidden('lacks permission write')
        return { tenants: ['only'] }
      },
    }
    const { server } = await serve(echo, { access })
    assert.equal((await ask(server)).code, status.UNAUTHENTICATED)
    assert.equal((await ask(server, { metadata: { authorization: 'Bearer bad' } })).code, status.PERMISSION_DENIED)
    const good = { authorization: 'Bearer good', 'x-scope-orgid': '' }
    assert.equal((await ask(server, { metadata: good })).message.toString(), 'only:hi')
    assert.equal(
      (await ask(server, { metadata: { ...good, 'x-scope-orgid': 'other' } })).code,
      status.PERMISSION_DENIED,
    )
    const { path, access: needed, remoteAddress } = seen[0]!
    assert.deepEqual([path, needed, remoteAddress], ['/test.Echo/Say', 'write', '127.0.0.1'])
    await ask(server, { path: '/grpc.health.v1.Health/Check', message: Buffer.alloc(0) })
    assert.deepEqual([seen.at(-1)!.path, seen.at(-1)!.access], ['/ready', 'any'])
  })

  it('maps errors to a status, with the time of a retry where one makes sense', async () => {
    const errors = [new BadRequest('bad'), new LimitExceeded('much', { retryAfterSeconds: 7 }), new Error('secret')]
    const { server } = await serve(async () => {
      throw errors.shift()!
    })
    const bad = await ask(server)
    assert.deepEqual(
      [bad.code, bad.details, bad.metadata.get('grpc-status-details-bin')],
      [status.INVALID_ARGUMENT, 'bad', []],
    )
    const limited = await ask(server)
    assert.deepEqual([limited.code, limited.details], [status.RESOURCE_EXHAUSTED, 'much'])
    const info = Buffer.concat([
      Buffer.from([8, status.RESOURCE_EXHAUSTED]),
      field(2, Buffer.from('much')),
      field(
        3,
        Buffer.concat([
          field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
          field(2, field(1, Buffer.from([8, 7]))),
        ]),
      ),
    ])
    assert.deepEqual(limited.metadata.get('grpc-status-details-bin'), [info])
    const unforeseen = await ask(server)
    assert.equal(unforeseen.code, status.UNAVAILABLE)
    assert.match(unforeseen.details, /^internal error [0-9a-f]{16}$/)
  })

  it('refuses messages that are too large, also when only their content is', async () => {
    const { server } = await serve(echo)
    const large = await ask(server, { message: Buffer.alloc(10_001) })
    assert.equal(large.code, status.RESOURCE_EXHAUSTED)
    assert.deepEqual(large.metadata.get('grpc-status-details-bin'), [])
    assert.equal((await ask(server, { message: Buffer.alloc(5_000_000), gzip: true })).code, status.RESOURCE_EXHAUSTED)
    assert.equal((await ask(server, { message: Buffer.alloc(10_000) })).code, status.OK)
  })

  it('answers the health check, and says what it does not know', async () => {
    const { server } = await serve(echo)
    const health = (service: string): Promise<Answer> =>
      ask(server, {
        path: '/grpc.health.v1.Health/Check',
        message: service === '' ? Buffer.alloc(0) : field(1, Buffer.from(service)),
        metadata: { 'x-scope-orgid': '' },
      })
    assert.deepEqual([...(await health('')).message], [8, 1])
    assert.deepEqual([...(await health('test.Echo')).message], [8, 1])
    assert.equal((await health('test.Other')).code, status.NOT_FOUND)
    assert.equal((await ask(server, { path: '/test.Echo/Shout' })).code, status.UNIMPLEMENTED)
  })

  it('ends calls that take too long, whoever set the time, and tells their handlers', async () => {
    const reasons: string[] = []
    const hang: Handle = ({ signal }) =>
      new Promise(() => signal.addEventListener('abort', () => reasons.push((signal.reason as Error).name)))
    const { server: hasty } = await serve(hang, { options: { handleTimeoutMs: 100 } })
    assert.equal((await ask(hasty)).code, status.DEADLINE_EXCEEDED)
    assert.deepEqual(reasons, ['TimedOut'])
    const { server: patient } = await serve(hang)
    // until a call has reached its handler: on a slow machine the time of the first may be over before
    for (let deadlineMs = 50; reasons.length < 2; deadlineMs *= 2) {
      assert.ok(deadlineMs < 60_000)
      assert.equal((await ask(patient, { deadlineMs })).code, status.DEADLINE_EXCEEDED)
      for (let turns = 0; turns < 20 && reasons.length < 2; turns++) await clock.sleep(5)
    }
    assert.equal(reasons[1], 'Cancelled')
  })

  it('refuses a call with two messages, and one that sends none in time', async () => {
    const { server: patient } = await serve(echo)
    const { server: hasty } = await serve(echo, { options: { readTimeoutMs: 200 } })
    const stream = (server: GrpcServer, messages: number, isEnded: boolean): Promise<number> =>
      new Promise((resolve) => {
        const headers = new Metadata()
        headers.set('x-scope-orgid', 'a')
        const same = (bytes: Buffer): Buffer => bytes
        const sending = newClient(server).makeClientStreamRequest('/test.Echo/Say', same, same, headers, (error) =>
          resolve(error?.code ?? status.OK),
        )
        for (let i = 0; i < messages; i++) sending.write(Buffer.from('x'))
        if (isEnded) sending.end()
      })
    assert.equal(await stream(patient, 2, true), status.INVALID_ARGUMENT)
    assert.equal(await stream(patient, 0, true), status.INVALID_ARGUMENT)
    assert.equal(await stream(hasty, 0, false), status.DEADLINE_EXCEEDED)
    assert.equal(await stream(patient, 1, true), status.OK)
  })

  it('finishes calls in flight before it stops, and cuts those that never end', async () => {
    for (const [isEnding, code] of [
      [true, status.OK],
      [false, status.UNAVAILABLE],
    ] as const) {
      const begun = Promise.withResolvers<void>()
      const end = Promise.withResolvers<void>()
      const { server } = await serve(async () => {
        begun.resolve()
        await end.promise
        return Buffer.from('done')
      })
      const client = newClient(server)
      const waiting = call(client, { message: Buffer.from('x') })
      await begun.promise
      const drained = server.drain(isEnding ? 60_000 : 200)
      await clock.sleep(50)
      if (isEnding) end.resolve()
      // a call that never ends would hold this up for ever
      await drained
      const { code: found, details } = await waiting
      assert.equal(found, code, details)
      assert.equal((await call(client, {})).code, status.UNAVAILABLE)
    }
  })

  it('speaks TLS, asks for certificates, and takes new ones', async () => {
    const authority = makeCertificate({ name: 'authority' })
    const own = makeCertificate({ name: 'server', issuer: authority })
    const known = makeCertificate({ name: 'client', issuer: authority })
    const base = { ca: authority.cert, minVersion: 'TLSv1.2' as const }
    const tls = {
      ...base,
      cert: own.cert,
      key: own.key,
      requestCert: true,
      rejectUnauthorized: true,
      needsClientCert: true,
      verifiesClientCert: true,
    }
    const { server } = await serve(echo, { options: { tls } })
    const channel = (root: string, client?: { key: string; cert: string }): ChannelCredentials =>
      credentials.createSsl(
        Buffer.from(root),
        client === undefined ? null : Buffer.from(client.key),
        client === undefined ? null : Buffer.from(client.cert),
        { checkServerIdentity: () => undefined },
      )
    const first = await ask(server, { credentials: channel(authority.cert, known) })
    assert.deepEqual([first.message.toString(), first.details], ['a:hi', ''])
    assert.equal(
      (await ask(server, { credentials: channel(authority.cert), deadlineMs: 1000 })).code,
      status.UNAVAILABLE,
    )
    assert.equal((await ask(server, { deadlineMs: 1000 })).code, status.UNAVAILABLE)
    const next = makeCertificate({ name: 'next', issuer: authority })
    server.setTls({ ...tls, cert: next.cert, key: next.key })
    assert.equal((await ask(server, { credentials: channel(authority.cert, known) })).code, status.OK)
  })
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent,
  request as httpRequest,
} from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'

import { BadRequest, LimitExceeded } from '#/kernel/errors.ts'
import type { LogFields, Logger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { type Endpoint, type HttpRequest, jsonReply, textReply } from './endpoint.ts'
import { HttpServer, type HttpServerOptions } from './http-server.ts'
import { testEndpoint, testServerOptions } from './testing-server.ts'

const { clock, random } = realWorld()
const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.drain(0))))

type Line = { readonly level: string; readonly message: string; readonly fields: LogFields }
type Running = { readonly server: HttpServer; readonly lines: Line[]; readonly metrics: Metrics }

async function serve(
  endpoints: readonly Partial<Endpoint>[],
  options: Partial<HttpServerOptions> = {},
): Promise<Running> {
  const lines: Line[] = []
  const noteAs =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      void lines.push({ level, message, fields })
  const logger: Logger = {
    debug: noteAs('debug'),
    info: noteAs('info'),
    warn: noteAs('warn'),
    error: noteAs('error'),
    with: () => logger,
  }
  const metrics = new Metrics()
  const server = await HttpServer.start(
    { ...testServerOptions, ...options },
    { endpoints: endpoints.map((one) => ({ ...testEndpoint, ...one })), clock, random, logger, metrics },
  )
  servers.push(server)
  return { server, lines, metrics }
}

type Ask = {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
  readonly agent?: Agent
}
type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

function open(server: HttpServer, path: string, { method = 'GET', headers = {}, agent }: Ask = {}): ClientRequest {
  const options = { host: '127.0.0.1', port: server.port, path, method, headers }
  return httpRequest({ ...options, agent: agent ?? new Agent({ keepAlive: false }) })
}

const answerTo = (request: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => request.once('response', resolve).once('error', reject))

async function ask(server: HttpServer, path: string, options: Ask = {}): Promise<Answer> {
  const request = open(server, path, options)
  request.end(options.body)
  const response = await answerTo(request)
  const body = await buffer(response)
  return { status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() }
}

/** Waits until a condition holds that another event loop turn brings about. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 2000, 'it never happened')
    await clock.sleep(2)
  }
}

/** A handler that ends when it is told to, and shows what it saw. */
function gated(): { handle: Endpoint['handle']; open: () => void; seen: HttpRequest[] } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const seen: HttpRequest[] = []
  const handle: Endpoint['handle'] = async (request) => {
    seen.push(request)
    await promise
    return textReply(200, 'done')
  }
  return { handle, open: resolve, seen }
}

describe('HttpServer', () => {
  it('routes by method and path, with parameters decoded', async () => {
    const seen: HttpRequest[] = []
    const handle: Endpoint['handle'] = async (request) => {
      seen.push(request)
      return jsonReply(200, request.pathParams)
    }
    const { server } = await serve([{ path: '/label/:name/values', methods: ['GET', 'POST'], handle }, { path: '/x' }])
    const answer = await ask(server, '/label/a%2Fb%20c/values?start=1&start=2&q=%7Ba%3D%22b%22%7D')
    assert.equal(answer.text, '{"name":"a/b c"}')
    assert.equal(answer.headers['content-type'], 'application/json; charset=UTF-8')
    assert.equal(seen[0]?.path, '/label/a%2Fb%20c/values')
    assert.deepEqual(seen[0]?.query.getAll('start'), ['1', '2'])
    assert.equal(seen[0]?.query.get('q'), '{a="b"}')
    assert.equal(seen[0]?.remoteAddress, '127.0.0.1')
    const long = await ask(server, `/label/${'n'.repeat(2000)}/values`)
    assert.equal(long.status, 200)
  })

  it('answers 404 and 405', async () => {
    const { server } = await serve([
      { path: '/x', methods: ['GET'] },
      { path: '/x', methods: ['PUT'] },
    ])
    const missing = await ask(server, '/nope')
    assert.deepEqual([missing.status, missing.text], [404, '404 page not found'])
    const wrong = await ask(server, '/x', { method: 'DELETE' })
    assert.deepEqual([wrong.status, wrong.headers.allow], [405, 'GET, PUT'])
    assert.equal((await ask(server, '/x', { method: 'PUT' })).status, 200)
    assert.equal((await ask(server, '/nope', { method: 'POST', body: 'x'.repeat(10) })).status, 404)
    assert.equal((await ask(server, '/%zz')).status, 400)
  })

  it('has a prefix', async () => {
    const path = async (request: HttpRequest): Promise<ReturnType<typeof textReply>> => textReply(200, request.path)
    const { server } = await serve([{ path: '/x', handle: path }], { pathPrefix: '/logs/' })
    assert.equal((await ask(server, '/logs/x')).text, '/x')
    assert.equal((await ask(server, '/x')).status, 404)
  })

  it('refuses more than a thousand parameters, and takes long ones', async () => {
    const { server } = await serve([
      {
        methods: ['GET', 'POST'],
        body: 'form',
        maxBodyBytes: 1_000_000,
        handle: async ({ query }) => textReply(200, `${[...query].length} ${(query.get('long') ?? '').length}`),
      },
    ])
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const post = (path: string, body: string): Promise<Answer> => ask(server, path, { method: 'POST', headers, body })
    assert.equal((await post(`/x?${'a=1&'.repeat(499)}a=1`, `${'b=&'.repeat(499)}b`)).text, '1000 0')
    const tooMany = await post('/x?a=1', `${'b=&'.repeat(999)}b`)
    assert.deepEqual([tooMany.status, tooMany.text], [400, '1001 parameters exceed the limit of 1000'])
    assert.equal((await ask(server, `/x?${'&'.repeat(5000)}`)).status, 400)
    assert.equal((await post('/x', `long=${'x'.repeat(500_000)}`)).text, '1 500000')
    assert.equal((await ask(server, `/x?long=${'x'.repeat(60_000)}`)).text, '1 60000')
    assert.equal((await ask(server, `/x?long=${'x'.repeat(70_000)}`)).status, 431)
    assert.equal((await ask(server, '/x', { headers: { 'x-long': 'x'.repeat(70_000) } })).status, 431)
  })

  it('gives raw bodies as they were sent', async () => {
    const handle: Endpoint['handle'] = async ({ body }) => ({ status: 200, body })
    const { server } = await serve([{ methods: ['POST'], body: 'raw', handle }])
    const bytes = randomBytes(900)
    for (const type of ['application/x-protobuf', 'application/json;', 'text/plain; charset', 'a/b; c="d', '']) {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type, 'content-encoding': 'gzip' }
      const answer = await ask(server, '/x', { method: 'POST', body: bytes, headers })
      assert.ok(answer.body.equals(bytes), type)
    }
    assert.equal((await ask(server, '/x', { method: 'POST' })).body.length, 0)
  })

  it('puts form values before those of the URL', async () => {
    const handle: Endpoint['handle'] = async ({ query }) => jsonReply(200, [...query])
    const { server } = await serve([{ methods: ['GET', 'POST'], body: 'form', handle }])
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
    const answer = await ask(server, '/x?a=url&b=1', { method: 'POST', body: 'a=form&c=%20+', headers })
    assert.equal(answer.text, '[["a","form"],["c","  "],["a","url"],["b","1"]]')
    const other = await ask(server, '/x?a=url', {
      method: 'POST',
      body: 'a=form',
      headers: { 'content-type': 'text/plain' },
    })
    assert.equal(other.text, '[["a","url"]]')
  })

  it('refuses bodies beyond the limit, announced or not', async () => {
    const endpoints: Partial<Endpoint>[] = [
      { path: '/raw', methods: ['POST'], body: 'raw' },
      { path: '/small', methods: ['POST'], body: 'raw', maxBodyBytes: 10 },
      { path: '/none', methods: ['POST'] },
    ]
    const { server } = await serve(endpoints)
    const post = (path: string, size: number, headers = {}): Promise<Answer> =>
      ask(server, path, { method: 'POST', body: Buffer.alloc(size), headers })
    const refusal = (size: number, limit: number): string =>
      `request body too large: message size too large than max (${size} vs ${limit})`
    assert.equal((await post('/raw', 1000)).status, 200)
    const large = await post('/raw', 1001)
    assert.deepEqual([large.status, large.text], [413, refusal(1001, 1000)])
    const chunked = await post('/raw', 200_000, { 'transfer-encoding': 'chunked' })
    assert.deepEqual([chunked.status, chunked.text], [413, refusal(1001, 1000)])
    assert.equal((await post('/small', 11)).text, refusal(11, 10))
    assert.equal((await post('/none', 0)).status, 200)
    assert.equal((await post('/none', 1)).text, refusal(1, 0))
    assert.equal((await post('/none', 2)).status, 413)
    // a large body is answered, not reset, and the connection can be used again
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const huge = await ask(server, '/raw', { method: 'POST', body: Buffer.alloc(3_000_000), agent })
    assert.equal(huge.status, 413)
    assert.equal((await ask(server, '/none', { method: 'POST', agent })).status, 200)
    agent.destroy()
  })

  it('wants a tenant where the endpoint does', async () => {
    const handle: Endpoint['handle'] = async ({ tenant }) => textReply(200, tenant)
    const endpoints: Partial<Endpoint>[] = [
      { path: '/t', tenant: 'required', handle },
      { path: '/m', tenant: 'required', isMultiTenant: true, handle },
      { path: '/n', handle },
    ]
    const tenantRules = { isAuthEnabled: true, noAuthTenant: 'fake', isMultiTenantAllowed: true }
    const { server } = await serve(endpoints, { tenantRules })
    const none = await ask(server, '/t')
    assert.deepEqual(
      [none.status, none.text, none.headers['content-type']],
      [401, 'no org id\n', 'text/plain; charset=utf-8'],
    )
    const as = (path: string, id: string): Promise<Answer> => ask(server, path, { headers: { 'X-Scope-OrgID': id } })
    assert.equal((await as('/t', 'acme:k=v')).text, 'acme')
    assert.deepEqual([(await as('/t', 'a|b')).status, (await as('/t', 'a|b')).text], [400, 'multiple org IDs present'])
    assert.equal((await as('/m', 'b|a')).text, 'a|b')
    assert.equal((await as('/n', 'a b')).text, '')
    const off = await serve(endpoints)
    assert.equal((await ask(off.server, '/t')).text, 'fake')
  })

  it('shows errors as plain text with their status', async () => {
    const errors: Record<string, Error> = {
      bad: new BadRequest('line of 9 bytes'),
      limit: new LimitExceeded('slow down', { retryAfterSeconds: 2.5 }),
    }
    const handle: Endpoint['handle'] = ({ pathParams }) =>
      Promise.reject(errors[pathParams['kind'] ?? ''] ?? new Error('?'))
    const { server } = await serve([{ path: '/:kind', handle }])
    const bad = await ask(server, '/bad')
    assert.deepEqual([bad.status, bad.text], [400, 'line of 9 bytes'])
    assert.equal(bad.headers['content-type'], 'text/plain; charset=utf-8')
    assert.equal(bad.headers['x-content-type-options'], 'nosniff')
    assert.equal(bad.headers['retry-after'], undefined)
    const limit = await ask(server, '/limit')
    assert.deepEqual([limit.status, limit.headers['retry-after']], [429, '3'])
  })

  it('lets an endpoint give errors its own form, also those from before it', async () => {
    const endpoint: Partial<Endpoint> = {
      methods: ['POST'],
      tenant: 'required',
      body: 'raw',
      handle: () => Promise.reject(new BadRequest('bad')),
      errorReply: (error, { path }) => jsonReply(error.code === 'unauthorized' ? 401 : 418, [path, error.code]),
    }
    const tenantRules = { ...testServerOptions.tenantRules, isAuthEnabled: true }
    const { server } = await serve([endpoint], { tenantRules })
    const headers = { 'x-scope-orgid': 'a' }
    assert.equal((await ask(server, '/x?y', { method: 'POST', headers })).text, '["/x","bad_request"]')
    assert.equal((await ask(server, '/x', { method: 'POST' })).status, 401)
    const large = await ask(server, '/x', { method: 'POST', headers, body: Buffer.alloc(2000) })
    assert.deepEqual([large.status, large.text], [418, '["/x","too_large"]'])
  })

  it('survives handlers that fail in ways nobody foresaw', async () => {
    const endpoints: Partial<Endpoint>[] = [
      { path: '/async', handle: () => Promise.reject(new TypeError('secret detail')) },
      {
        path: '/sync',
        handle: () => {
          throw new TypeError('secret detail')
        },
      },
      { path: '/odd', handle: () => Promise.reject('a text' as unknown as Error) },
    ]
    const { server, lines } = await serve(endpoints)
    for (const path of ['/async', '/sync', '/odd']) {
      const answer = await ask(server, path)
      assert.equal(answer.status, 500)
      const id = /^internal error ([0-9a-f]{16})$/.exec(answer.text)?.[1]
      const line = lines.find(({ fields }) => fields['id'] === id)
      assert.equal(line?.level, 'error')
      assert.match(String(line?.fields['stack']), /http-server/)
    }
    assert.equal((await ask(server, '/nope')).status, 404, 'the process lives')
  })

  it('packs large answers for those who take it', async () => {
    const text = 'edda '.repeat(1000)
    const { server } = await serve([
      { path: '/large', handle: async () => textReply(200, text) },
      { path: '/small', handle: async () => textReply(200, 'small') },
      { path: '/packed', handle: async () => textReply(200, text, { 'content-encoding': 'x' }) },
    ])
    const headers = { 'accept-encoding': 'deflate, gzip;q=0.5' }
    const packed = await ask(server, '/large', { headers })
    assert.equal(packed.headers['content-encoding'], 'gzip')
    assert.equal(packed.headers['content-length'], String(packed.body.length))
    assert.equal(packed.headers.vary, 'Accept-Encoding')
    assert.equal(gunzipSync(packed.body).toString(), text)
    assert.equal((await ask(server, '/small', { headers })).headers['content-encoding'], undefined)
    assert.equal((await ask(server, '/packed', { headers })).headers['content-encoding'], 'x')
    assert.equal((await ask(server, '/large')).text, text)
    const refused = await ask(server, '/large', { headers: { 'accept-encoding': 'gzip;q=0' } })
    assert.equal(refused.headers['content-encoding'], undefined)
    const off = await serve([{ path: '/large', handle: async () => textReply(200, text) }], {
      compressResponses: false,
    })
    assert.equal((await ask(off.server, '/large', { headers })).text, text)
  })

  it('answers 204 without a body', async () => {
    const { server } = await serve([{ handle: async () => ({ status: 204 }) }])
    const answer = await ask(server, '/x')
    assert.deepEqual([answer.status, answer.headers['content-length'], answer.body.length], [204, undefined, 0])
  })

  it('streams, piece by piece, packed or not', async () => {
    const first = Promise.withResolvers<void>()
    const { server } = await serve([
      {
        handle: async () => ({
          status: 200,
          body: (async function* () {
            yield Buffer.from('one\n')
            await first.promise
            yield Buffer.from('two\n')
          })(),
        }),
      },
    ])
    const request = open(server, '/x')
    request.end()
    const response = await answerTo(request)
    const chunks = response[Symbol.asyncIterator]()
    assert.equal(String((await chunks.next()).value), 'one\n')
    first.resolve()
    assert.equal(String((await chunks.next()).value), 'two\n')
    assert.equal((await chunks.next()).done, true)
    const packed = await ask(server, '/x', { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(packed.headers['content-encoding'], 'gzip')
    assert.equal(gunzipSync(packed.body).toString(), 'one\ntwo\n')
  })

  it('does not run ahead of a client that reads slowly', async () => {
    let produced = 0
    let isOver = false
    const body = async function* (): AsyncGenerator<Buffer> {
      try {
        for (; produced < 1000; produced++) yield Buffer.alloc(64 * 1024)
      } finally {
        isOver = true
      }
    }
    const { server } = await serve([{ handle: async () => ({ status: 200, body: body() }) }])
    const request = open(server, '/x')
    request.end()
    const response = await answerTo(request)
    let last = -1
    for (let same = 0; same < 20; same = produced === last && produced > 0 ? same + 1 : 0) {
      last = produced
      await clock.sleep(5)
    }
    assert.ok(produced > 0 && produced < 900, `${produced} of 1000 chunks were produced`)
    response.destroy()
    await until(() => isOver)
  })

  it('cuts the connection when a stream fails, so that nobody takes a part for the whole', async () => {
    const { server, lines } = await serve([
      {
        handle: async () => ({
          status: 200,
          body: (async function* () {
            yield Buffer.from('part')
            throw new LimitExceeded('too many series')
          })(),
        }),
      },
    ])
    for (const headers of [{}, { 'accept-encoding': 'gzip' }] as Record<string, string>[]) {
      await assert.rejects(ask(server, '/x', { headers }), { code: 'ECONNRESET' })
    }
    await until(() => lines.length === 2)
    assert.match(String(lines[0]?.fields['err']), /too many series/)
  })

  it('tells the handler when the client leaves', async () => {
    const gate = gated()
    const { server, lines, metrics } = await serve([{ handle: gate.handle }])
    const request = open(server, '/x')
    request.on('error', () => undefined)
    request.end()
    await until(() => gate.seen.length === 1)
    const { signal } = gate.seen[0]!
    assert.equal(signal.aborted, false)
    request.destroy()
    await until(() => signal.aborted)
    assert.equal((signal.reason as { code: string }).code, 'cancelled')
    await until(() => lines.length > 0)
    assert.equal(lines[0]?.fields['status'], 499)
    assert.match(
      await metrics.text(),
      /loki_request_duration_seconds_count\{method="GET",route="x",status_code="499",ws="false"\} 1/,
    )
    gate.open()
  })

  it('does not abort the signal of a request that ended well', async () => {
    let signal: AbortSignal | undefined
    const { server, lines } = await serve([
      {
        handle: async (request) => {
          signal = request.signal
          return textReply(200, 'ok')
        },
      },
    ])
    await ask(server, '/x')
    await until(() => lines.length === 1)
    assert.equal(signal?.aborted, false)
  })

  it('answers 504 when the handler takes too long, even if it does not listen', async () => {
    const gate = gated()
    const { server } = await serve([{ handle: gate.handle }], { writeTimeoutMs: 50 })
    const answer = await ask(server, '/x')
    assert.deepEqual([answer.status, answer.text], [504, 'the request took longer than 0.05 s'])
    assert.equal((gate.seen[0]!.signal.reason as { code: string }).code, 'timeout')
    gate.open()
  })

  it('cuts clients that do not take their answer', async () => {
    const body = Buffer.alloc(20_000_000)
    const { server, lines } = await serve([{ handle: async () => ({ status: 200, body }) }], { writeTimeoutMs: 300 })
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('GET /x HTTP/1.1\r\nhost: x\r\n\r\n')
    socket.pause()
    await until(() => lines.length === 1)
    assert.equal(lines[0]?.fields['status'], 499)
    socket.destroy()
  })

  it('counts and logs requests', async () => {
    const tenantRules = { ...testServerOptions.tenantRules, isAuthEnabled: true }
    const endpoint: Partial<Endpoint> = { path: '/loki/api/v1/label/:name/values', tenant: 'required' }
    const { server, lines, metrics } = await serve([endpoint], { tenantRules })
    const gate = gated()
    await ask(server, '/loki/api/v1/label/app/values?start=1', { headers: { 'x-scope-orgid': 'acme' } })
    await ask(server, '/loki/api/v1/label/app/values')
    await ask(server, '/nope')
    await until(() => lines.length === 3)
    const { duration, ...rest } = lines[0]?.fields ?? {}
    assert.match(String(duration), /^\d+\.\d{6}s$/)
    const path = '/loki/api/v1/label/app/values'
    assert.deepEqual(rest, { method: 'GET', path, status: 200, bytes: 2, tenant: 'acme', remote: '127.0.0.1' })
    assert.deepEqual(
      lines.map(({ level, message }) => [level, message]),
      [
        ['debug', 'request'],
        ['info', 'request'],
        ['info', 'request'],
      ],
    )
    const text = await metrics.text()
    const count = (labels: string): boolean =>
      text.includes(`loki_request_duration_seconds_count{method="GET",${labels},ws="false"} 1`)
    assert.ok(count('route="loki_api_v1_label_name_values",status_code="200"'))
    assert.ok(count('route="loki_api_v1_label_name_values",status_code="401"'))
    assert.ok(count('route="other",status_code="404"'))
    assert.match(text, /loki_inflight_requests\{method="GET",route="loki_api_v1_label_name_values"\} 0/)
    gate.open()
  })

  it('keeps connections open between requests', async () => {
    const { server } = await serve([{}])
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const first = await ask(server, '/x', { agent })
    assert.equal(first.headers.connection, 'keep-alive')
    const request = open(server, '/x', { agent })
    request.end()
    await answerTo(request)
    assert.equal(request.reusedSocket, true)
    agent.destroy()
  })
})

describe('HttpServer against bad clients', () => {
  /** Sends bytes as they are and gives what comes back until the connection ends. */
  function raw(server: HttpServer, text: string): Promise<string> {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(text)
    return buffer(socket).then(String)
  }

  it('answers what is not HTTP, heads that are too large, and requests that do not end', async () => {
    const endpoint: Partial<Endpoint> = { methods: ['POST'], body: 'raw' }
    const { server } = await serve([endpoint])
    const { server: hasty } = await serve([endpoint], { readTimeoutMs: 200 })
    assert.match(await raw(server, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 Bad Request\r\n/)
    assert.match(await raw(server, `GET /x HTTP/1.1\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /)
    assert.match(await raw(hasty, 'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab'), /^HTTP\/1\.1 408 /)
    assert.match(await raw(hasty, 'GET /x HTTP/1.1\r\nhost'), /^HTTP\/1\.1 408 /)
  })

  it('closes connections that are idle for too long', async () => {
    const { server } = await serve([{}], { idleTimeoutMs: 50 })
    assert.match(await raw(server, 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/)
  })

  it('limits connections', async () => {
    const gate = gated()
    const { server } = await serve([{ handle: gate.handle }], { maxConnections: 1 })
    const held = ask(server, '/x')
    await until(() => gate.seen.length === 1)
    assert.equal(await raw(server, 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n'), '')
    gate.open()
    assert.equal((await held).status, 200)
  })
})

describe('HttpServer.drain', () => {
  it('lets requests in flight finish, takes no more, and then is gone', async () => {
    const gate = gated()
    const { server } = await serve([{ handle: gate.handle }, { path: '/y' }])
    const agent = new Agent({ keepAlive: true })
    await ask(server, '/y', { agent })
    const held = ask(server, '/x', { agent })
    await until(() => gate.seen.length === 1)
    const drained = server.drain(60_000)
    await assert.rejects(ask(server, '/y'), { code: 'ECONNREFUSED' })
    assert.equal(gate.seen[0]?.signal.aborted, false)
    gate.open()
    const answer = await held
    assert.deepEqual([answer.status, answer.headers.connection], [200, 'close'])
    await drained
    agent.destroy()
  })

  it('cuts what does not finish in time', async () => {
    const gate = gated()
    const { server, lines } = await serve([{ handle: gate.handle }])
    const held = ask(server, '/x')
    await until(() => gate.seen.length === 1)
    await server.drain(20)
    const answer = await held
    assert.deepEqual([answer.status, answer.text, answer.headers['retry-after']], [503, 'server is stopping', '1'])
    assert.ok(lines.some(({ message }) => message === 'requests are cut off'))
    gate.open()
  })

  it('fails to start on a port that is taken', async () => {
    const { server } = await serve([])
    await assert.rejects(serve([], { port: server.port }), { code: 'EADDRINUSE' })
  })
})

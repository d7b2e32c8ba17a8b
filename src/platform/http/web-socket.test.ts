import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket as NetSocket } from 'node:net'
import { after, describe, it } from 'node:test'

import { WebSocket } from 'ws'

import { BadRequest } from '#/kernel/errors.ts'
import type { LogFields, Logger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { type Endpoint, type HttpRequest, type Socket, textReply } from './endpoint.ts'
import { HttpServer, type HttpServerOptions } from './http-server.ts'
import { testEndpoint, testServerOptions } from './testing-server.ts'

const { clock, random } = realWorld()
const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.drain(0))))

const defaults: HttpServerOptions = {
  ...testServerOptions,
  tenantRules: { ...testServerOptions.tenantRules, isMultiTenantAllowed: true },
}

const base: Endpoint = {
  ...testEndpoint,
  methods: ['GET', 'POST'],
  path: '/live',
  handle: async () => textReply(400, 'plain'),
}

async function serve(endpoint: Partial<Endpoint>, options: Partial<HttpServerOptions> = {}) {
  const lines: LogFields[] = []
  const note = (_message: string, fields: LogFields = {}): void => void lines.push(fields)
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger }
  const metrics = new Metrics()
  const endpoints = [
    { ...base, ...endpoint },
    { ...base, path: '/plain', handle: async () => textReply(200, 'fine') },
  ]
  const server = await HttpServer.start({ ...defaults, ...options }, { endpoints, clock, random, logger, metrics })
  servers.push(server)
  return { server, lines, metrics, url: `ws://127.0.0.1:${server.port}` }
}

/** An endpoint that shows what it got and ends when it is told to. */
function shown() {
  const seen: { request: HttpRequest; socket: Socket }[] = []
  const end = Promise.withResolvers<void>()
  const upgrade: Endpoint['upgrade'] = async (request) => async (socket) => {
    seen.push({ request, socket })
    await Promise.race([end.promise, new Promise((resolve) => socket.closed.addEventListener('abort', resolve))])
  }
  return { seen, upgrade, end: end.resolve }
}

const opened = (socket: WebSocket): Promise<unknown> => once(socket, 'open')
const closed = async (socket: WebSocket): Promise<readonly [number, string]> => {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return [code, reason.toString()]
}

async function refused(socket: WebSocket): Promise<{ status: number; text: string; headers: unknown }> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  const text = (await response.toArray()).join('')
  return { status: response.statusCode ?? 0, text, headers: response.headers }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 2000, 'it never happened')
    await clock.sleep(2)
  }
}

describe('WebSockets', () => {
  it('carry text to the client, with the request before it', async () => {
    const { seen, upgrade, end } = shown()
    const { server, url, lines, metrics } = await serve({ upgrade }, { pathPrefix: '/logs' })
    const client = new WebSocket(`${url}/logs/live?a=1&b=x%20y`, { headers: { 'x-mine': 'yes' } })
    await opened(client)
    const { request, socket } = seen[0]!
    assert.equal(request.path, '/live')
    assert.deepEqual(
      [...request.query],
      [
        ['a', '1'],
        ['b', 'x y'],
      ],
    )
    assert.deepEqual([request.headers['x-mine'], request.method, request.remoteAddress], ['yes', 'GET', '127.0.0.1'])
    const messages: string[] = []
    client.on('message', (data: Buffer, isBinary) => messages.push(`${isBinary} ${data}`))
    client.send('nobody listens')
    await socket.send('{"one":1}')
    await socket.send('ü')
    assert.equal(server.activeRequests, 1)
    end()
    assert.deepEqual(await closed(client), [1000, ''])
    assert.deepEqual(messages, ['false {"one":1}', 'false ü'])
    await until(() => server.activeRequests === 0)
    assert.deepEqual([lines[0]?.['status'], lines[0]?.['path']], [101, '/logs/live'])
    assert.ok(Number(lines[0]?.['bytes']) > 13)
    assert.match(
      await metrics.text(),
      /loki_request_duration_seconds_count\{method="GET",route="live",status_code="101",ws="true"\} 1/,
    )
  })

  it('are refused as HTTP: by the endpoint, without a tenant, without such a path or handshake', async () => {
    const upgrade: Endpoint['upgrade'] = async () => Promise.reject(new BadRequest('parse error'))
    const rules = { isAuthEnabled: true, noAuthTenant: '', isMultiTenantAllowed: true }
    const { url, server, lines } = await serve({ upgrade, tenant: 'required' }, { tenantRules: rules })
    const ask = (path: string, headers = {}) => refused(new WebSocket(url + path, { headers }))
    assert.deepEqual(
      { ...(await ask('/live', { 'x-scope-orgid': 'a' })), headers: 0 },
      {
        status: 400,
        text: 'parse error',
        headers: 0,
      },
    )
    assert.deepEqual({ ...(await ask('/live')), headers: 0 }, { status: 401, text: 'no org id\n', headers: 0 })
    assert.equal((await ask('/live', { 'x-scope-orgid': 'a|b' })).text, 'multiple org IDs present')
    assert.equal((await ask('/nothing')).status, 404)
    const plain = await ask('/plain')
    assert.deepEqual([plain.status, plain.text], [200, 'fine'])
    const { upgrade: willing } = shown()
    const other = await serve({ upgrade: willing })
    const bad = await raw(other.server.port, 'GET /live', 'Upgrade: websocket\r\nConnection: upgrade\r\n')
    assert.match(bad, /^HTTP\/1.1 400 Bad Request\r\n[^]*websocket: Missing or invalid Sec-WebSocket-Key header$/)
    await until(() => server.activeRequests + other.server.activeRequests === 0)
    assert.deepEqual(
      lines.map(({ status }) => status),
      [400, 401, 400, 404, 200],
    )
  })

  it('are no reason to treat other upgrades, and other methods, in another way', async () => {
    const { server } = await serve({ upgrade: shown().upgrade })
    const h2c = 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings, close\r\n'
    assert.match(await raw(server.port, 'GET /plain', h2c), /200 OK[^]*fine$/)
    const posted = await raw(server.port, 'POST /live', 'Upgrade: websocket\r\nConnection: upgrade, close\r\n')
    assert.match(posted, /400 Bad Request[^]*plain$/)
  })

  it('are pinged, and end when the client leaves, with or without a word', async () => {
    const { seen, upgrade } = shown()
    const { server, url } = await serve({ upgrade })
    const [polite, rude] = [new WebSocket(`${url}/live`), new WebSocket(`${url}/live`)]
    await Promise.all([opened(polite), opened(rude)])
    await once(polite, 'ping')
    polite.close(1000, 'bye')
    rude.terminate()
    await until(() => server.activeRequests === 0)
    assert.ok(seen.every(({ socket, request }) => socket.closed.aborted && request.signal.aborted))
    await seen[0]!.socket.send('to nobody')
    seen[0]!.socket.close(1000, '')
  })

  it('close with a code and a reason that fits, also when the endpoint fails', async () => {
    const reasons = ['all is well', 'ü'.repeat(200)]
    const { url } = await serve({
      upgrade: async ({ query }) => {
        const nth = Number(query.get('n'))
        return async (socket) => {
          if (nth === 2) throw new BadRequest('it went wrong')
          socket.close(1011, reasons[nth]!)
          socket.close(1000, 'too late')
        }
      },
    })
    assert.deepEqual(await closed(new WebSocket(`${url}/live?n=0`)), [1011, 'all is well'])
    assert.deepEqual(await closed(new WebSocket(`${url}/live?n=1`)), [1011, 'ü'.repeat(61)])
    assert.deepEqual(await closed(new WebSocket(`${url}/live?n=2`)), [1011, 'it went wrong'])
  })

  it('are cut when the client sends too much', async () => {
    const { upgrade, seen } = shown()
    const { url } = await serve({ upgrade })
    const client = new WebSocket(`${url}/live`)
    await opened(client)
    client.send('x'.repeat(17 * 1024))
    assert.equal((await closed(client))[0], 1009)
    await until(() => seen[0]!.socket.closed.aborted)
  })

  it('wait for a client that does not read, and cut one that never does', async () => {
    const { seen, upgrade } = shown()
    const { server, url } = await serve({ upgrade }, { writeTimeoutMs: 1500 })
    const client = new WebSocket(`${url}/live`)
    await opened(client)
    ;(client as unknown as { _socket: NetSocket })._socket.pause()
    const { socket } = seen[0]!
    let sent = 0
    const sending = (async () => {
      for (; !socket.closed.aborted; sent++) await socket.send('x'.repeat(1024 * 1024))
    })()
    // a send waits, as the client reads nothing
    for (let [same, last] = [0, -1]; same < 30; same = sent === last && sent > 0 ? same + 1 : 0) {
      last = sent
      await clock.sleep(10)
    }
    assert.ok(sent < 50, `${sent} MB fit into the buffers of the system`)
    await until(() => server.activeRequests === 0)
    await sending
    client.terminate()
  })

  it('end with 1001 when the server stops, at once, whoever reads', async () => {
    const { upgrade, seen } = shown()
    const { server, url } = await serve({ upgrade })
    const [reader, deaf] = [new WebSocket(`${url}/live`), new WebSocket(`${url}/live`)]
    await Promise.all([opened(reader), opened(deaf)])
    ;(deaf as unknown as { _socket: NetSocket })._socket.pause()
    const startMs = clock.monotonicMs()
    const drained = server.drain(120_000)
    assert.deepEqual(await closed(reader), [1001, 'server is stopping'])
    await drained
    assert.ok(clock.monotonicMs() - startMs < 60_000)
    assert.ok(seen.every(({ socket }) => socket.closed.aborted))
    deaf.terminate()
  })
})

describe('endless answers', () => {
  it('are told when the server stops', async () => {
    const stop = Promise.withResolvers<void>()
    const body = (async function* () {
      yield Buffer.from('first\n')
      await stop.promise
      yield Buffer.from('last\n')
    })()
    const handle: Endpoint['handle'] = async () => ({ status: 200, body, onStop: stop.resolve, mayCompress: false })
    const { server } = await serve({ handle })
    const request = httpRequest({ port: server.port, path: '/live', headers: { 'accept-encoding': 'gzip' } }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    assert.equal(response.headers['content-encoding'], undefined)
    const [first] = (await once(response, 'data')) as [Buffer]
    assert.equal(first.toString(), 'first\n')
    const drained = server.drain(20_000)
    assert.equal((await response.toArray()).join(''), 'last\n')
    await drained
  })
})

/** Sends a head as it is and gives all that comes back. */
async function raw(port: number, start: string, headers: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${start} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n${headers}\r\n`)
  return (await socket.toArray()).join('')
}

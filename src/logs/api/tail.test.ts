/** The tail endpoints with real sockets, over live tails of a store of plain values. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'

import { WebSocket } from 'ws'

import { HeldClock, testTails, type TestTailsOptions } from '#/logs/read/tail/testing-tails.ts'
import { HttpServer } from '#/platform/http/http-server.ts'
import { testServerOptions } from '#/platform/http/testing-server.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { tailEndpoints } from './tail.ts'

const { clock, random } = realWorld()
const servers: HttpServer[] = []
after(() => Promise.all(servers.map((server) => server.drain(0))))

async function serve(options: TestTailsOptions = {}, endpointClock = clock) {
  const { store, tails } = testTails(options)
  const server = await HttpServer.start(
    {
      ...testServerOptions,
      tenantRules: { isAuthEnabled: true, noAuthTenant: 'fake', isMultiTenantAllowed: true },
      maxBodyBytes: 10_000,
    },
    {
      endpoints: tailEndpoints({ tails, clock: endpointClock }),
      clock,
      random,
      logger: silentLogger,
      metrics: new Metrics(),
    },
  )
  servers.push(server)
  return { store, tails, server, port: server.port }
}

type Params = Readonly<Record<string, string>>
const paths = { v1: '/loki/api/v1/tail', legacy: '/api/prom/tail' }
const uri = (path: string, params: Params): string => `${path}?${new URLSearchParams(params).toString()}`

function openSocket(port: number, params: Params, headers: Params = {}, path = paths.v1): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}${uri(path, params)}`, { headers: { 'x-scope-orgid': 't', ...headers } })
}

/** Collects frames; `next(n)` waits until there are n. */
function framesOf(socket: WebSocket): {
  readonly texts: string[]
  readonly next: (count: number) => Promise<string[]>
} {
  const texts: string[] = []
  socket.on('message', (data: Buffer) => texts.push(data.toString()))
  const next = async (count: number): Promise<string[]> => {
    for (let turns = 0; texts.length < count; turns++) {
      assert.ok(turns < 1000, `${texts.length} of ${count} frames came`)
      await clock.sleep(5)
    }
    return texts
  }
  return { texts, next }
}

const closeOf = async (socket: WebSocket): Promise<readonly [number, string]> => {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return [code, reason.toString()]
}

type Answer = { readonly status: number; readonly text: string }

async function refusalOf(socket: WebSocket): Promise<Answer> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  return { status: response.statusCode ?? 0, text: (await response.toArray()).join('') }
}

function ask(port: number, path: string, headers: Params = {}, method = 'GET'): ClientRequest {
  const all = { 'x-scope-orgid': 't', ...headers }
  return httpRequest({ host: '127.0.0.1', port, path, headers: all, method, agent: false })
}

async function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request.end(), 'response')) as [IncomingMessage]
  return response
}

const TIME = 1_790_000_000_000_000_001n
const now = (): bigint => clock.nowNs()
const query = '{app="a"}'
const start = '1790000000'
const stored = (line: string, offset = 0n, metadata = {}) => ({
  stream: '{app="a", "x y"="ü"}',
  timeNs: TIME + offset,
  line,
  metadata,
})
const fresh = (line: string) => ({ stream: '{app="a"}', timeNs: now(), line })

describe('tail over a WebSocket', () => {
  it('sends frames as Loki does: history in one, then what comes', async () => {
    const { store, port } = await serve()
    store.push(stored('one "quoted"\n', 0n, { trace: '1' }), stored('two', 1n))
    const socket = openSocket(port, { query, start, limit: '10', delay_for: '0' })
    const { next } = framesOf(socket)
    assert.deepEqual(await next(1), [
      '{"streams":[' +
        '{"stream":{"app":"a","trace":"1","x y":"ü"},"values":[["1790000000000000001","one \\"quoted\\"\\n"]]},' +
        '{"stream":{"app":"a","x y":"ü"},"values":[["1790000000000000002","two"]]}]}',
    ])
    const one = fresh('three')
    store.push(one)
    const [, live] = await next(2)
    assert.equal(live, `{"streams":[{"stream":{"app":"a"},"values":[["${one.timeNs}","three"]]}]}`)
    socket.close(1000)
    assert.deepEqual(await closeOf(socket), [1000, ''])
  })

  it('categorises labels on demand, and echoes flags', async () => {
    const { store, port } = await serve()
    store.push(stored('a=b', 0n, { trace: '1' }))
    const headers = { 'X-Loki-Response-Encoding-Flags': 'categorize-labels, other' }
    const socket = openSocket(port, { query: `${query} | logfmt`, start }, headers)
    const { next } = framesOf(socket)
    await next(1)
    store.push({ ...stored('c=d', 0n, { trace: '2' }), timeNs: TIME + 5n })
    store.push({ stream: '{app="a"}', timeNs: TIME + 6n, line: 'x' })
    assert.deepEqual((await next(2)).slice(0, 2), [
      '{"streams":[{"stream":{"app":"a","x y":"ü"},"values":[["1790000000000000001","a=b",{"structuredMetadata":{"trace":"1"}}]]}],"encodingFlags":["categorize-labels","other"]}',
      '{"streams":[{"stream":{"app":"a","x y":"ü"},"values":[["1790000000000000006","c=d",{"structuredMetadata":{"trace":"2"},"parsed":{"c":"d"}}]]},' +
        '{"stream":{"app":"a"},"values":[["1790000000000000007","x",{}]]}],"encodingFlags":["categorize-labels","other"]}',
    ])
    socket.close()
  })

  it('speaks the older dialect on the older path', async () => {
    const { store, port } = await serve()
    store.push(stored('one', 0n, { trace: '1' }))
    const headers = { 'X-Loki-Response-Encoding-Flags': 'categorize-labels' }
    const socket = openSocket(port, { query, start }, headers, paths.legacy)
    const { next } = framesOf(socket)
    assert.deepEqual(await next(1), [
      '{"streams":[{"labels":"{app=\\"a\\", trace=\\"1\\", \\"x y\\"=\\"ü\\"}","entries":[{"ts":"2026-09-21T14:13:20.000000001Z","line":"one"}]}]}',
    ])
    socket.close()
  })

  it('takes its parameters', async () => {
    const { store, port } = await serve()
    const before = now()
    const socket = openSocket(port, { query })
    await once(socket, 'open')
    while (store.asked.length === 0) await clock.sleep(2)
    const [plain] = store.asked
    assert.equal(plain!.limit, 100)
    assert.ok(plain!.startNs >= before - 3_600_000_000_000n)
    assert.ok(plain!.startNs <= now() - 3_600_000_000_000n)
    assert.ok(plain!.endNs >= before)
    socket.close()
    const other = openSocket(port, { query, start: '1790000000.5', limit: '7' })
    await once(other, 'open')
    while (store.asked.length === 1) await clock.sleep(2)
    assert.deepEqual([store.asked[1]!.limit, store.asked[1]!.startNs], [7, 1_790_000_000_500_000_000n])
    other.close()
  })

  it('holds lines back for `delay_for` seconds', async () => {
    const held = new HeldClock()
    const { store, port } = await serve({ clock: held })
    const delayed = openSocket(port, { query, start, delay_for: '1' })
    const { next, texts } = framesOf(delayed)
    await once(delayed, 'open')
    store.push({ ...fresh('x'), timeNs: held.nowNs() })
    held.pass(1000)
    await clock.sleep(150)
    assert.deepEqual(texts, [])
    held.pass(1)
    assert.match((await next(1))[0]!, /"x"/)
    delayed.close()
  })

  it('refuses bad requests before the handshake', async () => {
    const { port, tails } = await serve()
    const refused = async (params: Params, headers: Params = {}): Promise<Answer> =>
      refusalOf(openSocket(port, params, headers))
    const bad = async (params: Params, text: string): Promise<void> =>
      assert.deepEqual(await refused(params), { status: 400, text })
    await bad({ query: '' }, 'parse error : syntax error: unexpected $end')
    await bad({ query, delay_for: '6' }, "delay_for can't be greater than 5")
    await bad({ query, delay_for: '-1' }, `could not parse 'delay_for' parameter: "-1" is not a whole number`)
    await bad({ query, limit: '0' }, 'limit must be a positive value')
    await bad({ query, limit: 'x' }, `could not parse 'limit' parameter: "x" is not a whole number`)
    await bad(
      { query, limit: '5001' },
      'max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)',
    )
    assert.match((await refused({ query, start: 'yesterday' })).text, /^could not parse 'start' parameter: /)
    assert.deepEqual(await refused({ query }, { 'x-scope-orgid': '' }), { status: 401, text: 'no org id\n' })
    assert.deepEqual(await refused({ query }, { 'x-scope-orgid': 'a|b' }), {
      status: 400,
      text: 'multiple org IDs present',
    })
    assert.equal(tails.stats.tails, 0)
  })

  it('says on the open socket why it ends', async () => {
    const held = new HeldClock()
    const { port } = await serve({
      limits: { max_concurrent_tail_requests: 1 },
      maxDurationMs: 300,
      clock: held,
    })
    assert.deepEqual(await closeOf(openSocket(port, { query: 'rate({app="a"}[1m])' })), [
      1011,
      'only log selector is supported',
    ])
    const first = openSocket(port, { query })
    await once(first, 'open')
    assert.deepEqual(await closeOf(openSocket(port, { query })), [
      1011,
      'max concurrent tail requests limit exceeded, count > limit (2 > 1)',
    ])
    held.pass(300)
    assert.deepEqual(await closeOf(first), [1011, 'reached tail max duration limit'])
    const again = openSocket(port, { query })
    await once(again, 'open')
    again.close()
  })

  it('frees the tail when the client is gone', async () => {
    const { port, tails } = await serve()
    const sockets = [openSocket(port, { query }), openSocket(port, { query })]
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    assert.equal(tails.stats.tails, 2)
    sockets[0]!.close()
    sockets[1]!.terminate()
    for (let turns = 0; tails.stats.tails > 0; turns++) {
      assert.ok(turns < 500)
      await clock.sleep(2)
    }
    assert.equal(tails.stats.bytes, 0)
  })

  it('reports what a client missed that stopped reading', { timeout: 120_000 }, async () => {
    const { port, store, tails } = await serve()
    const socket = openSocket(port, { query, start })
    const { texts } = framesOf(socket)
    await once(socket, 'open')
    const connection = (socket as unknown as { _socket: NetSocket })._socket
    connection.pause()
    const line = 'x'.repeat(1000)
    let sent = 0
    const startMs = clock.monotonicMs()
    while (tails.stats.droppedEntries < 50) {
      assert.ok(clock.monotonicMs() - startMs < 60_000)
      for (let i = 0; i < 100; i++, sent++) store.push(fresh(line))
      await clock.sleep(10)
    }
    connection.resume()
    type Frame = {
      readonly streams: readonly unknown[]
      readonly dropped_entries?: readonly { readonly labels: unknown; readonly timestamp: string }[]
    }
    const read = (): Frame[] => texts.map((text) => JSON.parse(text) as Frame)
    const lost = (): number => read().reduce((sum, frame) => sum + (frame.dropped_entries?.length ?? 0), 0)
    const seen = (): number => read().reduce((sum, frame) => sum + frame.streams.length, 0)
    while (seen() + lost() < sent) {
      assert.ok(clock.monotonicMs() - startMs < 110_000, `${seen()} seen, ${lost()} lost of ${sent}`)
      await clock.sleep(50)
    }
    assert.equal(seen() + lost(), sent)
    const report = read().find((frame) => frame.dropped_entries !== undefined)?.dropped_entries?.[0]
    assert.deepEqual(report?.labels, { app: 'a' })
    assert.match(report?.timestamp ?? '', /^\d{19}$/)
    assert.ok(read().every((frame) => frame.streams.length <= 100))
    socket.close()
  })

  it('ends with 1001 when the server stops', async () => {
    const { port, server, tails } = await serve()
    const socket = openSocket(port, { query })
    await once(socket, 'open')
    const lines = await answerTo(ask(port, uri(paths.v1, { query }), { accept: 'application/x-ndjson' }))
    const drained = server.drain(20_000)
    assert.deepEqual(await closeOf(socket), [1001, 'server is stopping'])
    assert.equal((await lines.toArray()).join(''), '')
    await drained
    assert.equal(tails.stats.tails, 0)
  })
})

describe('tail as lines of JSON', () => {
  it('sends the same frames, one a line', async () => {
    const { store, port, tails } = await serve()
    store.push(stored('one'))
    for (const [path, method] of [
      [paths.v1, 'GET'],
      [paths.legacy, 'POST'],
    ] as const) {
      const headers = { accept: 'text/html, application/x-ndjson;q=0.9', 'accept-encoding': 'gzip' }
      const request = ask(port, uri(path, { query, start }), headers, method)
      const response = await answerTo(request)
      const { 'content-type': type, 'content-encoding': encoding } = response.headers
      assert.deepEqual([response.statusCode, type, encoding], [200, 'application/x-ndjson', undefined])
      const lines = createInterface({ input: response })[Symbol.asyncIterator]()
      const first = ((await lines.next()).value as string) ?? ''
      assert.match(first, path === paths.v1 ? /^\{"streams":\[\{"stream":.*\}$/ : /^\{"streams":\[\{"labels":.*\}$/)
      store.push(fresh('two'))
      assert.match((await lines.next()).value as string, /"two"/)
      request.destroy()
    }
    for (let turns = 0; tails.stats.tails > 0; turns++) {
      assert.ok(turns < 500)
      await clock.sleep(2)
    }
  })

  it('sends an empty line from time to time when there is nothing to tell', async () => {
    const soon = { ...clock, sleep: (ms: number, signal?: AbortSignal) => clock.sleep(ms / 1000, signal) }
    const { port, store } = await serve({}, soon)
    const request = ask(port, uri(paths.v1, { query }), { accept: 'application/x-ndjson' })
    const lines = createInterface({ input: await answerTo(request) })[Symbol.asyncIterator]()
    assert.deepEqual([(await lines.next()).value, (await lines.next()).value], ['{"streams":[]}', '{"streams":[]}'])
    store.push(fresh('here'))
    let line = '{"streams":[]}'
    while (line === '{"streams":[]}') line = (await lines.next()).value as string
    assert.match(line, /"here"/)
    request.destroy()
  })

  it('refuses as other endpoints do, and says at the end why it ends', async () => {
    const held = new HeldClock()
    const { port, tails } = await serve({
      limits: { max_concurrent_tail_requests: 1 },
      maxDurationMs: 200,
      clock: held,
    })
    const text = async (params: Params, headers: Params): Promise<Answer> => {
      const response = await answerTo(ask(port, uri(paths.v1, params), headers))
      return { status: response.statusCode ?? 0, text: (await response.toArray()).join('') }
    }
    const accept = { accept: 'application/x-ndjson' }
    assert.deepEqual(await text({ query }, {}), {
      status: 400,
      text: 'a tail needs a WebSocket (Upgrade: websocket) or the header Accept: application/x-ndjson',
    })
    assert.deepEqual(await text({ query: 'rate({app="a"}[1m])' }, accept), {
      status: 400,
      text: 'only log selector is supported',
    })
    assert.deepEqual(await text({ query }, { ...accept, 'x-scope-orgid': '' }), { status: 401, text: 'no org id\n' })
    const first = text({ query }, accept)
    while (tails.stats.tails === 0) await clock.sleep(2)
    assert.deepEqual(await text({ query }, accept), {
      status: 400,
      text: 'max concurrent tail requests limit exceeded, count > limit (2 > 1)',
    })
    held.pass(200)
    assert.deepEqual(await first, { status: 200, text: '{"error":"reached tail max duration limit"}\n' })
  })
})

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { type WebSocket, WebSocketServer } from 'ws'

import { realWorld } from '#/platform/world/real-world.ts'
import type { CliIo } from './io.ts'
import { runCli } from './main.ts'

type Client = {
  readonly socket: WebSocket
  readonly params: URLSearchParams
  readonly headers: NodeJS.Dict<string | string[]>
}

/** A server whose tails are in the hands of the test: `serve` gets each of them, by number. */
async function fakeTails(serve: (client: Client, nth: number) => void, refuse?: { status: number; text: string }) {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  const clients: Client[] = []
  server.on('upgrade', (request, connection, head) => {
    if (refuse !== undefined) {
      connection.end(`HTTP/1.1 ${refuse.status} No\r\ncontent-length: ${refuse.text.length}\r\n\r\n${refuse.text}`)
      return
    }
    sockets.handleUpgrade(request, connection, head, (socket) => {
      const client = { socket, params: new URL(request.url ?? '', 'http://x').searchParams, headers: request.headers }
      serve(client, clients.push(client) - 1)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async (): Promise<void> => {
    for (const { socket } of clients) socket.terminate()
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { address, clients, [Symbol.asyncDispose]: close }
}

function start(argv: readonly string[]) {
  const stop = new AbortController()
  const got = { out: '', err: '' }
  const { clock, ...world } = realWorld()
  const waits: number[] = []
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    waits.push(ms)
    await clock.sleep(1, signal)
  }
  const io: CliIo = {
    out: async (text) => void (got.out += text),
    err: (text) => void (got.err += text),
    stdin: (async function* () {})(),
    isTerminal: false,
    env: {},
    world: { ...world, clock: { ...clock, sleep } },
    signal: stop.signal,
  }
  const nothing = (): Promise<undefined> => Promise.resolve(undefined)
  const deps = {
    version: '',
    inspectors: { block: nothing, wal: nothing, catalog: nothing },
    openRuleEngine: () => Promise.reject(new Error('none')),
    openLocalData: () => Promise.reject(new Error('none')),
  }
  const code = runCli(['tail', ...argv], io, deps)
  return { code, got, waits, stop: () => stop.abort() }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 1000, 'it never happened')
    await realWorld().clock.sleep(5)
  }
}

const T = 1_700_000_000_000_000_000n
const frame = (...entries: readonly (readonly [bigint, string])[]): string =>
  JSON.stringify({
    streams: entries.map(([ns, line]) => ({ stream: { app: 'a', pod: 'p' }, values: [[String(ns), line]] })),
  })

test('prints what comes until Ctrl+C, which is no error', async () => {
  await using server = await fakeTails(({ socket }) => socket.send(frame([T, 'one'], [T + 1_000_000_000n, 'two '])))
  const flags = ['--addr', server.address, '--tenant', 't', '-z', 'UTC', '--limit', '5', '--delay-for', '2']
  const run = start(['{app="a"}', ...flags, '--from', String(T)])
  await until(() => run.got.out.includes('two'))
  run.stop()
  assert.equal(await run.code, 0)
  assert.equal(
    run.got.out,
    '2023-11-14T22:13:20Z {app="a", pod="p"} one\n2023-11-14T22:13:21Z {app="a", pod="p"} two\n',
  )
  assert.equal(run.got.err, '')
  const [client] = server.clients
  assert.deepEqual(Object.fromEntries(client!.params), {
    query: '{app="a"}',
    limit: '5',
    start: String(T),
    delay_for: '2',
  })
  assert.equal(client!.headers['x-scope-orgid'], 't')
})

test('prints JSON for programs, and lines alone', async () => {
  await using server = await fakeTails(({ socket }) => {
    socket.send(frame([T + 5n, 'one']))
    socket.close(1000)
  })
  const json = start(['{app="a"}', '--addr', server.address, '-z', 'UTC', '--json'])
  assert.equal(await json.code, 0)
  assert.deepEqual(JSON.parse(json.got.out), {
    labels: { app: 'a', pod: 'p' },
    line: 'one',
    timestamp: '2023-11-14T22:13:20.000000005Z',
  })
  const raw = start(['{app="a"}', '--addr', server.address, '-o', 'raw'])
  assert.equal(await raw.code, 0)
  assert.equal(raw.got.out, 'one\n')
})

test('comes back after a loss where it was, without a line twice', async () => {
  await using server = await fakeTails(({ socket }, nth) => {
    if (nth === 0) {
      socket.send(frame([T, 'one'], [T + 1n, 'two'], [T + 1n, 'two b']), () => socket.terminate())
    } else if (nth === 1) {
      socket.send(frame([T + 1n, 'two'], [T + 1n, 'two b'], [T + 1n, 'two c'], [T + 2n, 'three']))
      socket.close(1001, 'server is stopping')
    } else if (nth === 2) {
      socket.send(frame([T + 2n, 'three']))
      socket.close(1011, 'reached tail max duration limit')
    } else {
      socket.send(frame([T + 2n, 'three'], [T + 3n, 'four']))
      socket.close(1000)
    }
  })
  const run = start(['{app="a"}', '--addr', server.address, '-o', 'raw'])
  assert.equal(await run.code, 0)
  assert.equal(run.got.out, 'one\ntwo\ntwo b\ntwo c\nthree\nfour\n')
  assert.equal(
    run.got.err,
    'edda: the connection was lost, trying again in 0.5 s\n' +
      'edda: the server ended the tail (server is stopping), trying again in 0.5 s\n',
  )
  assert.deepEqual(
    server.clients.slice(1).map(({ params }) => params.get('start')),
    [T + 1n, T + 2n, T + 2n].map(String),
  )
})

test('says what the server dropped', async () => {
  await using server = await fakeTails(({ socket }) => {
    const dropped_entries = [T + 1n, T].map((ns) => ({ labels: { app: 'a' }, timestamp: String(ns) }))
    socket.send(JSON.stringify({ streams: null, dropped_entries }))
    socket.close(1000)
  })
  const run = start(['{app="a"}', '--addr', server.address])
  assert.equal(await run.code, 0)
  assert.match(run.got.err, /the server dropped 2 lines, from 2023-11-14T22:13:20Z on/)
})

test('fails with the server’s words when it does not want the query', async () => {
  const refusal = { status: 400, text: 'parse error at line 1, col 2: unexpected' }
  await using server = await fakeTails(() => undefined, refusal)
  const run = start(['{', '--addr', server.address])
  assert.equal(await run.code, 1)
  assert.equal(run.got.err, `edda: the server answered 400: ${refusal.text}\n`)
  await using other = await fakeTails(({ socket }) => socket.close(1011, 'only log selector is supported'))
  const metric = start(['rate({app="a"}[1m])', '--addr', other.address])
  assert.equal(await metric.code, 1)
  assert.equal(metric.got.err, 'edda: the server said: only log selector is supported\n')
})

test('gives up when nobody answers, after longer and longer waits', async () => {
  const run = start(['{app="a"}', '--addr', 'http://127.0.0.1:1'])
  assert.equal(await run.code, 1)
  assert.match(run.got.err, /edda: no answer from http:\/\/127.0.0.1:1: ECONNREFUSED\n$/)
  assert.deepEqual(run.waits, [1000, 2000, 4000, 8000])
})

test('checks its options', async () => {
  for (const flags of [
    ['--limit', 'x'],
    ['--delay-for', '-1'],
    ['--since', 'y'],
    ['-o', 'z'],
    ['--from', 'now'],
  ]) {
    assert.equal(await start(['{app="a"}', ...flags]).code, 2, flags.join(' '))
  }
})

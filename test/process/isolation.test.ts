/**
 * One tenant and what it may try: with a credential for tenant `a`, every endpoint of the table with every trick, while tenant `b` has data
 * in heads and blocks under names and texts that are found nowhere else. Nothing of them may come out, and nothing of them may change.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { WebSocket } from 'ws'

import { endpointTable } from '#/app/endpoints/table.ts'
import { newToken } from '#/platform/auth/secret-hash.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { type EddaProcess, startEdda } from './edda-process.ts'

const world = realWorld()
/** In every name, value and line of tenant b; letters that JSON, URLs and label names leave alone. */
const SECRET = 'zebraxylophone'
const a = newToken(world.random)
const b = newToken(world.random)
const any = newToken(world.random)
/** So long an answer is listened to that has no end; any other one has an end. */
const ENDLESS_LIMIT_MS = 400
const ANSWER_LIMIT_MS = 60_000

type Headers = Readonly<Record<string, string | readonly string[]>>
type Call = { readonly method?: string; readonly headers?: Headers; readonly body?: string }
type Answer = { readonly status: number; readonly text: string }

/** A raw request: nothing of path and headers is corrected on the way. An answer without an end is cut. */
function send(url: string, path: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const take = (response: IncomingMessage): void => {
      const chunks: Buffer[] = []
      const done = (): void => {
        clearTimeout(timer)
        sent.destroy()
        const head = JSON.stringify(response.headers)
        resolve({ status: response.statusCode ?? 0, text: head + Buffer.concat(chunks).toString() })
      }
      const timer = setTimeout(done, path.includes('/tail') ? ENDLESS_LIMIT_MS : ANSWER_LIMIT_MS)
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', done).on('error', done)
    }
    const sent = request({ hostname, port, path, method, headers: headers as Record<string, string> }, take)
    // Node announces no body for DELETE
    if (body !== undefined) sent.setHeader('content-length', Buffer.byteLength(body))
    sent.on('error', reject).end(body)
  })
}

/** Headers of a that name, or seem to name, another tenant. */
const headerTricks: readonly Headers[] = [
  {},
  ...[
    'a',
    'b',
    'a|b',
    'b|a',
    'a|*',
    'a:b',
    'b:x=y',
    'a:|b',
    'a|b:',
    'a,b',
    'a;b',
    'a b',
    'a%7Cb',
    'a/../b',
    '../b',
    'b/.',
    './b',
  ].map((id) => ({ 'X-Scope-OrgID': id })),
  ...[
    'B',
    '*',
    '.*',
    'a\tb',
    'b\u00a0',
    'b\u00ad',
    '\u00e2',
    '__proto__',
    'constructor',
    'fake',
    '"b"',
    "b'--",
    '(b)',
  ].map((id) => ({ 'X-Scope-OrgID': id })),
  { 'X-Scope-OrgID': ['a', 'b'] },
  { 'X-Scope-OrgID': ['b', 'a'] },
  { 'X-Scope-OrgID': 'a', X_Scope_OrgID: 'b' },
  { 'X-Scope-OrgID': 'a', 'X-Original-URL': '/loki/api/v1/labels', 'X-Rewrite-URL': '/config' },
  {
    'X-Scope-OrgID': 'a',
    'X-Forwarded-For': '127.0.0.1',
    'X-Forwarded-User': 'b',
    'X-Tenant': 'b',
    Forwarded: 'for=b',
  },
  { 'X-Scope-OrgID': 'a', 'X-Loki-Actor-Path': 'b|a', 'X-Query-Tags': 'Source=grafana-lokiexplore-app,tenant=b' },
  { 'X-Scope-OrgID': 'a', 'X-Loki-Ingestion-Policy': '../b', 'X-Loki-Backfill-Shard': '../../b' },
  { 'X-Scope-OrgID': 'a', 'X-HTTP-Method-Override': 'DELETE', 'Cache-Control': 'no-cache' },
  { 'X-Scope-OrgID': 'a', Accept: 'application/x-ndjson' },
  { 'X-Scope-OrgID': 'a', 'Accept-Encoding': 'identity', Range: 'bytes=0-', 'If-None-Match': '*' },
]

const all = '{__name__=~".*", app=~".+"}'
/** Everything that an endpoint could take from its parameters, in every direction that leads elsewhere. */
const queries: readonly string[] = [
  '{app=~".+"}',
  '{app=~".+", __tenant_id__="b"}',
  '{__tenant_id__=~".+", app=~".+"}',
  '{app=~".+", original___tenant_id__!="a"}',
  `{${SECRET}_label=~".+"}`,
  'sum by (__tenant_id__, app) (count_over_time({app=~".+"}[1h]))',
]

function parametersWith(query: string): URLSearchParams {
  const endS = Math.ceil(Date.now() / 1000) + 60
  const parameters = new URLSearchParams({
    query,
    start: String(endS - 7200),
    end: String(endS),
    limit: '5000',
    line_limit: '1000',
    step: '60',
    targetLabels: 'app,__tenant_id__',
    tenant: 'b',
    tenants: 'a|b',
    orgid: 'b',
    'X-Scope-OrgID': 'b',
    flush: 'true',
    mode: 'full',
    streams: query,
    log_level: 'info',
    forget: 'b',
  })
  for (const one of [query, all]) parameters.append('match[]', one)
  return parameters
}

/** Paths of a route: its own, and with every parameter turned into something that climbs, ends or hides. */
function pathsOf({ path }: Endpoint): readonly string[] {
  if (!path.includes(':')) return [path, `${path}/`, `/${path}`, `/b/..${path}`, `/%2e%2e${path}`, `${path}%2f..%2fb`]
  const values = [
    'app',
    '__tenant_id__',
    `${SECRET}_label`,
    '..%2f..%2fb',
    '%2e%2e',
    '%00',
    'app%2f..%2f..%2fb',
    'b%7Ca',
  ]
  return values.map((value) => path.replaceAll(/:\w+/g, value))
}

describe('a tenant with a credential of its own', () => {
  let dir: string
  let edda: EddaProcess
  let seenByB: readonly string[]

  const as = ({ token }: { readonly token: string }, headers: Headers = {}): Headers => ({
    ...headers,
    authorization: `Bearer ${token}`,
  })
  const push = (who: { readonly token: string }, streams: unknown, headers: Headers = {}): Promise<Answer> =>
    send(edda.url, '/loki/api/v1/push', {
      method: 'POST',
      headers: as(who, { 'content-type': 'application/json', ...headers }),
      body: JSON.stringify({ streams }),
    })
  /** Everything that b can see of itself. */
  const viewOfB = async (): Promise<readonly string[]> => {
    const query = parametersWith('{app=~".+"}').toString()
    const views = [
      '/loki/api/v1/query_range',
      '/loki/api/v1/labels',
      '/loki/api/v1/label/app/values',
      '/loki/api/v1/series',
    ]
    return Promise.all(
      views.map(async (path) => {
        const { status, text } = await send(edda.url, `${path}?${query}`, { headers: as(b) })
        assert.equal(status, 200, text)
        const { data } = JSON.parse(text.slice(text.indexOf('}{') + 1)) as { data: { result?: unknown } }
        return JSON.stringify((data as { result?: unknown }).result ?? data)
      }),
    )
  }
  const ofB = (name: string, timeMs: number): unknown[] => [
    {
      stream: { app: `${SECRET}_${name}`, [`${SECRET}_label`]: SECRET },
      values: [[`${timeMs}000000`, `{"${SECRET}_field":"${SECRET}"}`, { [`${SECRET}_metadata`]: SECRET }]],
    },
  ]

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-isolation-'))
    const entry = (name: string, stored: string, tenants: string): string =>
      `- {name: ${name}, token: '${stored}', tenants: ${tenants}, permissions: [read, write]}\n`
    await writeFile(
      join(dir, 'credentials.yaml'),
      entry('a', a.stored, '[a]') + entry('b', b.stored, '[b]') + entry('any', any.stored, "'*'"),
    )
    await writeFile(join(dir, 'runtime.yaml'), `overrides: {b: {discover_service_name: [${SECRET}]}}`)
    edda = await startEdda({
      dataDir: join(dir, 'data'),
      flags: [
        '-auth.enabled=true',
        '-querier.multi-tenant-queries-enabled=true',
        `-auth.file=${join(dir, 'credentials.yaml')}`,
        `-runtime-config.file=${join(dir, 'runtime.yaml')}`,
        `-ingester.shutdown-marker-path=${dir}`,
      ],
    })
    const nowMs = Date.now()
    assert.equal((await push(b, ofB('block', nowMs - 1000))).status, 204)
    assert.equal((await send(edda.url, '/flush/tenant', { method: 'POST', headers: as(b) })).status, 204)
    assert.equal((await push(b, ofB('head', nowMs))).status, 204)
    assert.equal((await push(a, [{ stream: { app: 'mine' }, values: [[`${nowMs}000000`, 'mine']] }])).status, 204)
    seenByB = await viewOfB()
    assert.ok(seenByB.every((view) => view.includes(SECRET)))
    assert.ok(seenByB[0]?.includes('_block') && seenByB[0].includes('_head'))
  })
  after(async () => {
    await edda?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  /** What came out must not be b's. The question itself may be repeated. */
  function check({ text, status }: Answer, asked: string): void {
    const foreign = text.replaceAll(asked, '').replaceAll(`${SECRET}_label`, '')
    assert.ok(!foreign.includes(SECRET), `${status} ${asked}: ${foreign.slice(0, 500)}`)
    assert.ok(status < 500 || status === 503, `${status} ${asked}: ${foreign.slice(0, 500)}`)
  }

  const table = endpointTable(world)
  const reading = table.filter(({ access, methods }) => access !== 'write' && methods.includes('GET'))

  test('sees nothing of another one: every endpoint, every header', async () => {
    assert.ok(table.length > 40)
    let served = 0
    for (const endpoint of table) {
      const path = pathsOf(endpoint)[0] ?? ''
      for (const method of endpoint.methods) {
        const answers = headerTricks.map(async (trick) => {
          const query = parametersWith('{app=~".+"}').toString()
          const form = { 'content-type': 'application/x-www-form-urlencoded' }
          const call =
            method === 'GET'
              ? { headers: as(a, trick) }
              : { method, headers: as(a, { ...form, ...trick }), body: endpoint.body === 'none' ? '' : query }
          const answer = await send(edda.url, method === 'GET' ? `${path}?${query}` : path, call)
          check(answer, `${method} ${path} ${JSON.stringify(trick)}`)
          if (endpoint.access === 'admin') assert.equal(answer.status, 403, `${method} ${path}`)
          if (answer.status === 200) served++
        })
        await Promise.all(answers)
      }
    }
    // it is no test when everything is refused
    assert.ok(served > 100, `${served} answers with 200`)
  })

  test('sees nothing of another one: every query, every path', async () => {
    for (const endpoint of reading) {
      for (const path of pathsOf(endpoint)) {
        const answers = queries.map(async (query) => {
          const url = `${path}?${parametersWith(query).toString()}`
          check(await send(edda.url, url, { headers: as(a) }), url)
        })
        await Promise.all(answers)
      }
    }
  })

  test('cannot go on where another one has stopped', async () => {
    const endS = Math.ceil(Date.now() / 1000)
    const page = { query: '{app=~".+"}', limit: '1', start: String(endS - 3600), end: String(endS + 60) }
    const read = (who: { readonly token: string }, more: Record<string, string>): Promise<Answer> =>
      send(edda.url, `/loki/api/v1/query_range?${new URLSearchParams({ ...page, ...more }).toString()}`, {
        headers: as(who),
      })
    const cursor = /"cursor":"([\w-]+)"/.exec((await read(b, { cursor: '' })).text)?.[1]
    assert.ok(cursor !== undefined, (await read(b, { cursor: '' })).text)
    assert.equal((await read(b, { cursor })).status, 200)
    const taken = await read(a, { cursor })
    check(taken, cursor)
    assert.equal(taken.status, 400, taken.text)
  })

  test('hears nothing of another one in a tail', async () => {
    const heard: string[] = []
    const url = edda.url.replace('http', 'ws')
    const sockets = queries.flatMap((query) =>
      [{}, { 'X-Scope-OrgID': 'a' }, { 'X-Scope-OrgID': 'b' }, { 'X-Scope-OrgID': 'a|b' }].flatMap((headers) =>
        ['/loki/api/v1/tail', '/api/prom/tail'].map((path) => {
          const full = `${url}${path}?${parametersWith(query).toString()}`
          const socket = new WebSocket(full, { headers: as(a, headers) as Record<string, string> })
          socket.on('message', (data) => heard.push((data as Buffer).toString()))
          return socket.on('error', () => undefined)
        }),
      ),
    )
    await world.clock.sleep(300)
    assert.equal((await push(b, ofB('tailed', Date.now()))).status, 204)
    await push(a, [{ stream: { app: 'mine' }, values: [[`${Date.now()}000000`, 'mine, live']] }])
    for (let waits = 0; waits < 300 && !heard.join().includes('mine, live'); waits++) await world.clock.sleep(100)
    await world.clock.sleep(300)
    for (const socket of sockets) socket.terminate()
    assert.ok(heard.join().includes('mine, live'), 'its own it hears')
    assert.ok(!heard.join().includes(SECRET))
    seenByB = await viewOfB()
  })

  test('changes nothing of another one: pushes under every name', async () => {
    const filesBefore = await filesOf(join(dir, 'data', 'blocks'))
    const value = [`${Date.now()}000000`, 'planted by a']
    const names = [
      'app',
      '__tenant_id__',
      '__proto__',
      'constructor',
      'tenant',
      '../b',
      'b/../../b',
      '__stream_shard__',
      'X-Scope-OrgID',
    ]
    const values = ['b', `${SECRET}_head`, '../b', '../../blocks/b/x', 'a|b', '\u0000', '__proto__', '"}, {app="b']
    for (const name of names) {
      const answers = values.map((text) =>
        push(a, [{ stream: { planted: 'yes', [name]: text }, values: [[...value, { [name]: text, tenant: 'b' }]] }]),
      )
      // an answer may repeat what was planted
      for (const { status, text } of await Promise.all(answers)) assert.ok(status < 500, `${name}: ${status} ${text}`)
    }
    for (const trick of headerTricks) {
      const answer = await push(a, [{ stream: { planted: 'yes' }, values: [value] }], trick)
      check(answer, JSON.stringify(trick))
      const isForA = trick['X-Scope-OrgID'] === undefined || /^a(:[^|]*)?$/.test(String(trick['X-Scope-OrgID']))
      assert.equal(answer.status < 300, isForA, `${answer.status} ${JSON.stringify(trick)}`)
    }
    for (const path of ['/api/prom/push', '/otlp/v1/logs']) {
      for (const trick of headerTricks) {
        const headers = as(a, { 'content-type': 'application/json', ...trick })
        check(await send(edda.url, path, { method: 'POST', headers, body: '{"streams":[],"resourceLogs":[]}' }), path)
      }
    }
    assert.equal((await send(edda.url, '/flush/tenant', { method: 'POST', headers: as(a) })).status, 204)
    assert.deepEqual(await viewOfB(), seenByB)
    const files = await filesOf(join(dir, 'data', 'blocks'))
    const planted = files.filter((file) => !filesBefore.includes(file))
    assert.ok(planted.length > 0)
    assert.deepEqual(
      planted.filter((file) => !file.startsWith(join('a', 'logs'))),
      [],
    )
    assert.deepEqual((await readdir(dir)).toSorted(), ['credentials.yaml', 'data', 'runtime.yaml'])
  })

  test('names of tenants that mean something elsewhere are only names', async () => {
    const tenants = [
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'toString',
      'a.b',
      'a-b',
      'A',
      '...',
      "a'b",
      'a(b)',
      'fake',
      '!',
    ]
    for (const tenant of tenants) {
      const own = [{ stream: { app: `of ${tenant}` }, values: [[`${Date.now()}000000`, `line of ${tenant}`]] }]
      assert.equal((await push(any, own, { 'X-Scope-OrgID': tenant })).status, 204, tenant)
    }
    for (const isFlushed of [false, true]) {
      for (const tenant of tenants) {
        const headers = as(any, { 'X-Scope-OrgID': tenant })
        if (isFlushed) await send(edda.url, '/flush/tenant', { method: 'POST', headers })
        const { text } = await send(edda.url, `/loki/api/v1/label/app/values?since=1h`, { headers })
        assert.match(text, /"data":\["of /, `${tenant}: ${text}`)
        const { data } = JSON.parse(text.slice(text.indexOf('}{') + 1)) as { data: string[] }
        assert.deepEqual(data, [`of ${tenant}`], `${isFlushed}`)
      }
    }
    assert.deepEqual(await viewOfB(), seenByB)
  })
})

async function filesOf(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.edda'))
    .map((entry) => join(entry.parentPath.slice(root.length + 1), entry.name))
}

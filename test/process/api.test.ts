/** The API over real HTTP against a real process: envelopes, parameters, errors, and what must not happen. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as rawRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { encodePush } from '#/logs/wire/encode-push.ts'
import { type EddaProcess, get, startEdda } from './edda-process.ts'

const TIME = 1_795_000_000_000_000_123n
const range = { start: String(TIME - 1_000_000_000n), end: String(TIME + 1_000_000_000n) }

type Reply = { readonly status: number; readonly text: string; readonly headers: Headers }

describe('a running server', () => {
  let dir: string
  let server: EddaProcess

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-api-'))
    server = await startEdda({ dataDir: dir, flags: ['-auth.enabled=true', '-limits-config.reject-old-samples=false'] })
  })
  after(async () => {
    await server?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  const send = async (path: string, init: RequestInit & { tenant?: string } = {}): Promise<Reply> => {
    const headers = { 'X-Scope-OrgID': init.tenant ?? 'acme', ...(init.headers as Record<string, string>) }
    const response = await fetch(server.url + path, { ...init, headers })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const pushJson = (
    streams: unknown,
    init: { tenant?: string; headers?: Record<string, string> } = {},
  ): Promise<Reply> =>
    send('/loki/api/v1/push', {
      method: 'POST',
      body: JSON.stringify({ streams }),
      ...init,
      headers: { 'Content-Type': 'application/json', ...init.headers },
    })
  const query = async (
    params: Record<string, string>,
    headers: Record<string, string> = {},
    tenant = 'acme',
  ): Promise<Reply> =>
    send(`/loki/api/v1/query_range?${new URLSearchParams({ ...range, ...params })}`, { headers, tenant })

  test('what was pushed as JSON, protobuf, gzip, zstd, legacy JSON and OTLP is found at once, to the nanosecond', async () => {
    const stream = { app: 'all' }
    const values = (text: string): unknown => [{ stream, values: [[String(TIME), text, { trace_id: 'abc' }]] }]
    assert.equal((await pushJson(values('from json'))).status, 204)
    const push = (body: Uint8Array, headers: Record<string, string>, path = '/loki/api/v1/push'): Promise<Reply> =>
      send(path, { method: 'POST', body: new Uint8Array(body), headers })
    const json = { 'Content-Type': 'application/json' }
    const body = (text: string): Buffer => Buffer.from(JSON.stringify({ streams: values(text) }))
    assert.equal((await push(gzipSync(body('from gzip')), { ...json, 'Content-Encoding': 'gzip' })).status, 204)
    assert.equal((await push(zstdCompressSync(body('from zstd')), { ...json, 'Content-Encoding': 'zstd' })).status, 204)
    const proto = encodePush([{ labels: '{app="all"}', entries: [{ timeNs: TIME, line: 'from protobuf' }] }])
    assert.equal((await push(proto, { 'Content-Type': 'application/x-protobuf' })).status, 204)
    const ts = new Date(Number(TIME / 1_000_000n)).toISOString().replace(/\.\d+Z/, '.000000123Z')
    const legacy = { streams: [{ labels: '{app="all"}', entries: [{ ts, line: 'from legacy' }] }] }
    assert.equal((await push(Buffer.from(JSON.stringify(legacy)), json, '/api/prom/push')).status, 204)
    const otlp = {
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'all' } }] },
          scopeLogs: [{ logRecords: [{ timeUnixNano: String(TIME), body: { stringValue: 'from otlp' } }] }],
        },
      ],
    }
    assert.equal((await push(Buffer.from(JSON.stringify(otlp)), json, '/otlp/v1/logs')).status, 204)
    const { data } = JSON.parse((await query({ query: '{service_name="all"}' })).text)
    const lines = data.result.flatMap((one: { values: [string, string][] }) => one.values)
    assert.deepEqual(lines.map(([, text]: [string, string]) => text).toSorted(), [
      'from gzip',
      'from json',
      'from legacy',
      'from otlp',
      'from protobuf',
      'from zstd',
    ])
    assert.deepEqual([...new Set(lines.map(([ns]: [string]) => ns))], [String(TIME)])
  })

  test('a tenant sees its own data only', async () => {
    await pushJson([{ stream: { app: 'secret' }, values: [[String(TIME), 'mine']] }], { tenant: 'other' })
    assert.deepEqual(JSON.parse((await query({ query: '{app="secret"}' })).text).data.result, [])
    assert.equal(JSON.parse((await query({ query: '{app="secret"}' }, {}, 'other')).text).data.result.length, 1)
    const values = await send(`/loki/api/v1/label/app/values?${new URLSearchParams(range)}`)
    assert.ok(!values.text.includes('secret'))
    for (const tenant of ['../other', 'a/b', '.', 'a|b', 'x'.repeat(151)]) {
      assert.equal((await query({ query: '{app="secret"}' }, {}, tenant)).status, 400, tenant)
    }
    const missing = await fetch(`${server.url}/loki/api/v1/labels`)
    assert.deepEqual([missing.status, (await missing.text()).trim()], [401, 'no org id'])
  })

  test('envelopes of streams, with and without categorised labels', async () => {
    await pushJson([{ stream: { app: 'env' }, values: [[String(TIME), 'level=error msg=x', { trace_id: 't1' }]] }])
    const plain = JSON.parse((await query({ query: '{app="env"} | logfmt' })).text)
    assert.equal(plain.status, 'success')
    assert.equal(plain.data.resultType, 'streams')
    assert.deepEqual(plain.data.result, [
      {
        stream: { app: 'env', detected_level: 'error', level: 'error', msg: 'x', service_name: 'env', trace_id: 't1' },
        values: [[String(TIME), 'level=error msg=x']],
      },
    ])
    assert.equal(plain.data.encodingFlags, undefined)
    assert.ok(plain.data.stats.summary.totalLinesProcessed >= 1)
    const flags = { 'X-Loki-Response-Encoding-Flags': 'categorize-labels' }
    const sorted = JSON.parse((await query({ query: '{app="env"} | logfmt' }, flags)).text)
    assert.deepEqual(sorted.data.encodingFlags, ['categorize-labels'])
    assert.deepEqual(sorted.data.result, [
      {
        stream: { app: 'env', service_name: 'env' },
        values: [
          [
            String(TIME),
            'level=error msg=x',
            { structuredMetadata: { detected_level: 'error', trace_id: 't1' }, parsed: { level: 'error', msg: 'x' } },
          ],
        ],
      },
    ])
  })

  test('metric queries: Grafana’s health check, scalars, vectors, matrices aligned to the step', async () => {
    const instant = async (text: string, time: string): Promise<{ resultType: string; result: unknown }> =>
      JSON.parse((await send(`/loki/api/v1/query?${new URLSearchParams({ query: text, time })}`)).text).data
    const health = await instant('vector(1)+vector(1)', '4000000000')
    assert.deepEqual([health.resultType, health.result], ['vector', [{ metric: {}, value: [4_000_000_000, '2'] }]])
    const scalar = await instant('1+1', '10')
    assert.deepEqual([scalar.resultType, scalar.result], ['scalar', [10, '2']])
    await pushJson([
      {
        stream: { app: 'm' },
        values: [
          [String(TIME), 'a'],
          [String(TIME + 1n), 'b'],
        ],
      },
    ])
    const { data } = JSON.parse((await query({ query: 'sum(count_over_time({app="m"}[1m]))', step: '60' })).text)
    assert.equal(data.resultType, 'matrix')
    const points = data.result[0].values as [number, string][]
    assert.ok(points.every(([seconds]) => seconds % 60 === 0))
    assert.deepEqual(
      points.map(([, value]) => value),
      ['2'],
    )
    const log = await send(`/loki/api/v1/query?${new URLSearchParams({ query: '{app="m"}' })}`)
    assert.equal(log.status, 400)
    assert.match(log.text, /^log queries are not supported as an instant query type/)
  })

  test('labels, values, series and stats', async () => {
    await pushJson([{ stream: { app: 'meta', zone: 'a' }, values: [[String(TIME), 'x']] }])
    const params = new URLSearchParams({ ...range, query: '{app="meta"}' })
    assert.deepEqual(JSON.parse((await send(`/loki/api/v1/labels?${params}`)).text), {
      status: 'success',
      data: ['app', 'service_name', 'zone'],
    })
    assert.deepEqual(JSON.parse((await send(`/loki/api/v1/label/zone/values?${params}`)).text).data, ['a'])
    assert.deepEqual(JSON.parse((await send(`/loki/api/v1/label/nope/values?${params}`)).text), { status: 'success' })
    const series = await send(`/loki/api/v1/series?${new URLSearchParams({ ...range, 'match[]': '{app="meta"}' })}`)
    assert.deepEqual(JSON.parse(series.text).data, [{ app: 'meta', service_name: 'meta', zone: 'a' }])
    const stats = JSON.parse((await send(`/loki/api/v1/index/stats?${params}`)).text)
    assert.deepEqual([stats.streams, stats.entries], [1, 1])
    const form = await send('/loki/api/v1/series', {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...range, 'match[]': '{app="meta"}' }).toString(),
    })
    assert.equal(JSON.parse(form.text).data.length, 1)
    assert.match(
      (await send('/loki/api/v1/labels?query=%7Ba%3D%22b%22%7D%20%7C%3D%20%22x%22')).text,
      /only label matchers are supported/,
    )
  })

  test('errors of queries are 400 in plain text, with Loki’s words', async () => {
    const cases: readonly [Record<string, string>, RegExp][] = [
      [{ query: '' }, /^parse error : syntax error: unexpected \$end/],
      [{ query: '{app="x"' }, /^parse error at line 1, col 9: syntax error: unexpected \$end, expecting } or ,/],
      [{ query: '{app=~".*"}' }, /queries require at least one regexp or equality matcher/],
      [
        { query: '{app="x"}', limit: '5001' },
        /max entries limit per query exceeded, limit > max_entries_limit_per_query \(5001 > 5000\)/,
      ],
      [{ query: '{app="x"}', direction: 'up' }, /invalid direction 'up'/],
      [{ query: '{app="x"}', start: '5', end: '4' }, /end timestamp must not be before or equal to start time/],
      [{ query: '{app="x"}', start: '1', end: '4000000000' }, /the query time range exceeds the limit/],
      [{ query: '{app="x"} |~ "(?=a)"' }, /invalid or unsupported Perl syntax/],
      [
        { query: 'approx_topk(2, sum by (app) (rate({app="x"}[1m])))' },
        /count min sketches are only supported on instant queries/,
      ],
      [{ query: `{app="x"} |= "${'y'.repeat(140_000)}"` }, /input size too long \(140\d+ > 131072\)/],
    ]
    for (const [params, message] of cases) {
      const body = new URLSearchParams({ ...range, ...params })
      const reply = await send('/loki/api/v1/query_range', {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: body.toString(),
      })
      assert.equal(reply.status, 400, reply.text)
      assert.match(reply.text, message)
      assert.match(reply.headers.get('content-type') ?? '', /^text\/plain/)
    }
  })

  test('bad pushes are refused with a clear 4xx, and the good entries of a partly bad one are kept', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024))
    const json = { 'Content-Type': 'application/json' }
    const push = (body: Uint8Array, headers: Record<string, string>): Promise<Reply> =>
      send('/loki/api/v1/push', { method: 'POST', body: new Uint8Array(body), headers })
    assert.equal((await push(bomb, { ...json, 'Content-Encoding': 'gzip' })).status, 413)
    const proto = { 'Content-Type': 'application/x-protobuf' }
    const claimsFourGigabytes = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00])
    assert.equal((await push(claimsFourGigabytes, proto)).text.trim(), 'snappy: corrupt input')
    assert.equal((await push(Buffer.from('nonsense'), proto)).status, 400)
    assert.equal((await push(Buffer.from('{"streams":[]}'), json)).status, 422)
    assert.equal((await push(Buffer.from('['.repeat(10_000)), json)).status, 400)
    const partly = await pushJson([
      { stream: { app: 'partly' }, values: [[String(TIME), 'good']] },
      { stream: { app: 'partly', 'bad-name': 'x' }, values: [[String(TIME), 'bad']] },
      { stream: { app: 'partly' }, values: [[String(TIME + 1n), 'l'.repeat(300_000)]] },
    ])
    assert.equal(partly.status, 400)
    assert.match(partly.text, /max entry size '262144' bytes exceeded for stream/)
    const { data } = JSON.parse((await query({ query: '{app="partly"}' })).text)
    assert.deepEqual(
      data.result.flatMap((one: { values: [string, string][] }) => one.values.map(([, text]) => text)),
      ['good'],
    )
    assert.equal((await get(server.url, '/ready')).trim(), 'ready', 'and the process lives')
  })

  test('a regular expression made to explode ends within the timeout and hurts nobody', async () => {
    await pushJson([{ stream: { app: 'evil' }, values: [[String(TIME), `${'a'.repeat(5000)}!`]] }])
    const started = performance.now()
    const reply = await query({ query: '{app="evil"} |~ "(?i)(a+)+$" |~ "(a*)*b"' })
    assert.equal(reply.status, 200)
    assert.ok(performance.now() - started < 50_000)
  })

  test('a client that leaves cancels its query; the server goes on', async () => {
    await new Promise<void>((resolve) => {
      const path = `/loki/api/v1/query_range?${new URLSearchParams({ ...range, query: '{app=~".+"}' })}`
      const request = rawRequest(server.url + path, { headers: { 'X-Scope-OrgID': 'acme' } })
      request.on('error', () => resolve())
      request.on('close', () => resolve())
      request.end()
      setImmediate(() => request.destroy())
    })
    assert.equal((await query({ query: '{app=~".+"}' })).status, 200)
  })

  test('the process tells about itself', async () => {
    const metrics = await get(server.url, '/metrics')
    for (const name of [
      'loki_build_info',
      'loki_request_duration_seconds',
      'loki_distributor_lines_received_total',
      'loki_ingester_memory_streams',
    ]) {
      assert.ok(metrics.includes(name), name)
    }
    assert.match(await get(server.url, '/services'), /ingester => Running/)
    assert.match(await get(server.url, '/config'), /http_listen_port: 0/)
    assert.match(await get(server.url, '/config', { mode: 'diff' }), /http_listen_address: 127\.0\.0\.1/)
    assert.ok(JSON.parse(await get(server.url, '/loki/api/v1/status/buildinfo')).version)
    const formatted = JSON.parse(await get(server.url, '/loki/api/v1/format_query', { query: '{a="b"}|="x"' }))
    assert.deepEqual(formatted, { status: 'success', data: '{a="b"} |= "x"' })
    const wrong = JSON.parse(await get(server.url, '/loki/api/v1/format_query', { query: '{a="b"' }, 400))
    assert.equal(wrong.status, 'invalid-query')
    await get(server.url, '/nowhere', {}, 404)
  })

  test('the command line client talks to it, with any Node that starts it', () => {
    const bin = join(import.meta.dirname, '../../bin/edda')
    const flags = ['--addr', server.url, '--tenant', 'acme']
    const pushed = spawnSync(bin, ['push', ...flags, '--label', 'app=cli'], { input: 'one\ntwo\n', encoding: 'utf8' })
    assert.equal(pushed.status, 0, pushed.stderr)
    const asked = spawnSync(bin, ['query', ...flags, '{app="cli"}', '-o', 'raw', '--forward', '-q'], {
      encoding: 'utf8',
    })
    assert.equal(asked.status, 0, asked.stderr)
    assert.equal(asked.stdout, 'one\ntwo\n')
    const wrong = spawnSync(bin, ['query', ...flags, '{app="cli"'], { encoding: 'utf8' })
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /parse error/)
  })
})

/** Each command of logcli, as the requests that it sends, against a real process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'

import { WebSocket } from 'ws'

import { until } from '../process/until.ts'
import { CompatServer } from './compat-server.ts'
import { pushShop, type Shop } from './shop.ts'
import { goQuery, type Heard, json, type Json, nowNs, pushAs, secondNs, speak } from './speak.ts'

type Row = readonly [ns: bigint, line: string]

const headers = { 'User-Agent': 'loki-logcli/3.5.0', 'X-Scope-OrgID': 'acme', 'X-Query-Tags': 'source=logcli' }

describe('logcli', () => {
  let server: CompatServer
  let shop: Shop
  before(async () => {
    server = await CompatServer.start('logcli')
    shop = await pushShop(server.url)
  })
  after(() => server?.[Symbol.asyncDispose]())

  const send = (path: string, params: Record<string, string | number | bigint>, method = 'GET'): Promise<Heard> =>
    speak(server.url, { method, path: `/loki/api/v1/${path}?${goQuery(params)}`, headers })
  const ask = async (path: string, params: Record<string, string | number | bigint>): Promise<Json> =>
    json(await send(path, params), path)
  const range = (): { start: bigint; end: bigint } => ({ start: shop.startNs, end: shop.endNs })
  const rowsOf = ({ data: { result } }: Json): Row[] =>
    result.flatMap(({ values }: Json) => values.map(([ns, line]: [string, string]): Row => [BigInt(ns), line]))

  test('query: labels are merged when nobody asks for categories', async () => {
    const params = { query: '{app="shop"} | json', limit: 30, ...range(), direction: 'BACKWARD' }
    const { data } = await ask('query_range', params)
    assert.equal(data.resultType, 'streams')
    assert.equal(data.encodingFlags, undefined)
    assert.equal(rowsOf({ data }).length, 30)
    const { stream, values } = data.result[0]
    assert.ok(['app', 'trace_id', 'status', 'detected_level'].every((name) => typeof stream[name] === 'string'))
    assert.equal(values[0].length, 2)
    const { ingester, querier, summary } = data.stats
    assert.ok(ingester.totalReached >= 0 && querier.store.totalChunksRef >= 0 && summary.totalLinesProcessed > 0)
  })

  test('query in batches: every row once, in both directions', async () => {
    for (const direction of ['FORWARD', 'BACKWARD']) {
      const rows: Row[] = []
      let { start, end } = range()
      for (;;) {
        const page = rowsOf(
          await ask('query_range', { query: '{app="shop"}', limit: 70, start, end, direction }),
        ).toSorted(([a], [b]) => (direction === 'FORWARD' ? Number(a - b) : Number(b - a)))
        // those at the time where the last page ended come again, and are known by their line
        const fresh = page.filter(([ns, line]) => !rows.some((row) => row[0] === ns && row[1] === line))
        rows.push(...fresh)
        const last = page.at(-1)
        if (last === undefined || page.length < 70) break
        if (direction === 'FORWARD') start = last[0]
        else end = last[0] + 1n
      }
      assert.equal(rows.length, shop.count, direction)
    }
  })

  test('query --step, --interval in seconds with a fraction, --since', async () => {
    const metric = await ask('query_range', {
      query: 'sum(rate({app="shop"}[1m]))',
      limit: 30,
      ...range(),
      direction: 'BACKWARD',
      step: '60.000000',
    })
    assert.equal(metric.data.resultType, 'matrix')
    const sparse = await ask('query_range', {
      query: '{pod="p1"}',
      limit: 1000,
      ...range(),
      direction: 'FORWARD',
      interval: '60.000000',
    })
    const times = rowsOf(sparse).map(([ns]) => ns)
    assert.ok(times.length >= 9 && times.length <= 11, `${times.length} rows`)
  })

  test('instant-query', async () => {
    const query = 'sum by (app) (count_over_time({env="prod"}[1h]))'
    const { data } = await ask('query', { query, limit: 30, time: shop.endNs, direction: 'BACKWARD' })
    assert.equal(data.resultType, 'vector')
    assert.deepEqual(
      data.result.map(({ metric, value }: Json) => [metric.app, value[1]]),
      [
        ['pay', '100'],
        ['shop', '300'],
      ],
    )
    const scalar = await ask('query', { query: '1 + 1', limit: 30, time: shop.endNs, direction: 'BACKWARD' })
    assert.equal(scalar.data.resultType, 'scalar')
    assert.equal(scalar.data.result[1], '2')
  })

  test('labels, labels <name>', async () => {
    assert.deepEqual((await ask('labels', range())).data, ['app', 'env', 'pod', 'service_name'])
    assert.deepEqual((await ask('label/app/values', range())).data, ['pay', 'shop'])
  })

  test('series, whose matcher is called match; --analyze-labels asks for all', async () => {
    const { status, data } = await ask('series', { ...range(), match: '{app="shop"}' })
    assert.equal(status, 'success')
    assert.deepEqual(
      data.map((labels: Json) => labels.pod),
      ['p1', 'p2'],
    )
    assert.equal((await ask('series', { ...range(), match: '{}' })).data.length, 3)
  })

  test('stats', async () => {
    const stats = await ask('index/stats', { ...range(), query: '{app="shop"}' })
    assert.deepEqual(Object.keys(stats).toSorted(), ['bytes', 'chunks', 'entries', 'streams'])
    assert.deepEqual([stats.streams, stats.entries], [2, shop.count])
  })

  test('volume, volume_range', async () => {
    const { data } = await ask('index/volume', {
      ...range(),
      query: '{env="prod"}',
      limit: 30,
      targetLabels: 'app,pod',
    })
    assert.equal(data.resultType, 'vector')
    assert.ok(data.result.every(({ metric }: Json) => metric.app !== undefined))
    const byLabels = await ask('index/volume', { ...range(), query: '{env="prod"}', limit: 30, aggregateBy: 'labels' })
    assert.ok(byLabels.data.result.some(({ metric }: Json) => 'app' in metric || 'env' in metric))
    const steps = await ask('index/volume_range', { ...range(), query: '{app="shop"}', limit: 30, step: 300 })
    assert.equal(steps.data.resultType, 'matrix')
    assert.ok(steps.data.result[0].values.length >= 2)
  })

  test('detected-fields, and values of one', async () => {
    const params = { query: '{app="shop"}', limit: 100, line_limit: 1000, ...range(), step: '10s' }
    const { fields, limit } = await ask('detected_fields', params)
    assert.equal(limit, 100)
    assert.ok(fields.some(({ label, type }: Json) => label === 'status' && type === 'int'))
    assert.deepEqual((await ask('detected_field/status/values', params)).values.toSorted(), ['200', '500'])
  })

  test('delete create, list, cancel', async () => {
    const created = await send('delete', { query: '{app="none"}', ...range() }, 'POST')
    assert.equal(created.status, 204)
    const list = await ask('delete', {})
    assert.equal(list.length, 1)
    const cancelled = await send('delete', { request_id: list[0].request_id, force: 'true' }, 'DELETE')
    assert.equal(cancelled.status, 204)
  })

  test('query --tail --delay-for', async () => {
    const start = nowNs() - 60n * secondNs
    await pushAs(server.url, 'x', [{ labels: '{app="tail"}', entries: [{ timeNs: start + 1n, line: 'before' }] }])
    const path = `/loki/api/v1/tail?${goQuery({ query: '{app="tail"}', limit: 30, start, delay_for: 1 })}`
    const socket = new WebSocket(server.url.replace('http', 'ws') + path, { headers })
    const lines: string[] = []
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Json
      lines.push(...frame.streams.flatMap(({ values }: Json) => values.map(([, line]: Json) => line)))
    })
    await once(socket, 'open')
    await pushAs(server.url, 'x', [{ labels: '{app="tail"}', entries: [{ timeNs: nowNs(), line: 'now' }] }])
    await until(async () => (lines.length >= 2 ? true : undefined), { limitMs: 60_000, describe: () => lines.join() })
    assert.deepEqual(lines, ['before', 'now'])
    socket.close()
    await once(socket, 'close')
  })

  test('errors are shown word for word', async () => {
    const wrong = await send('query_range', { query: '{app=}', limit: 30, ...range(), direction: 'BACKWARD' })
    assert.equal(wrong.status, 400)
    assert.match(wrong.text, /^parse error at line 1, col 6: syntax error/)
    const tooMany = await send('query_range', {
      query: '{app="shop"}',
      limit: 100_000,
      ...range(),
      direction: 'BACKWARD',
    })
    assert.equal(tooMany.status, 400)
    assert.equal(
      tooMany.text,
      'max entries limit per query exceeded, limit > max_entries_limit_per_query (100000 > 5000)',
    )
  })

  test('--nocache, gzip on request, a bearer token that nobody asks for', async () => {
    const path = `/loki/api/v1/query_range?${goQuery({ query: '{app="shop"}', limit: 1000, ...range(), direction: 'BACKWARD' })}`
    const plain = await speak(server.url, { path, headers })
    const more = { ...headers, 'Cache-Control': 'no-cache', 'Accept-Encoding': 'gzip', Authorization: 'Bearer abc' }
    const zipped = await speak(server.url, { path, headers: more })
    assert.deepEqual([plain.headers['content-encoding'], zipped.headers['content-encoding']], [undefined, 'gzip'])
    assert.deepEqual(json(zipped).data.result, json(plain).data.result)
  })
})

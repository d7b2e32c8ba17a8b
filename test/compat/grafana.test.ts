/** The request sequences of Grafana's Loki data source against a real process, and how it reads the answers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'

import { WebSocket } from 'ws'

import { until } from '../process/until.ts'
import { CompatServer } from './compat-server.ts'
import { pushShop, type Shop } from './shop.ts'
import { goQuery, type Heard, json, type Json, nowNs, pushAs, secondNs, speak } from './speak.ts'

const headers = {
  'User-Agent': 'Grafana/12.1.0',
  'Accept-Encoding': 'gzip',
  'X-Scope-OrgID': 'acme',
  'X-Grafana-User': 'admin',
  'X-Dashboard-Uid': 'd1',
  'X-Panel-Id': '2',
  'X-Loki-Response-Encoding-Flags': 'categorize-labels',
}

describe("Grafana's Loki data source", () => {
  let server: CompatServer
  let shop: Shop
  before(async () => {
    server = await CompatServer.start('grafana')
    shop = await pushShop(server.url)
  })
  after(() => server?.[Symbol.asyncDispose]())

  const send = (path: string, more: Record<string, string> = {}): Promise<Heard> =>
    speak(server.url, { path, headers: { ...headers, ...more } })
  const range = (): { start: bigint; end: bigint } => ({ start: shop.startNs, end: shop.endNs })
  const ask = async (path: string, params: Record<string, string | number | bigint>, more = {}): Promise<Json> =>
    json(await send(`${path}?${goQuery(params)}`, more), path)
  const queryRange = (query: string, params = {}, more = {}): Promise<Json> =>
    ask('/loki/api/v1/query_range', { query, direction: 'backward', step: '2000ms', ...range(), ...params }, more)

  test('save and test: a query far away in time', async () => {
    const { status, data } = json(
      await send('/loki/api/v1/query?direction=backward&query=vector%281%29%2Bvector%281%29&time=4000000000'),
    )
    assert.equal(status, 'success')
    assert.equal(data.resultType, 'vector')
    assert.deepEqual(data.result, [{ metric: {}, value: [4_000_000_000, '2'] }])
    assert.equal(typeof data.stats.summary.execTime, 'number')
  })

  test('a log query: categories of labels, times as text, newest first, statistics', async () => {
    const { data } = await queryRange('{app="shop"} | json | status >= 500', { limit: 1000 })
    assert.equal(data.resultType, 'streams')
    assert.deepEqual(data.encodingFlags, ['categorize-labels'])
    const [{ stream, values }] = data.result as Json[]
    assert.deepEqual(stream, { app: 'shop', env: 'prod', pod: 'p1', service_name: 'shop' })
    const [ns, line, { structuredMetadata, parsed }] = values[0]
    assert.match(ns, /^\d{19}$/)
    assert.equal(JSON.parse(line).status, 500)
    assert.deepEqual(structuredMetadata, { detected_level: 'error', trace_id: 't290' })
    assert.deepEqual(parsed, { http_size: '2900', level: 'error', path: '/cart/2', status: '500', took: '290ms' })
    const times = values.map(([time]: [string]) => BigInt(time))
    assert.deepEqual(
      times,
      times.toSorted((a: bigint, b: bigint) => (a > b ? -1 : 1)),
    )
    assert.equal(times.length, 30)
    const { summary } = data.stats
    assert.ok(summary.totalBytesProcessed > 0 && summary.bytesProcessedPerSecond > 0 && summary.totalLinesProcessed > 0)
    // without metadata there is still a third element
    const plain = await queryRange('{app="pay"} | drop detected_level', { limit: 1 })
    assert.deepEqual(plain.data.result[0].values[0][2], {})
    const empty = await queryRange('{app="none"}', { limit: 10 })
    assert.deepEqual(empty.data.result, [])
  })

  test('a metric query: times as numbers, values as text, intervals as Grafana writes them', async () => {
    const { data } = await queryRange('sum by (pod) (rate({app="shop"}[1m0s]))', { step: '15000ms' })
    assert.equal(data.resultType, 'matrix')
    assert.deepEqual(
      data.result.map(({ metric }: Json) => metric),
      [{ pod: 'p1' }, { pod: 'p2' }],
    )
    const { values } = data.result[0]
    assert.ok(
      values.every(([time, value]: Json) => typeof time === 'number' && !Number.isNaN(Number.parseFloat(value))),
    )
    assert.equal(values[1][0] - values[0][0], 15)
    // an interval below a second
    const fine = await queryRange('count_over_time({app="shop"}[500ms])', {
      start: shop.startNs,
      end: shop.startNs + 10n * secondNs,
      step: '500ms',
    })
    assert.equal(fine.data.resultType, 'matrix')
    const instant = await ask('/loki/api/v1/query', {
      query: 'sum(count_over_time({app="shop"}[20m]))',
      direction: 'backward',
      time: shop.endNs,
    })
    assert.deepEqual(instant.data.result[0].value[1], String(shop.count))
  })

  test('log volume, samples for the label browser, tags of every kind', async () => {
    const volume = await queryRange(
      'sum by (level, detected_level) (count_over_time({app="shop"} | drop __error__[10s]))',
      { step: '10000ms' },
      { 'X-Query-Tags': 'Source=logvolhist' },
    )
    const counts: Record<string, number> = Object.fromEntries(
      volume.data.result.map(({ metric, values }: Json) => [
        metric.detected_level,
        values.reduce((sum: number, [, count]: [number, string]) => sum + Number(count), 0),
      ]),
    )
    assert.deepEqual(Object.keys(counts).toSorted(), ['error', 'info'])
    assert.ok(counts['error']! >= 28 && counts['error']! <= 30, JSON.stringify(counts))
    for (const tag of ['logsample', 'datasample', 'infinitescroll']) {
      const { data } = await queryRange('{app="shop"}', { limit: 10 }, { 'X-Query-Tags': `Source=${tag}` })
      assert.equal(data.result.flatMap(({ values }: Json) => values).length, 10)
    }
  })

  test('context of a row: both directions, to the nanosecond', async () => {
    const { data } = await queryRange('{pod="p1"} |= `/cart/1`', { limit: 3 })
    const [ns, line] = data.result[0].values[1]
    const row = BigInt(ns)
    const hours = 7200n * secondNs
    const query = '{app="shop", pod="p1"}'
    const older = await queryRange(
      query,
      { start: row - hours, end: row, limit: 50 },
      { 'X-Query-Tags': 'Source=logcontext' },
    )
    const newer = await queryRange(query, { start: row, end: row + hours, limit: 50, direction: 'forward' })
    const linesOf = ({ data: { result } }: Json): string[] =>
      result.flatMap(({ values }: Json) => values.map(([, text]: Json) => text))
    // the end is outside, the start inside
    assert.equal(linesOf(older).includes(line), false)
    assert.equal(linesOf(newer)[0], line)
    const parsed = await queryRange(`${query} | json | status = 200`, { start: row, end: row + 1n, limit: 100 })
    assert.deepEqual(linesOf(parsed), [line])
  })

  test('infinite scrolling finds every row once', async () => {
    const seen: string[] = []
    let end = shop.endNs
    for (;;) {
      const { data } = await queryRange('{pod="p1"}', { end, limit: 40 }, { 'X-Query-Tags': 'Source=infinitescroll' })
      const rows = data.result.flatMap(({ values }: Json) => values) as [string, string][]
      const fresh = rows.filter(([, line]) => !seen.includes(line))
      if (fresh.length === 0) break
      seen.push(...fresh.map(([, line]) => line))
      end = BigInt(rows.at(-1)![0]) + 1n
    }
    assert.equal(seen.length, shop.count / 2)
  })

  test('the label browser: labels, values, series, with and without a selector', async () => {
    const { data: names } = await ask('/loki/api/v1/labels', range())
    assert.deepEqual(names, ['app', 'env', 'pod', 'service_name'])
    assert.deepEqual((await ask('/loki/api/v1/labels', { ...range(), query: '{app="pay"}' })).data, [
      'app',
      'env',
      'service_name',
    ])
    assert.deepEqual((await ask('/loki/api/v1/label/app/values', range())).data, ['pay', 'shop'])
    const narrowed = await ask('/loki/api/v1/label/pod/values', { ...range(), query: '{app="shop"}' })
    assert.deepEqual(narrowed.data, ['p1', 'p2'])
    assert.deepEqual((await ask('/loki/api/v1/label/__stream_shard__/values', range())).data ?? [], [])
    const { data: series } = await ask('/loki/api/v1/series', { 'match[]': '{app="shop"}', ...range() })
    assert.deepEqual(
      series.map(({ pod }: Json) => pod),
      ['p1', 'p2'],
    )
    const sharded = await queryRange('{app="shop", __stream_shard__=""}', { limit: 5 })
    assert.equal(sharded.data.result.flatMap(({ values }: Json) => values).length, 5)
    const other = await queryRange('{app="shop", __stream_shard__=~"1|2"}', { limit: 5 })
    assert.deepEqual(other.data.result, [])
  })

  test('how much a query will read', async () => {
    const { streams, chunks, entries, bytes } = await ask('/loki/api/v1/index/stats', {
      query: '{app="shop"}',
      ...range(),
    })
    assert.deepEqual([streams, entries], [2, shop.count])
    assert.ok(Number.isInteger(chunks) && bytes > 10_000)
    const volume = await ask('/loki/api/v1/index/volume', { query: '{app="shop"}', ...range() })
    assert.equal(volume.data.resultType, 'vector')
  })

  test('detected labels, fields and their values', async () => {
    const { detectedLabels } = await ask('/loki/api/v1/detected_labels', range())
    assert.ok(detectedLabels.some(({ label, cardinality }: Json) => label === 'pod' && cardinality === 2))
    const { fields } = await ask('/loki/api/v1/detected_fields', { query: '{app="shop"}', ...range(), limit: 1000 })
    const field = (name: string): Json => fields.find(({ label }: Json) => label === name)
    assert.deepEqual(field('status').parsers, ['json'])
    assert.equal(field('took').type, 'duration')
    assert.equal(field('trace_id').parsers, null)
    const values = await ask('/loki/api/v1/detected_field/status/values', {
      query: '{app="shop"}',
      ...range(),
      limit: 1000,
    })
    assert.deepEqual(values.values.toSorted(), ['200', '500'])
    const nothing = await send(`/loki/api/v1/detected_labels?start=1000000000000000000&end=1000000001000000000`)
    assert.deepEqual(json(nothing), {})
  })

  test('patterns', async () => {
    const heard = await send(`/loki/api/v1/patterns?${goQuery({ query: '{app="pay"}', ...range(), step: '10s' })}`)
    const { status, data } = json(heard)
    assert.equal(status, 'success')
    assert.ok(data.length > 0)
    for (const { pattern, samples } of data) {
      assert.equal(typeof pattern, 'string')
      assert.ok(samples.every(([time, count]: Json) => Number.isInteger(time) && Number.isInteger(count)))
    }
  })

  test('errors are shown as they are', async () => {
    const wrong = await send(
      `/loki/api/v1/query_range?${goQuery({ query: '{app="shop"', ...range(), step: '2000ms' })}`,
    )
    assert.equal(wrong.status, 400)
    assert.match(wrong.text, /^parse error at line 1, col 12: syntax error/)
    assert.match(String(wrong.headers['content-type']), /^text\/plain/)
    const split = await send(`/loki/api/v1/query?${goQuery({ query: '{app="shop"}', time: shop.endNs })}`)
    assert.equal(split.status, 400)
  })

  test('which Loki this is, and whether there are rules', async () => {
    const build = json(await speak(server.url, { path: '/loki/api/v1/status/buildinfo', headers }))
    assert.match(build.version, /^3\./)
    const rules = await send('/loki/api/v1/rules/test/test')
    assert.equal(rules.status, 404)
    // either of the two tells it whether to show rules
    assert.match(rules.text, /page not found|group does not exist/)
  })

  test('live tail: history, new rows, frames as it reads them', async () => {
    const socket = new WebSocket(
      `${server.url.replace('http', 'ws')}/loki/api/v1/tail?query=${encodeURIComponent('{app="live"}')}`,
      { headers },
    )
    const frames: Json[] = []
    socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString())))
    await once(socket, 'open')
    await pushAs(server.url, 'promtail/3.5.0', [
      { labels: '{app="live"}', entries: [{ timeNs: nowNs(), line: 'now' }] },
    ])
    await until(async () => (frames.length > 0 ? true : undefined), { limitMs: 60_000, describe: () => 'no frame' })
    const [{ stream, values }] = frames[0].streams
    assert.equal(stream.app, 'live')
    assert.match(values[0][0], /^\d{19}$/)
    assert.equal(values[0][1], 'now')
    assert.equal(frames[0].dropped_entries ?? null, null)
    socket.close()
    await once(socket, 'close')
  })
})

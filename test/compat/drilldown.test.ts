/** Every call of Grafana's Logs Drilldown app against a real process: times as ISO texts, selectors in backticks, its queries. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { CompatServer } from './compat-server.ts'
import { pushShop, type Shop } from './shop.ts'
import { goQuery, type Heard, json, type Json, speak } from './speak.ts'

const headers = {
  'User-Agent': 'Grafana/12.1.0',
  'Accept-Encoding': 'gzip',
  'X-Scope-OrgID': 'acme',
  'X-Query-Tags': 'Source=grafana-lokiexplore-app',
  'X-Loki-Response-Encoding-Flags': 'categorize-labels',
}

describe('Logs Drilldown', () => {
  let server: CompatServer
  let shop: Shop
  before(async () => {
    server = await CompatServer.start('drilldown')
    shop = await pushShop(server.url)
  })
  after(() => server?.[Symbol.asyncDispose]())

  /** `2024-05-01T10:00:00.000Z` */
  const iso = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString()
  const range = (): { start: string; end: string } => ({
    start: iso(shop.startNs),
    end: iso(shop.endNs + 1_000_000_000n),
  })
  const send = (path: string, params: Record<string, string | number> = {}): Promise<Heard> =>
    speak(server.url, { path: `/loki/api/v1/${path}?${goQuery({ ...range(), ...params })}`, headers })
  const ask = async (path: string, params = {}): Promise<Json> => json(await send(path, params), path)

  test('what it may do here', async () => {
    const {
      limits,
      pattern_ingester_enabled: hasPatterns,
      version,
    } = json(await speak(server.url, { path: '/loki/api/v1/drilldown-limits', headers }))
    assert.equal(typeof hasPatterns, 'boolean')
    assert.match(version, /^3\./)
    assert.equal(limits.volume_enabled, true)
    assert.ok(Number.isInteger(limits.volume_max_series))
    assert.ok(Array.isArray(limits.discover_service_name))
  })

  test('the list of services: bytes by the label of the matcher', async () => {
    const { status, data } = await ask('index/volume', { query: '{service_name=~`.+`}', limit: 5000 })
    assert.equal(status, 'success')
    assert.equal(data.resultType, 'vector')
    const bytes = new Map<string, string>(data.result.map(({ metric, value }: Json) => [metric.service_name, value[1]]))
    assert.deepEqual([...bytes.keys()].toSorted(), ['pay', 'shop'])
    assert.ok([...bytes.values()].every((value) => /^\d+$/.test(value)))
    const found = await ask('index/volume', { query: '{service_name=~`(?i).*SHO.*`}', limit: 5000 })
    assert.deepEqual(
      found.data.result.map(({ metric }: Json) => metric.service_name),
      ['shop'],
    )
    const byEnv = await ask('index/volume', { query: '{env=~`.+`}', limit: 5000 })
    assert.deepEqual(
      byEnv.data.result.map(({ metric }: Json) => metric),
      [{ env: 'prod' }],
    )
  })

  test('tabs of labels; detected labels without a query', async () => {
    assert.deepEqual((await ask('labels')).data, ['app', 'env', 'pod', 'service_name'])
    for (const query of ['', '{service_name=`shop`}']) {
      const { detectedLabels } = await ask('detected_labels', { query })
      const pod = detectedLabels.find(({ label }: Json) => label === 'pod')
      assert.deepEqual(pod, { label: 'pod', cardinality: 2 }, query)
    }
  })

  test('fields with their types, parsers and paths', async () => {
    const { fields } = await ask('detected_fields', { query: '{service_name=`shop`} | detected_level=`error`' })
    const types = new Map<string, Json>(fields.map((field: Json) => [field.label, field]))
    assert.equal(types.get('took').type, 'duration')
    assert.equal(types.get('status').type, 'int')
    assert.deepEqual([types.get('http_size').parsers, types.get('http_size').jsonPath], [['json'], ['http', 'size']])
    assert.equal(types.get('trace_id').parsers, null)
    const pay = (await ask('detected_fields', { query: '{service_name=`pay`}' })).fields
    assert.deepEqual(pay.find(({ label }: Json) => label === 'amount').parsers, ['logfmt'])
    const { values } = await ask('detected_field/path/values', { query: '{service_name=`shop`}' })
    assert.deepEqual(values.toSorted(), ['/cart/0', '/cart/1', '/cart/2'])
  })

  test('patterns', async () => {
    const heard = await send('patterns', { query: '{service_name=`pay`}', step: '10s' })
    const { data } = json(heard)
    assert.ok(data.length > 0)
    for (const { pattern, samples } of data) {
      assert.ok(typeof pattern === 'string' && Array.isArray(samples))
    }
  })

  const lines: readonly (readonly [query: string, count: number])[] = [
    ['{service_name=`shop`} | detected_level=`error` | json | logfmt | drop __error__, __error_details__', 30],
    [
      '{service_name=`shop`} | json status="[\\"status\\"]", size="[\\"http\\"][\\"size\\"]" | logfmt | drop __error__, __error_details__ | status=`500`',
      30,
    ],
    ['{service_name=`pay`} | json | logfmt | drop __error__, __error_details__ | latency > 89ms', 10],
    ['{service_name=`pay`} |> `<_>msg="card <_> declined"<_>`', 100],
    ['{service_name=`pay`} !> `<_>declined<_>`', 0],
    ['{service_name=`pay`} |= "card 7 " or "card 8 "', 2],
    ['{service_name=`pay`} |~ "(?i)CARD 1[0-9] "', 10],
    ['{service_name=`shop`} | trace_id=`t7`', 1],
    ['{service_name=`shop`} | json | line_format `{{.path}} {{.status}}`', 300],
    ['{service_name=`shop`, __stream_shard__=``}', 300],
  ]
  for (const [query, count] of lines) {
    test(`rows of ${query}`, async () => {
      const { data } = await ask('query_range', { query, limit: 1000, direction: 'backward', step: '2000ms' })
      const values = data.result.flatMap((one: Json) => one.values)
      assert.equal(values.length, count)
      // no error is left on a row
      assert.ok(values.every((value: Json) => value[2].parsed?.__error__ === undefined))
    })
  }

  const drop = '| drop __error__, __error_details__'
  const series: readonly (readonly [query: string, check: (result: Json) => void])[] = [
    [
      'sum by (detected_level) (count_over_time({service_name=`shop`} [1m]))',
      (result) => assert.equal(result.length, 2),
    ],
    [
      `sum(count_over_time({service_name=\`shop\`} | json | logfmt ${drop} | path!="" [1m])) by (path)`,
      (result) => assert.equal(result.length, 3),
    ],
    [
      `avg_over_time({service_name=\`shop\`} | json took="took" | logfmt ${drop} | unwrap duration(took) | __error__="" [1m]) by ()`,
      (result) => {
        assert.deepEqual(result[0].metric, {})
        assert.ok(result[0].values.every(([, value]: Json) => Number(value) < 1))
      },
    ],
    [
      `avg_over_time({service_name=\`shop\`} | json size="[\\"http\\"][\\"size\\"]" ${drop} | unwrap bytes(size) | __error__="" [1m]) by ()`,
      (result) => assert.equal(result.length, 1),
    ],
    [
      'sum by (trace_id) (count_over_time({service_name=`shop`} | trace_id=`t7` | keep trace_id [10m]))',
      (result) => assert.equal(result.length, 1),
    ],
    [
      'sum by (level) (sum_over_time({__aggregated_metric__=`shop`} | logfmt | unwrap count [1m]))',
      (result) => assert.deepEqual(result, []),
    ],
  ]
  for (const [query, check] of series) {
    test(`series of ${query}`, async () => {
      const { data } = await ask('query_range', { query, direction: 'backward', step: '60000ms' })
      assert.equal(data.resultType, 'matrix')
      check(data.result)
    })
  }
})

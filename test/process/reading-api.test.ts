/** The reading endpoints besides queries, over real HTTP against a real process: answers, each parameter, limits, errors, several tenants. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { parse } from 'yaml'

import { type EddaProcess, startEdda } from './edda-process.ts'

const SECOND = 1_000_000_000n
const TIME = 1_795_000_000n * SECOND
const range = { start: String(TIME - 600n * SECOND), end: String(TIME + 600n * SECOND) }

type Answer = { readonly status: number; readonly text: string; readonly type: string | null }
// oxlint-disable-next-line typescript/no-explicit-any -- answers are whatever the server sends
type Json = any
type Values = readonly (readonly [string, string, Record<string, string>?])[]

const readEndpoints = [
  '/loki/api/v1/query_range',
  '/loki/api/v1/query',
  '/loki/api/v1/labels',
  '/loki/api/v1/label',
  '/loki/api/v1/label/app/values',
  '/loki/api/v1/series',
  '/loki/api/v1/index/stats',
  '/loki/api/v1/index/volume',
  '/loki/api/v1/index/volume_range',
  '/loki/api/v1/index/shards',
  '/loki/api/v1/patterns',
  '/loki/api/v1/detected_labels',
  '/loki/api/v1/detected_fields',
  '/loki/api/v1/detected_field/n/values',
  '/api/prom/query',
  '/api/prom/label',
  '/api/prom/label/app/values',
  '/api/prom/series',
]

describe('the reading endpoints', () => {
  let dir: string
  let server: EddaProcess

  const send = async (
    path: string,
    params: Record<string, string> | [string, string][] = {},
    { tenant = 'acme', post = false }: { tenant?: string; post?: boolean } = {},
  ): Promise<Answer> => {
    const text = new URLSearchParams(params).toString()
    const url = server.url + path + (post || text === '' ? '' : `?${text}`)
    const headers = { 'X-Scope-OrgID': tenant }
    const form = { ...headers, 'Content-Type': 'application/x-www-form-urlencoded' }
    const response = await fetch(url, post ? { method: 'POST', body: text, headers: form } : { headers })
    return { status: response.status, text: await response.text(), type: response.headers.get('content-type') }
  }
  const ask = async (path: string, params: Record<string, string> = {}, tenant = 'acme'): Promise<Json> => {
    const answer = await send(path, { ...range, ...params }, { tenant })
    assert.equal(answer.status, 200, `${path}: ${answer.text}`)
    assert.equal(answer.type, 'application/json; charset=UTF-8')
    return JSON.parse(answer.text)
  }
  const refuse = async (
    path: string,
    params: Record<string, string>,
    text: string | RegExp,
    status = 400,
  ): Promise<void> => {
    const answer = await send(path, { ...range, ...params })
    assert.deepEqual([answer.status, answer.type], [status, 'text/plain; charset=utf-8'], answer.text)
    if (typeof text === 'string') assert.equal(answer.text, text)
    else assert.match(answer.text, text)
  }
  const push = async (stream: Record<string, string>, values: Values, tenant = 'acme'): Promise<void> => {
    const response = await fetch(`${server.url}/loki/api/v1/push`, {
      method: 'POST',
      body: JSON.stringify({ streams: [{ stream, values }] }),
      headers: { 'Content-Type': 'application/json', 'X-Scope-OrgID': tenant },
    })
    assert.equal(response.status, 204, await response.text())
  }
  const at = (seconds: number): string => String(TIME + BigInt(seconds) * SECOND)

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-reading-'))
    await writeFile(
      join(dir, 'runtime.yaml'),
      'overrides:\n  closed:\n    volume_enabled: false\n  small:\n    volume_max_series: 1\n    max_entries_limit_per_query: 7\n    max_query_length: 1h\n',
    )
    server = await startEdda({
      dataDir: dir,
      flags: [
        '-auth.enabled=true',
        '-limits-config.reject-old-samples=false',
        '-limits-config.discover-service-name=',
        '-querier.multi-tenant-queries-enabled=true',
        `-runtime-config.file=${join(dir, 'runtime.yaml')}`,
      ],
    })
    // metadata detected_level: 14 bytes of name, and its value
    await push({ app: 'web', env: 'prod', pod: '17' }, [
      [at(-300), 'level=info status=200 took=15ms size=2.5MB', { trace_id: 'a1' }],
      [at(-200), 'level=error status=500 took=1.5s size="300 kB"'],
    ])
    await push({ app: 'api', env: 'prod', request: '6f9619ff-8b86-4011-b42d-00c04fc964ff' }, [
      [at(-100), '{"level":"info","http":{"status":404,"path":"/a b"},"ok":true,"ratio":0.5,"app":"other"}'],
    ])
    const flushed = await fetch(`${server.url}/flush`, { method: 'POST' })
    assert.equal(flushed.status, 204)
    await push({ app: 'api', env: 'dev' }, [[at(100), 'plain words without any fields']])
    await push({ app: 'web', env: 'prod' }, [[at(50), 'from the other tenant', { trace_id: 'b1' }]], 'other')
    await push({ app: 'secret', owner: 'third' }, [[at(60), 'nobody else sees this']], 'third')
  })
  after(async () => {
    await server?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  const sizes = {
    web: 42 + 46 + 'detected_levelinfo'.length + 'trace_ida1'.length + 'detected_levelerror'.length,
    apiProd: 88 + 'detected_levelinfo'.length,
    apiDev: 30 + 'detected_levelunknown'.length,
  }

  test('labels, values and series: selectors, ranges, both methods, both spellings of match', async () => {
    assert.deepEqual(await ask('/loki/api/v1/labels'), { status: 'success', data: ['app', 'env', 'pod', 'request'] })
    assert.deepEqual((await ask('/loki/api/v1/label', { query: '{app="web"}' })).data, ['app', 'env', 'pod'])
    assert.deepEqual((await ask('/loki/api/v1/label/env/values')).data, ['dev', 'prod'])
    assert.deepEqual((await ask('/loki/api/v1/label/env/values', { query: '{app="web"}' })).data, ['prod'])
    assert.deepEqual((await ask('/loki/api/v1/label/env/values', { start: at(50) })).data, ['dev'])
    assert.deepEqual(await ask('/loki/api/v1/label/env/values', { start: at(500) }), { status: 'success' })
    assert.deepEqual(await ask('/loki/api/v1/labels', { start: at(500) }), { status: 'success' })
    assert.deepEqual((await ask('/loki/api/v1/labels', { query: '{}' })).data.length, 4)
    const web = { app: 'web', env: 'prod', pod: '17' }
    const dev = { app: 'api', env: 'dev' }
    assert.deepEqual((await ask('/loki/api/v1/series', { match: '{app="web"}' })).data, [web])
    assert.deepEqual((await ask('/loki/api/v1/series', { 'match[]': '{app="nothing"}' })).data, [])
    assert.equal((await ask('/loki/api/v1/series', { match: '{}' })).data.length, 3)
    const both: [string, string][] = [...Object.entries(range), ['match[]', '{app="web"}'], ['match[]', '{env="dev"}']]
    for (const post of [false, true]) {
      const answer = await send('/loki/api/v1/series', both, { post })
      assert.deepEqual(JSON.parse(answer.text).data, [dev, web])
    }
    await refuse('/loki/api/v1/labels', { query: '{app="web"} |= "x"' }, 'only label matchers are supported')
    await refuse('/loki/api/v1/labels', { query: '{app=~".*"}' }, /at least one/)
    await refuse('/loki/api/v1/label/env/values', { start: 'yesterday' }, /^could not parse 'start' parameter/)
    await refuse('/loki/api/v1/labels', { start: '', since: 'ever' }, /^could not parse 'since' parameter/)
    const groups = await send('/loki/api/v1/series', [...both, ['match[]', '{}']])
    assert.deepEqual([groups.status, groups.text], [400, '0 matchers in group: {}'])
  })

  test('index/stats', async () => {
    const stats = await ask('/loki/api/v1/index/stats', { query: '{app="web"}' })
    assert.deepEqual(stats, { streams: 1, chunks: 1, bytes: sizes.web, entries: 2 })
    assert.deepEqual(await ask('/loki/api/v1/index/stats', { query: '{app="none"}' }), {
      streams: 0,
      chunks: 0,
      bytes: 0,
      entries: 0,
    })
    await refuse('/loki/api/v1/index/stats', { query: '{app="web"} | json' }, 'only label matchers are supported')
  })

  test('statistics of a query count the metadata that it looks at, in blocks and in memory', async () => {
    for (const [query, isHead] of [
      ['{app="web"}', false],
      ['{env="dev"}', true],
    ] as const) {
      const { stats } = (await ask('/loki/api/v1/query_range', { query })).data
      const { totalStructuredMetadataBytesProcessed: bytes, totalBytesProcessed } = stats.summary
      assert.ok(bytes > 0 && bytes < totalBytesProcessed, `${query}: ${bytes} of ${totalBytesProcessed}`)
      const inBlocks = stats.querier.store.chunk.decompressedStructuredMetadataBytes
      const inHeads = stats.ingester.store.chunk.headChunkStructuredMetadataBytes
      assert.deepEqual([inHeads, inBlocks], isHead ? [bytes, 0] : [0, bytes])
    }
    const counted = { query: 'count_over_time({app="web"}[20m])', time: range.end }
    const { stats } = (await ask('/loki/api/v1/query', counted)).data
    assert.ok(stats.summary.totalStructuredMetadataBytesProcessed > 0)
    const sum = { query: 'sum(count_over_time({app="web"}[20m]))', time: range.end }
    const without = (await ask('/loki/api/v1/query', sum)).data.stats
    assert.equal(without.summary.totalStructuredMetadataBytesProcessed, 0)
  })

  test('index/volume: by the names of the selector, target labels, label names; limit and order', async () => {
    const volume = async (params: Record<string, string>): Promise<unknown> => {
      const { data, status } = await ask('/loki/api/v1/index/volume', params)
      assert.deepEqual([status, data.resultType], ['success', 'vector'])
      assert.ok(data.stats.summary.execTime >= 0)
      return data.result.map(({ metric, value }: Json) => {
        assert.equal(value[0], Number(BigInt(range.end) / SECOND))
        return [metric, value[1]]
      })
    }
    const text = (bytes: number): string => String(bytes)
    const { web, apiProd, apiDev } = sizes
    assert.deepEqual(await volume({ query: '{app=~`.+`}' }), [
      [{ app: 'api' }, text(apiProd + apiDev)],
      [{ app: 'web' }, text(web)],
    ])
    assert.deepEqual(await volume({ query: '{app=~`.+`}', limit: '1' }), [[{ app: 'api' }, text(apiProd + apiDev)]])
    assert.deepEqual(await volume({ query: '{app=~".+"}', targetLabels: 'pod', limit: '0' }), [
      [{ pod: '17' }, text(web)],
    ])
    assert.deepEqual(await volume({ query: '{}', targetLabels: 'env, app' }), [
      [{ app: 'web', env: 'prod' }, text(web)],
      [{ app: 'api', env: 'prod' }, text(apiProd)],
      [{ app: 'api', env: 'dev' }, text(apiDev)],
    ])
    assert.deepEqual(await volume({ query: '{app="api"}', aggregateBy: 'labels' }), [
      [{ app: '' }, text(apiProd + apiDev)],
      [{ env: '' }, text(apiProd + apiDev)],
      [{ request: '' }, text(apiProd)],
    ])
    assert.deepEqual(await volume({ query: '{app="nothing"}' }), [])
    await refuse('/loki/api/v1/index/volume', { query: '{}', aggregateBy: 'pods' }, 'invalid aggregation option')
    await refuse('/loki/api/v1/index/volume', { query: '{}', limit: '-1' }, 'limit must be a positive value')
    await refuse('/loki/api/v1/index/volume', { query: '{}', limit: 'x' }, /^could not parse 'limit' parameter/)
    await refuse('/loki/api/v1/index/volume', { query: '{app="a"} | json' }, 'only label matchers are supported')
    await refuse('/loki/api/v1/index/volume', {}, /^parse error/)
    const backwards = { query: '{}', start: range.end, end: range.start }
    await refuse('/loki/api/v1/index/volume', backwards, 'end timestamp must not be before or equal to start time')
  })

  test('index/volume_range: a matrix by step, a vector where nothing has two samples', async () => {
    const params = { query: '{app="web"}', step: '100' }
    const { data } = await ask('/loki/api/v1/index/volume_range', params)
    assert.equal(data.resultType, 'matrix')
    const [{ metric, values }] = data.result
    assert.deepEqual(metric, { app: 'web' })
    const [first, second] = values
    // each value stands at the end of its step
    assert.deepEqual([first[0], second[0]], [1_795_000_000 - 200, 1_795_000_000 - 100])
    assert.equal(Number(first[1]) + Number(second[1]), sizes.web)
    const whole = await ask('/loki/api/v1/index/volume_range', { ...params, step: '1d' })
    assert.equal(whole.data.resultType, 'vector')
    assert.deepEqual(whole.data.result, [
      { metric: { app: 'web' }, value: [Number(BigInt(range.end) / SECOND), String(sizes.web)] },
    ])
    const empty = await ask('/loki/api/v1/index/volume_range', { query: '{app="none"}' })
    assert.deepEqual([empty.data.resultType, empty.data.result], ['vector', []])
    await refuse('/loki/api/v1/index/volume_range', { query: '{}', step: '0' }, /^zero or negative query resolution/)
    await refuse('/loki/api/v1/index/volume_range', { query: '{}', step: '100ms' }, /^exceeded maximum resolution/)
    await refuse('/loki/api/v1/index/volume_range', { query: '{}', step: 'x' }, /to a valid duration$/)
  })

  test('limits of volumes and lengths are those of the tenant', async () => {
    const closed = await send('/loki/api/v1/index/volume', { ...range, query: '{}' }, { tenant: 'closed' })
    assert.deepEqual([closed.status, closed.text], [404, 'not found'])
    await push({ app: 'one' }, [[at(0), 'x']], 'small')
    await push({ app: 'two' }, [[at(0), 'x']], 'small')
    const small = await send('/loki/api/v1/index/volume', { ...range, query: '{app=~".+"}' }, { tenant: 'small' })
    assert.equal(small.status, 400)
    assert.equal(small.text, 'the query hit the max number of series limit (limit: 1 series)')
    const long = { start: at(-7200), end: at(0), query: '{app="one"}' }
    for (const path of readEndpoints.filter((one) => one !== '/loki/api/v1/query')) {
      const params = { ...long, match: '{app="one"}', targetBytesPerShard: '1MB', limit: '5', line_limit: '5' }
      const answer = await send(path, params, { tenant: 'small' })
      assert.equal(answer.status, 400, path)
      assert.match(answer.text, /^the query time range exceeds the limit/, path)
    }
    const lines = await send('/loki/api/v1/detected_fields', { ...range, query: '{app="one"}' }, { tenant: 'small' })
    assert.equal(lines.text, 'max entries limit per query exceeded, limit > max_entries_limit_per_query (100 > 7)')
    const both = await send(
      '/loki/api/v1/detected_fields',
      { ...range, query: '{app="one"}' },
      { tenant: 'acme|small' },
    )
    assert.equal(both.text, lines.text)
  })

  test('index/shards', async () => {
    const one = await ask('/loki/api/v1/index/shards', { query: '{app=~".+"}', targetBytesPerShard: '1MB' })
    const { web, apiProd, apiDev } = sizes
    const bytes = web + apiProd + apiDev
    assert.deepEqual(one.shards[0].stats, { streams: 3, chunks: 3, bytes, entries: 4 })
    assert.equal(one.shards.length, 1)
    assert.ok(one.statistics.summary !== undefined)
    const { text } = await send('/loki/api/v1/index/shards', { ...range, query: '{}', targetBytesPerShard: '1' })
    assert.match(text, /^\{"shards":\[\{"bounds":\{"min":0,"max":\d+\},"stats":/)
    assert.match(text, /"max":18446744073709551615\}/)
    assert.equal(JSON.parse(text).shards.length, 3)
    const wrong = 'targetBytesPerShard must be a positive value'
    await refuse('/loki/api/v1/index/shards', { query: '{}' }, wrong)
    await refuse('/loki/api/v1/index/shards', { query: '{}', targetBytesPerShard: '0' }, wrong)
    await refuse('/loki/api/v1/index/shards', { query: '{}', targetBytesPerShard: '-5KB' }, wrong)
    await refuse('/loki/api/v1/index/shards', { query: '{}', targetBytesPerShard: 'much' }, /is not a size$/)
  })

  test('detected_labels', async () => {
    // pod is shown whatever it looks like, request has nothing but a UUID
    assert.deepEqual(await ask('/loki/api/v1/detected_labels', { query: '' }), {
      detectedLabels: [
        { label: 'app', cardinality: 2 },
        { label: 'env', cardinality: 2 },
        { label: 'pod', cardinality: 1 },
      ],
    })
    const web = await ask('/loki/api/v1/detected_labels', { query: '{app="api"}' })
    assert.deepEqual(web.detectedLabels, [
      { label: 'app', cardinality: 1 },
      { label: 'env', cardinality: 2 },
    ])
    assert.deepEqual(await ask('/loki/api/v1/detected_labels', { start: at(500) }), {})
    await refuse('/loki/api/v1/detected_labels', { query: '{app="a"} | json' }, 'only label matchers are supported')
  })

  test('detected_fields: types, parsers and paths', async () => {
    const { fields, limit } = await ask('/loki/api/v1/detected_fields', { query: '{app=~".+"}', step: '10s' })
    assert.equal(limit, 1000)
    const logfmt = ['logfmt']
    const json = ['json']
    assert.deepEqual(
      fields.filter(({ label }: Json) => label !== 'level' && label !== 'detected_level'),
      [
        { label: 'app_extracted', type: 'string', cardinality: 1, parsers: json, jsonPath: ['app'] },
        { label: 'http_path', type: 'string', cardinality: 1, parsers: json, jsonPath: ['http', 'path'] },
        { label: 'http_status', type: 'int', cardinality: 1, parsers: json, jsonPath: ['http', 'status'] },
        { label: 'ok', type: 'boolean', cardinality: 1, parsers: json, jsonPath: ['ok'] },
        { label: 'ratio', type: 'float', cardinality: 1, parsers: json, jsonPath: ['ratio'] },
        { label: 'size', type: 'bytes', cardinality: 2, parsers: logfmt },
        { label: 'status', type: 'int', cardinality: 2, parsers: logfmt },
        { label: 'took', type: 'duration', cardinality: 2, parsers: logfmt },
        { label: 'trace_id', type: 'string', cardinality: 1, parsers: null },
      ],
    )
    const byLabel = new Map(fields.map((field: Json) => [field.label, field]))
    assert.deepEqual(byLabel.get('level'), {
      label: 'level',
      type: 'string',
      cardinality: 2,
      parsers: ['json', 'logfmt'],
      jsonPath: ['level'],
    })
    assert.deepEqual(byLabel.get('detected_level'), {
      label: 'detected_level',
      type: 'string',
      cardinality: 3,
      parsers: null,
    })
  })

  test('detected_fields: the query, its limits, and what it must be', async () => {
    const labels = async (params: Record<string, string>): Promise<string[]> =>
      ((await ask('/loki/api/v1/detected_fields', params)).fields ?? []).map(({ label }: Json) => label)
    // what the query has dropped is a name that a field may have
    assert.deepEqual(await labels({ query: '{app="api"} | json | http_status=404 | keep ratio' }), [
      'app',
      'http_path',
      'http_status',
      'level',
      'ok',
      'ratio',
    ])
    assert.deepEqual(await labels({ query: '{app="api"} |= "plain" | label_format extra="yes"' }), [
      'detected_level',
      'extra',
    ])
    assert.deepEqual(await labels({ query: '{app=~".+"}', line_limit: '1' }), ['detected_level'])
    const few = await ask('/loki/api/v1/detected_fields', { query: '{app="web"}', limit: '2' })
    assert.deepEqual([few.fields.length, few.limit], [2, 2])
    const alias = await ask('/loki/api/v1/detected_fields', { query: '{app="web"}', field_limit: '3' })
    assert.deepEqual([alias.fields.length, alias.limit], [3, 3])
    assert.deepEqual(await ask('/loki/api/v1/detected_fields', { query: '{app="none"}' }), {})
    const path = '/loki/api/v1/detected_fields'
    await refuse(path, { query: 'rate({app="web"}[1m])' }, 'only log selector is supported')
    await refuse(path, { query: '{app="web"' }, /^parse error/)
    await refuse(path, {}, /^parse error/)
    await refuse(path, { query: '{app="web"}', line_limit: '-1' }, 'line_limit must be a positive value')
    await refuse(path, { query: '{app="web"}', limit: 'many' }, /^could not parse 'limit' parameter/)
    await refuse(path, { query: '{app="web"}', line_limit: '5001' }, /5001 > 5000\)$/)
    await refuse(path, { query: '{app="web"}', step: 'soon' }, /to a valid duration$/)
  })

  test('values of a detected field; sizes are written in one way', async () => {
    const values = (name: string, params: Record<string, string> = {}): Promise<Json> =>
      ask(`/loki/api/v1/detected_field/${name}/values`, { query: '{app=~".+"}', ...params })
    assert.deepEqual(await values('status'), { values: ['200', '500'], limit: 1000 })
    assert.deepEqual((await values('size')).values, ['2.5MB', '300kB'])
    assert.deepEqual((await values('trace_id')).values, ['a1'])
    assert.deepEqual((await values('http_path')).values, ['/a b'])
    assert.deepEqual(await values('status', { limit: '1' }), { values: ['500'], limit: 1 })
    assert.deepEqual(await values('nothing'), {})
    assert.deepEqual(await values(encodeURIComponent('a/b c')), {})
    await refuse('/loki/api/v1/detected_field/x/values', { query: 'vector(1)' }, 'only log selector is supported')
  })

  test('the first API: logs with labels as text, labels, values, series', async () => {
    const { streams, stats } = await ask('/api/prom/query', { query: '{app="web"}', regexp: 'status=5\\d\\d' })
    assert.deepEqual(streams, [
      {
        labels: '{app="web", detected_level="error", env="prod", pod="17"}',
        entries: [{ ts: '2026-11-18T11:03:20Z', line: 'level=error status=500 took=1.5s size="300 kB"' }],
      },
    ])
    assert.ok(stats.summary.totalLinesProcessed > 0)
    const limited = await ask('/api/prom/query', { query: '{app=~".+"} # all', limit: '1', direction: 'forward' })
    assert.equal(limited.streams.length, 1)
    assert.match(limited.streams[0].entries[0].line, /^level=info/)
    assert.deepEqual((await ask('/api/prom/query', { query: '{app="none"}' })).streams, [])
    await refuse(
      '/api/prom/query',
      { query: 'rate({app="web"}[1m])' },
      'legacy endpoints only support streams result type',
    )
    await refuse('/api/prom/query', { query: '{app="web"}', regexp: '(' }, /^parse error|error parsing regexp/)
    await refuse('/api/prom/query', { query: '{app="web"}', limit: '0' }, 'limit must be a positive value')
    assert.deepEqual(await ask('/api/prom/label'), { values: ['app', 'env', 'pod', 'request'] })
    assert.deepEqual(await ask('/api/prom/label/app/values'), { values: ['api', 'web'] })
    assert.deepEqual(await ask('/api/prom/label/nothing/values'), { values: [] })
    const series = await ask('/api/prom/series', { match: '{env="dev"}' })
    assert.deepEqual(series, { status: 'success', data: [{ app: 'api', env: 'dev' }] })
  })

  test('limits that a tenant may see, as JSON and as YAML', async () => {
    const json = await send('/loki/api/v1/drilldown-limits', {}, { tenant: 'small' })
    assert.equal(json.status, 200)
    const answer = JSON.parse(json.text)
    assert.equal(answer.version, '3.8.0')
    assert.equal(typeof answer.pattern_ingester_enabled, 'boolean')
    assert.equal(answer.limits.volume_max_series, 1)
    assert.equal(answer.limits.max_query_length, '1h')
    assert.equal(answer.limits.max_query_bytes_read, '0B')
    assert.equal(answer.limits.ingestion_rate_mb, undefined)
    const yaml = await send('/config/tenant/v1/limits', {}, { tenant: 'small' })
    assert.deepEqual([yaml.status, yaml.type], [200, 'text/plain; charset=utf-8'])
    assert.deepEqual(parse(yaml.text), answer.limits)
    for (const path of ['/loki/api/v1/drilldown-limits', '/config/tenant/v1/limits']) {
      assert.equal((await fetch(server.url + path)).status, 401)
    }
  })

  test('every endpoint: forms as well as URLs, bad times, other methods, no tenant', async () => {
    const withoutStats = (text: string): string => text.replace(/"(stats|statistics)":.*$/s, '')
    for (const path of readEndpoints) {
      const isInstant = path === '/loki/api/v1/query'
      const query = isInstant ? 'sum(count_over_time({app="web"}[1h]))' : '{app="web"}'
      const params = { ...range, time: range.end, query, targetBytesPerShard: '1MB' }
      const [get, post] = [await send(path, params), await send(path, params, { post: true })]
      assert.deepEqual([get.status, post.status], [200, 200], `${path}: ${get.text}`)
      assert.equal(withoutStats(get.text), withoutStats(post.text), path)
      const name = isInstant ? 'time' : 'end'
      const bad = await send(path, { ...params, [name]: 'soon' })
      assert.equal(bad.status, 400, path)
      assert.ok(bad.text.startsWith(`could not parse '${name}' parameter`), `${path}: ${bad.text}`)
      const headers = { 'X-Scope-OrgID': 'acme' }
      assert.equal((await fetch(server.url + path, { method: 'PUT', headers })).status, 405, path)
      const nobody = await fetch(server.url + path)
      assert.deepEqual([nobody.status, (await nobody.text()).trim()], [401, 'no org id'], path)
    }
  })

  test('several tenants: merged answers with their ids as a label', async () => {
    const tenant = 'other|acme|other'
    const logs = await ask('/loki/api/v1/query_range', { query: '{app="web"}', limit: '2' }, tenant)
    assert.deepEqual(
      logs.data.result.map(({ stream, values }: Json) => [stream.__tenant_id__, values.length]),
      [
        ['acme', 1],
        ['other', 1],
      ],
    )
    const counts = { query: 'sum by (__tenant_id__) (count_over_time({app="web"}[20m]))', time: at(600) }
    const { data } = await ask('/loki/api/v1/query', counts, tenant)
    assert.deepEqual(
      data.result.map(({ metric, value }: Json) => [metric, value[1]]),
      [
        [{ __tenant_id__: 'acme' }, '2'],
        [{ __tenant_id__: 'other' }, '1'],
      ],
    )
    const only = await ask('/loki/api/v1/query_range', { query: '{__tenant_id__="other", app="web"}' }, tenant)
    assert.deepEqual(only.data.result[0].values[0][1], 'from the other tenant')
    assert.equal(only.data.result.length, 1)
    assert.deepEqual((await ask('/loki/api/v1/labels', {}, tenant)).data, [
      '__tenant_id__',
      'app',
      'env',
      'pod',
      'request',
    ])
    assert.deepEqual((await ask('/loki/api/v1/label/__tenant_id__/values', {}, tenant)).data, ['acme', 'other'])
    assert.deepEqual((await ask('/loki/api/v1/series', { match: '{app="web"}' }, tenant)).data, [
      { __tenant_id__: 'acme', app: 'web', env: 'prod', pod: '17' },
      { __tenant_id__: 'other', app: 'web', env: 'prod' },
    ])
    assert.equal((await ask('/loki/api/v1/index/stats', { query: '{app="web"}' }, tenant)).entries, 3)
    const volume = { query: '{app="web"}', targetLabels: '__tenant_id__' }
    assert.equal((await ask('/loki/api/v1/index/volume', volume, tenant)).data.result.length, 2)
    const { values } = await ask('/loki/api/v1/detected_field/trace_id/values', { query: '{app="web"}' }, tenant)
    assert.deepEqual(values, ['a1', 'b1'])
    const legacy = await ask('/api/prom/query', { query: '{app="web"} |= "other"' }, tenant)
    assert.match(legacy.streams[0].labels, /__tenant_id__="other"/)
  })

  test('no endpoint shows a tenant what belongs to another', async () => {
    const tricks = ['{owner="third"}', '{__tenant_id__="third"}', '{__tenant_id__=~"acme|third"}', '{app="secret"}']
    for (const path of [
      ...readEndpoints,
      '/loki/api/v1/label/__tenant_id__/values',
      '/loki/api/v1/label/owner/values',
    ]) {
      for (const tenant of ['acme', 'acme|other']) {
        for (const query of tricks) {
          const more = { match: query, targetBytesPerShard: '1', targetLabels: 'owner,__tenant_id__' }
          const { text } = await send(path, { ...range, query, ...more }, { tenant })
          assert.ok(!/secret|third|nobody/.test(text.replaceAll(query, '')), `${tenant} ${path} ${query}: ${text}`)
        }
        const { text } = await send(path, { ...range, query: '{app=~".+"}', targetBytesPerShard: '1' }, { tenant })
        assert.ok(!/secret|third|nobody/.test(text), `${tenant} ${path}: ${text}`)
      }
    }
    for (const tenant of ['acme|../third', 'acme|', '|', 'acme|a/b']) {
      assert.equal((await send('/loki/api/v1/labels', range, { tenant })).status, 400, tenant)
    }
    const pushed = await fetch(`${server.url}/loki/api/v1/push`, {
      method: 'POST',
      body: '{"streams":[]}',
      headers: { 'Content-Type': 'application/json', 'X-Scope-OrgID': 'acme|other' },
    })
    assert.deepEqual([pushed.status, await pushed.text()], [400, 'multiple org IDs present'])
  })
})

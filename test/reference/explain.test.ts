/** The explain endpoint over small heads and blocks: what is pruned is counted right, and no entry is read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainEndpoint } from '#/logs/api/explain.ts'
import { limits as limitOptions, type Limits } from '#/logs/limits.ts'
import { Frontend } from '#/logs/read/frontend/frontend.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import type { ScanPool } from '#/logs/read/scan/scan-pool.ts'
import type { Explanation, SelectionPlan } from '#/logs/wire/explain.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import type { HttpReply } from '#/platform/http/endpoint.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { FairQueue } from '#/platform/queue/fair-queue.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

enableLinearRegex()

const SECOND = 1_000_000_000n
const HOUR = 3600n * SECOND
/** 2024-10-04 */
const T0 = 20_000n * 24n * HOUR

const line = '{"level":"info"}'
const hour = (at: bigint, stream: string, rows = 10): Entry[] =>
  Array.from({ length: rows }, (_, i) => ({ stream, timeNs: T0 + at * HOUR + BigInt(i) * SECOND, line, metadata: {} }))

const noPool: ScanPool = { concurrency: 2, run: () => Promise.reject(new Error('an entry was to be read')) }

/** Three blocks of one day, and a head of the next with two pages. */
async function makeEndpoint(): Promise<(params: Record<string, string>, accept?: string) => Promise<HttpReply>> {
  const store = new MemoryStore(realClock)
  const blocks: BlockMeta[] = []
  const contents = [hour(0n, '{app="a"}'), hour(1n, '{app="a", pod="x"}', 20), hour(5n, '{app="b"}')]
  for (const [sequence, entries] of contents.entries()) {
    for (const head of makeHeads(`b${sequence}`, entries, 100))
      blocks.push(await writeBlock(store, head, { tenant: 'test', sequence }))
  }
  const heads = makeHeads('head', [...hour(24n, '{app="a"}', 100), ...hour(26n, '{app="a"}', 100)], 100)
  const querier = new Querier({
    ingesters: [new FixedIngester(heads, blocks)],
    openBlock: blockOpener(store),
    pool: noPool,
    clock: realClock,
    budget: new MemoryBudget(64 * 1024 * 1024),
  })
  const queue = new FairQueue({ maxConcurrent: 2, maxWaitingPerTenant: 10 })
  const limits = defaultsOf(limitOptions) as Limits
  const frontend = new Frontend({
    querier,
    queue,
    limitsOf: () => ({ ...limits, max_query_length: 0 }),
    clock: realClock,
  })
  const endpoint = explainEndpoint({ frontend, clock: realClock })
  return (params, accept) =>
    endpoint.handle({
      method: 'GET',
      path: endpoint.path,
      pathParams: {},
      query: new URLSearchParams(params),
      headers: accept === undefined ? {} : { accept },
      body: Buffer.alloc(0),
      tenant: 'test',
      signal: new AbortController().signal,
      remoteAddress: '',
    })
}

const ask = await makeEndpoint()
const dayOne = { start: String(T0), end: String(T0 + 2n * HOUR) }
const bothDays = { start: String(T0), end: String(T0 + 48n * HOUR) }

async function explain(params: Record<string, string>): Promise<Explanation> {
  const { status, body } = await ask(params)
  assert.equal(status, 200)
  const { status: word, data } = JSON.parse(body as string) as { status: string; data: Explanation }
  assert.equal(word, 'success')
  return data
}

const only = ({ selections }: Explanation): SelectionPlan => {
  assert.equal(selections.length, 1)
  return selections[0]!
}

test('blocks and pages are pruned by time, then by streams', async () => {
  const { data } = only(await explain({ ...dayOne, query: '{app="a"}' }))
  assert.deepEqual(data.blocks, { total: 3, outsideTime: 1, withoutStreams: 0, withoutMatch: 0, read: 2 })
  const none = { outsideTime: 0, withoutStreams: 0, withoutMatch: 0, betweenWindows: 0 }
  assert.deepEqual(data.pages, { ...none, total: 2, read: 2 })
  assert.deepEqual([data.days, data.heads, data.streams, data.rows], [1, 0, 2, 30])
  assert.equal(data.lineBytes, 30 * line.length)
  assert.ok(data.compressedBytes > 0)
  const other = only(await explain({ ...dayOne, end: bothDays.end, query: '{app="b"}' })).data
  assert.deepEqual(other.blocks, { total: 3, outsideTime: 0, withoutStreams: 2, withoutMatch: 0, read: 1 })
  assert.deepEqual([other.heads, other.pages.total, other.pages.withoutStreams, other.rows], [1, 5, 4, 10])
})

test('label filters on stream labels leave streams out', async () => {
  const selection = only(await explain({ ...dayOne, query: '{app="a"} | json | pod="info" and level="info"' }))
  assert.deepEqual(selection.streamFilters, ['| pod="info"', '| level="info"'])
  assert.deepEqual(selection.data.blocks, { total: 3, outsideTime: 1, withoutStreams: 1, withoutMatch: 0, read: 1 })
})

test('filters leave out blocks in which nothing can pass', async () => {
  const query = '{app="a"} | json | level="error" |= "in" or "out"'
  const { pages, data } = only(await explain({ ...dayOne, query }))
  assert.deepEqual(pages, [
    '("in" in a line or "out" in a line)',
    '(metadata level="error" or "error" in a line or "\\\\u00" in a line), unless a stream has the label level',
    'a value for | level="error" or entries without level as metadata, unless a stream has the label level',
  ])
  assert.deepEqual(data.blocks, { total: 3, outsideTime: 1, withoutStreams: 0, withoutMatch: 2, read: 0 })
  assert.deepEqual([data.pages.withoutMatch, data.pages.read, data.jobs, data.rows], [2, 0, 0, 0])
})

test('pages that no window of a metric query sees are not read', async () => {
  const query = 'count_over_time({app="a"}[10m])'
  const daily = { start: String(T0 + 24n * HOUR), end: String(T0 + 48n * HOUR), step: '24h' }
  const { data, samples } = only(await explain({ ...daily, query }))
  // windows before midnight of three days: the pages of 00:00 and 02:00 are between them
  assert.deepEqual(data.pages, {
    total: 2,
    outsideTime: 0,
    withoutStreams: 0,
    withoutMatch: 0,
    read: 1,
    betweenWindows: 1,
  })
  assert.deepEqual([samples!.function, samples!.range, samples!.series], ['count_over_time', '10m', 'all labels'])
})

test('a metric query says how its series are made', async () => {
  const query = 'topk(2, sum by (level) (rate({app="a"} | json | level!="" [5m] offset 1h))) / 2'
  const {
    kind,
    evaluation,
    selections,
    step,
    steps,
    query: canonical,
  } = await explain({ ...dayOne, step: '60', query })
  assert.equal(canonical, '(topk(2,sum by (level)(rate({app="a"} | json | level!=""[5m] offset 1h0m0s))) / 2)')
  assert.deepEqual([kind, step, steps], ['metric', '1m0s', 121])
  assert.deepEqual(evaluation, {
    operation: '/',
    inputs: [
      {
        operation: 'topk 2',
        inputs: [{ operation: 'sum by (level)', inputs: [{ operation: 'rate', selection: 0 }] }],
      },
      { operation: '2' },
    ],
  })
  const [{ start, end, stages, labels, columns, samples }] = selections as [SelectionPlan]
  assert.deepEqual([start, end], ['2024-10-03T22:55:00.000000001Z', '2024-10-04T01:00:00.000000001Z'])
  assert.deepEqual(
    stages.map(({ stage, over, extracts }) => [stage, over, extracts]),
    [
      ['| ( level="" or level!="" )', 'row', undefined],
      ['| json', 'row', ['level']],
      ['| level!=""', 'row', undefined],
    ],
  )
  assert.deepEqual(labels, ['level'])
  assert.ok(columns.includes('line') && columns.includes('metadata level') && !columns.includes('all metadata'))
  assert.equal(samples!.pushedDown, 'sum by (level)')
  assert.equal(samples!.offset, '1h0m0s')
  assert.equal(samples!.errors, 'fail')
  assert.deepEqual([samples!.sharding.merge, samples!.sharding.aggregation], ['sum', 'sum'])
})

test('rules are named with what they did, and derived filters with where they do not hold', async () => {
  const { rules, stages } = only(await explain({ ...dayOne, query: '{app="a"} |= "" | json | level="error"' }))
  assert.deepEqual(
    rules.map(({ rule }) => rule),
    ['drop idle line filters', 'derive line filters', 'label filters before parsers'],
  )
  const [filter] = stages
  assert.deepEqual([filter!.stage, filter!.over], ['|= "error" or "\\\\"', 'page'])
  assert.equal(filter!.unless, 'level is a label of the stream or metadata')
})

test('instant queries, scalars, tails, subqueries', async () => {
  const instant = await explain({ time: String(T0 + HOUR), query: 'sum(count_over_time({app="a"}[1h]))' })
  assert.deepEqual(
    [instant.start, instant.end, instant.step],
    ['2024-10-04T01:00:00Z', '2024-10-04T01:00:00Z', undefined],
  )
  assert.deepEqual((await explain({ ...dayOne, query: '1 + 1' })).selections, [])
  const { result } = await explain({
    ...dayOne,
    limit: '7',
    query: '{app="a"} | distinct level | sort by level desc | limit 5',
  })
  assert.deepEqual(result, [
    'the first entry of each value of level',
    'ordered by level, greatest first',
    'at most 5 entries',
    '7 entries, backward',
  ])
  const within = only(
    await explain({ ...dayOne, query: 'count_over_time({app="a"} | json | id in ({app="b"} | keep id)[5m])' }),
  )
  assert.deepEqual(within.subqueries, ['{app="b"} | keep id'])
})

test('text for people, by parameter or header', async () => {
  const params = { ...dayOne, query: 'sum by (level) (rate({app="a"} | json |= "info" [5m]))', step: '60' }
  const text = (await ask({ ...params, format: 'text' })).body as string
  assert.equal((await ask(params, 'text/plain')).body, text)
  for (const part of [
    'sum by (level)\n    rate of selection 0\n',
    '  pages that have\n    "info" in a line\n  over pages\n    |= "info"\n',
    '  over rows\n    | json\n',
    'rewritten\n    order line filters: ',
    'the scan makes the groups of sum by (level) itself',
    'sharding: sum inside the shards, merged by sum',
    'blocks  2 of 3 read, 1 outside the time, 0 without the streams, 0 without a match',
  ]) {
    assert.ok(text.includes(part), `${part}\nis in\n${text}`)
  }
})

test('mistakes are those of the query endpoints', async () => {
  const refused: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ query: '{app=' }, /^parse error at line 1/],
    [{ query: '{app="a"}', time: '10' }, /^log queries are not supported as an instant query type/],
    [{ query: '{app="a"}', start: '20', end: '10' }, /^end timestamp must not be before/],
    [{ query: '{app="a"}', format: 'xml' }, /^format is json or text, not 'xml'/],
  ]
  for (const [params, message] of refused) await assert.rejects(ask(params), { message })
})

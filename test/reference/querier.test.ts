/** The querier over small heads and blocks: what the comparison with the reference does not show. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Cancelled, Unavailable, type EddaError } from '#/kernel/errors.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { parseSelector } from '#/logs/logql/parser/parse-selector.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { Querier, type QuerierOptions } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import { workerScanPool } from '#/logs/read/scan/worker-scan-pool.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { Direction, QueryAnswer, QueryData, RangeQuery } from '#/logs/wire/query.ts'
import { Caches, type AnyPart } from '#/platform/memory/caches.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { WorkerPool } from '#/platform/workers/worker-pool.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

enableLinearRegex()

const SECOND = 1_000_000_000n
const DAY = 86_400n * SECOND
const T0 = 20_000n * DAY
const MB = 1024 * 1024

const at = (seconds: number, line: string, options: { stream?: string; level?: string } = {}): Entry => ({
  stream: options.stream ?? '{app="a"}',
  timeNs: T0 + BigInt(Math.round(seconds * 1e9)),
  line,
  metadata: options.level === undefined ? {} : { level: options.level },
})

type Setup = {
  readonly blocks?: readonly (readonly Entry[])[]
  readonly head?: readonly Entry[]
  readonly pageRows?: number
  readonly options?: Partial<QuerierOptions>
}

async function setUp({
  blocks = [],
  head = [],
  pageRows = 100,
  options = {},
}: Setup): Promise<{ querier: Querier; budget: MemoryBudget; opened: string[] }> {
  const store = new MemoryStore(realClock)
  const metas: BlockMeta[] = []
  for (const [sequence, entries] of blocks.entries()) {
    for (const one of makeHeads(`b${sequence}`, entries, pageRows))
      metas.push(await writeBlock(store, one, { tenant: 'test', sequence }))
  }
  const opened: string[] = []
  const open = blockOpener(store)
  const openBlock = (meta: BlockMeta): Promise<LogBlock> => {
    opened.push(meta.key)
    return open(meta)
  }
  const budget = options.budget ?? new MemoryBudget(64 * MB)
  const ingesters = [new FixedIngester(makeHeads('head', head, pageRows), metas)]
  const querier = new Querier({ ingesters, openBlock, pool: inlineScanPool(2), clock: realClock, ...options, budget })
  return { querier, budget, opened }
}

const never = new AbortController().signal

function range(
  querier: Querier,
  query: string,
  options: Partial<RangeQuery & { maxSeries: number; signal: AbortSignal }> = {},
): Promise<QueryAnswer> {
  const { signal = never, maxSeries = 500, ...rest } = options
  const times = { startNs: T0, endNs: T0 + 1000n * SECOND, stepNs: SECOND, intervalNs: 0n }
  const request = { tenant: 'test', query, limit: 100, direction: 'backward' as Direction, ...times, ...rest }
  return querier.range({ ...request, expr: parseExpr(query), maxSeries }, signal)
}

const instant = (querier: Querier, query: string, timeNs: bigint): Promise<QueryAnswer> =>
  querier.instant(
    { tenant: 'test', query, timeNs, limit: 100, direction: 'backward', expr: parseExpr(query), maxSeries: 500 },
    never,
  )

const linesOf = (data: QueryData): string[] => {
  assert(data.kind === 'streams')
  return data.streams.flatMap(({ entries }) => entries.map(({ line }) => line.toString()))
}

const vectorOf = (data: QueryData): Readonly<Record<string, number>> => {
  assert(data.kind === 'vector')
  return Object.fromEntries(data.samples.map(({ labels, value }) => [formatLabels(labels), value]))
}

test('streams are sorted by labels, in full and by categories', async () => {
  const { querier } = await setUp({
    head: [
      at(1, '{"x":"1"}', { stream: '{b="1"}', level: 'info' }),
      at(2, '{"b":"2"}', { stream: '{b="1"}' }),
      at(3, 'no', { stream: '{a="1"}' }),
    ],
  })
  const { data } = await range(querier, '{a=~".*",b="1"} | json', { direction: 'forward' })
  assert(data.kind === 'streams')
  assert.deepEqual(
    data.streams.map(({ labels }) => formatLabels(labels)),
    ['{b="1", b_extracted="2"}', '{b="1", level="info", x="1"}'],
  )
  assert.equal(data.categorized.length, 1)
  const [stream] = data.categorized
  assert.equal(formatLabels(stream!.labels), '{b="1"}')
  assert.deepEqual(
    stream!.entries.map(({ structuredMetadata, parsed }) => [structuredMetadata, parsed]),
    [
      [[['level', 'info']], [['x', '1']]],
      [[], [['b_extracted', '2']]],
    ],
  )
})

test('entries of one nanosecond keep the order of insertion from block to head, and backward the reverse', async () => {
  const { querier } = await setUp({
    blocks: [[at(5, 'b1'), at(5, 'b2')]],
    head: [at(5, 'h1'), at(4, 'early'), at(5, 'h2')],
  })
  assert.deepEqual(linesOf((await range(querier, '{app="a"}', { direction: 'forward' })).data), [
    'early',
    'b1',
    'b2',
    'h1',
    'h2',
  ])
  assert.deepEqual(linesOf((await range(querier, '{app="a"}')).data), ['h2', 'h1', 'b2', 'b1', 'early'])
  assert.deepEqual(linesOf((await range(querier, '{app="a"}', { limit: 3 })).data), ['h2', 'h1', 'b2'])
  assert.deepEqual(linesOf((await range(querier, '{app="a"}', { limit: 2, direction: 'forward' })).data), [
    'early',
    'b1',
  ])
})

test('a log query takes its start and leaves out its end', async () => {
  const { querier } = await setUp({ head: [at(0, 'start'), at(10, 'end')], blocks: [[at(10 - 1e-9, 'last')]] })
  const { data } = await range(querier, '{app="a"}', { endNs: T0 + 10n * SECOND })
  assert.deepEqual(linesOf(data), ['last', 'start'])
  assert.deepEqual(
    linesOf((await range(querier, '{app="a"}', { startNs: T0 + 10n * SECOND, endNs: T0 + 10n * SECOND })).data),
    [],
  )
})

test('what several sources hold counts once, for logs and for metrics', async () => {
  const entries = [at(1, 'x', { level: 'info' }), at(2, 'y'), at(3, 'z')]
  const { querier } = await setUp({
    blocks: [entries, entries.slice(1)],
    head: [at(1, 'x'), ...entries, at(2, 'other')],
  })
  const { data, stats } = await range(querier, '{app="a"}', { direction: 'forward' })
  assert.deepEqual(linesOf(data).toSorted(), ['other', 'x', 'x', 'y', 'z'])
  assert.equal(stats.duplicateRows, 5)
  assert.deepEqual(vectorOf((await instant(querier, 'sum(count_over_time({app="a"}[1m]))', T0 + 5n * SECOND)).data), {
    '{}': 5,
  })
})

test('what two blocks share is looked for once, and then known to every query', async () => {
  const budget = new MemoryBudget(64 * MB)
  const caches = new Caches(budget)
  const part = (name: string): AnyPart => caches.parts.find((one) => one.name === name)!
  const three = [0, 50, 90].map((from) =>
    Array.from({ length: 60 }, (_, i) =>
      at(from + i, `line ${from + i}`, { stream: `{app="a", n="${(from + i) % 3}"}` }),
    ),
  )
  const { querier } = await setUp({
    blocks: three,
    head: three[2]!.slice(50),
    options: { budget, caches, cachesResults: false },
  })
  const count = async (selector: string): Promise<number> => {
    const { data } = await instant(querier, `sum(count_over_time(${selector}[5m]))`, T0 + 300n * SECOND)
    return vectorOf(data)['{}']!
  }
  assert.equal(await count('{n="1"}'), 50)
  assert.equal(await count('{app="a"}'), 149)
  assert.equal(part('duplicates').entryCount, 2)
  assert.equal(part('duplicates').added, 2)
  const { hits } = part('duplicates')
  assert.equal(await count('{app="a"}'), 149)
  assert.equal(await count('{n="1"}'), 50)
  assert.equal(part('duplicates').hits - hits, 4)
  const { stats } = await range(querier, '{app="a"}', { limit: 1000, endNs: T0 + 300n * SECOND })
  assert.equal(stats.duplicateRows, 10 + 20 + 10)
})

test('stops at the limit: pages and blocks that cannot matter are not read', async () => {
  const day = (n: number): Entry[] =>
    Array.from({ length: 100 }, (_, i) => ({
      ...at(i, `d${n} ${i}`),
      timeNs: T0 + BigInt(n) * DAY + BigInt(i) * SECOND,
    }))
  const days = [day(0), day(1), day(2)]
  const { querier, opened } = await setUp({
    blocks: days,
    // with more jobs at a time the day behind would be opened ahead
    options: { jobSizes: { firstBytes: 1, maxBytes: 1 }, pool: inlineScanPool(1) },
  })
  const newest = await range(querier, '{app="a"}', { endNs: T0 + 3n * DAY, limit: 5 })
  assert.deepEqual(linesOf(newest.data), ['d2 99', 'd2 98', 'd2 97', 'd2 96', 'd2 95'])
  assert.equal(opened.length, 1)
  assert.equal(newest.stats.blocksTotal, 3)
  assert.equal(newest.stats.blocksRead, 1)
  const oldest = await range(querier, '{app="a"} |= "9"', { endNs: T0 + 3n * DAY, limit: 1, direction: 'forward' })
  assert.deepEqual(linesOf(oldest.data), ['d0 9'])
  assert.equal(opened.length, 2)
})

test('head pages beyond the newest rows are not scanned', async () => {
  const head = Array.from({ length: 200 }, (_, i) => at(i, `line ${i}`))
  const { querier } = await setUp({ head, pageRows: 10, options: { jobSizes: { firstBytes: 1, maxBytes: 1 } } })
  const { data, stats } = await range(querier, '{app="a"}', { limit: 12 })
  assert.deepEqual(
    linesOf(data),
    head
      .slice(188)
      .map(({ line }) => line)
      .toReversed(),
  )
  assert.equal(stats.pagesTotal, 20)
  assert.equal(stats.pagesRead, 2)
  assert.equal(stats.headRows, 20)
})

test('blocks behind the newest rows are not opened, unless they overlap in time', async () => {
  const lines = (from: number): Entry[] => Array.from({ length: 20 }, (_, i) => at(from + i, `line ${i} of ${from}`))
  const rows = [...lines(0), ...lines(100), ...lines(110), ...lines(200)]
  const blocks = [lines(100), lines(0), lines(200), lines(110)]
  for (const direction of ['forward', 'backward'] as const) {
    const inOrder = rows.toSorted((a, b) => Number(a.timeNs - b.timeNs) * (direction === 'forward' ? 1 : -1))
    for (const [limit, read] of [
      [20, 1],
      [21, 3],
      [60, 3],
      [61, 4],
    ] as const) {
      const { querier, opened } = await setUp({ blocks })
      const { data, stats } = await range(querier, '{app="a"}', { limit, direction })
      const times =
        data.kind === 'streams' ? data.streams.flatMap(({ entries }) => entries.map(({ timeNs }) => timeNs)) : []
      assert.deepEqual(
        times,
        inOrder.slice(0, limit).map(({ timeNs }) => timeNs),
      )
      assert.deepEqual([opened.length, stats.blocksTotal], [read, 4], `${direction} ${limit}`)
    }
  }
})

test('interval keeps entries that far apart, over all streams', async () => {
  const head = Array.from({ length: 3000 }, (_, i) => at(i / 10, `${i}`, { stream: `{app="a", n="${i % 3}"}` }))
  const { querier } = await setUp({ head })
  for (const direction of ['forward', 'backward'] as const) {
    const ordered = direction === 'forward' ? head : head.toReversed()
    const expected: Entry[] = []
    for (const one of ordered) {
      const last = expected.at(-1)
      const distance =
        last === undefined ? 2n ** 63n : direction === 'forward' ? one.timeNs - last.timeNs : last.timeNs - one.timeNs
      if (distance >= 7n * SECOND) expected.push(one)
    }
    for (const limit of [3, 1000]) {
      const { data } = await range(querier, '{app="a"}', { intervalNs: 7n * SECOND, direction, limit })
      const wanted = expected.slice(0, limit).map(({ line }) => Number(line))
      assert.deepEqual(
        linesOf(data)
          .map(Number)
          .toSorted((a, b) => a - b),
        wanted.toSorted((a, b) => a - b),
      )
    }
  }
})

test('instant answers are sorted by labels unless the query sorts by value', async () => {
  const head = ['c', 'a', 'b', 'b', 'b', 'c'].map((app, i) => at(i, 'x', { stream: `{app="${app}"}` }))
  const { querier } = await setUp({ head })
  const keys = async (query: string): Promise<string[]> =>
    Object.keys(vectorOf((await instant(querier, query, T0 + 10n * SECOND)).data))
  assert.deepEqual(await keys('topk(2, count_over_time({app=~".+"}[1m]))'), ['{app="b"}', '{app="c"}'])
  assert.deepEqual(await keys('sort_desc(topk(2, count_over_time({app=~".+"}[1m])))'), ['{app="b"}', '{app="c"}'])
  assert.deepEqual(await keys('sort(count_over_time({app=~".+"}[1m]))'), ['{app="a"}', '{app="c"}', '{app="b"}'])
})

test('the best of very many series are the same when most of them are never held', async () => {
  const counts = new Map<string, number>()
  const entryOf = (i: number): Entry => {
    // some users all the time, and one that comes late
    const isLate = i >= 36_000 && i % 10 > 6
    const user = i % 10 === 0 ? `often-${i % 7}` : isLate ? 'late' : `${'seldom-'.repeat(5)}${i}`
    const app = i % 2 === 0 ? 'a' : 'b'
    for (const key of i % 50 === 1 ? [`{app="${app}"}`, '{}'] : [`{app="${app}", user="${user}"}`, `{user="${user}"}`])
      counts.set(key, (counts.get(key) ?? 0) + 1)
    const entry = at(i / 500, 'twelve bytes', { stream: `{app="${app}"}` })
    return i % 50 === 1 ? entry : { ...entry, metadata: { user } }
  }
  const all = Array.from({ length: 40_000 }, (_, i) => entryOf(i))
  const blocks = [0, 1, 2, 3].map((block) => all.slice(block * 9000, (block + 1) * 9000))
  const options = { jobSizes: { firstBytes: 16_000, maxBytes: 16_000 } }
  const { querier } = await setUp({ blocks, head: all.slice(36_000), pageRows: 1024, options })
  for (const [labels, isAsked] of [
    ['user', (key: string) => !key.includes('app=')],
    ['app, user', (key: string) => key.includes('app=')],
  ] as const) {
    for (const k of [1, 5, 9, 40]) {
      const query = `topk(${k}, sum by (${labels}) (count_over_time({app=~".+"}[10m])))`
      const found = vectorOf((await instant(querier, query, T0 + 200n * SECOND)).data) as Record<string, number>
      const expected = [...counts]
        .filter(([key]) => isAsked(key))
        .map(([, count]) => count)
        .toSorted((a, b) => b - a)
      assert.deepEqual(
        Object.values(found).toSorted((a, b) => b - a),
        expected.slice(0, k),
        query,
      )
      for (const [key, count] of Object.entries(found)) assert.equal(count, counts.get(key), key)
    }
  }
})

test('the best of very many series are found with memory for few of them', async () => {
  const users = 40_000
  const user = (i: number): string => `${'long-'.repeat(8)}${i % users}`
  const entryOf = (i: number): Entry => ({
    ...at(i / 500, 'x'),
    metadata: { user: user(i), ...(i % 3 === 0 && { zone: 'z' }) },
  })
  const all = Array.from({ length: users + 3000 }, (_, i) => entryOf(i))
  // two more of some
  for (const i of [5, 17, 39_999])
    all.push({ ...at(1, 'y'), metadata: { user: user(i) } }, { ...entryOf(i), line: 'z' })
  const blocks = [0, 1, 2, 3, 4].map((block) => all.slice(block * 10_000, (block + 1) * 10_000))
  const budget = new MemoryBudget(16 * MB)
  const { querier } = await setUp({ blocks, head: [at(2, 'head')], pageRows: 4096, options: { budget } })
  const ask = async (query: string): Promise<unknown> =>
    vectorOf((await instant(querier, query, T0 + 200n * SECOND)).data)
  const counted = 'sum by (user) (count_over_time({app="a"}[10m]))'
  assert.deepEqual(await ask(`topk(3, ${counted})`), {
    [`{user="${user(5)}"}`]: 4,
    [`{user="${user(17)}"}`]: 4,
    [`{user="${user(39_999)}"}`]: 3,
  })
  assert.deepEqual(await ask(`bottomk(1, ${counted})`), { '{}': 1 })
  assert.deepEqual(await ask('topk(2, sum by (user, zone) (bytes_over_time({app="a"}[10m])))'), {
    '{}': 4,
    [`{user="${user(17)}"}`]: 3,
  })
  assert.deepEqual(await ask(`sum(count_over_time({app="a"} | user="${user(5)}" [10m]))`), { '{}': 4 })
  await assert.rejects(ask(counted), /the \d+ series found so far need more than the 4MB of memory/)
})

test('far past, far future and years of nothing cost nothing', async () => {
  const { querier, opened } = await setUp({ blocks: [[at(1, 'x')]] })
  assert.deepEqual(vectorOf((await instant(querier, 'vector(1)+vector(1)', 4_000_000_000n * SECOND)).data), { '{}': 2 })
  const century = { startNs: -50n * 365n * DAY, endNs: 100n * 365n * DAY }
  assert.deepEqual(linesOf((await range(querier, '{app="a"}', century)).data), ['x'])
  const { data } = await range(querier, 'sum(count_over_time({app="a"}[1y]))', { ...century, stepNs: 365n * DAY })
  assert(data.kind === 'matrix')
  assert.deepEqual(
    [...data.series[0]!.present].reduce((sum, one) => sum + one, 0),
    1,
  )
  assert.equal(opened.length, 1)
  const scalar = await range(querier, '1 + 1', { endNs: T0 + 2n * SECOND })
  assert(scalar.data.kind === 'matrix')
  assert.deepEqual([...scalar.data.series[0]!.values], [2, 2, 2])
})

test('more series than allowed, log queries at an instant, and approx_topk over a range are refused', async () => {
  const head = ['a', 'b', 'c'].map((app) => at(1, 'x', { stream: `{app="${app}"}` }))
  const { querier } = await setUp({ head })
  const all = 'count_over_time({app=~".+"}[10s])'
  await assert.rejects(range(querier, all, { maxSeries: 2 }), {
    code: 'bad_request',
    message:
      'maximum number of series (2) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()',
  })
  const { data } = await range(querier, `topk(2, ${all})`, { maxSeries: 2 })
  assert.equal(data.kind === 'matrix' && data.series.length, 2)
  await assert.rejects(instant(querier, '{app="a"}', T0), /log queries are not supported as an instant query type/)
  await assert.rejects(range(querier, `approx_topk(2, ${all})`), {
    code: 'bad_request',
    message: 'count min sketches are only supported on instant queries',
  })
})

test('memory is taken from the budget and given back; beyond the share the query says what to narrow', async () => {
  const head = Array.from({ length: 300 }, (_, i) => at(i, 'x'.repeat(1000)))
  const { querier, budget } = await setUp({ blocks: [head], options: { budget: new MemoryBudget(MB) } })
  const held = async (): Promise<number> => (
    await range(querier, 'sum(count_over_time({app="a"}[10s]))'),
    budget.usedBytes
  )
  await held()
  // the index of the block, and page buffers for the next query
  const before = await held()
  await assert.rejects(
    range(querier, '{app="a"}', { limit: 1000 }),
    /the query needs more than the 256KB of memory that it may use; reduce the time range or the limit/,
  )
  assert.equal(await held(), before)
  const other = budget.reserve('other')
  assert(other.grow(budget.limitBytes), 'open blocks, results and idle buffers are given up')
  const impatient = { ...realClock, sleep: async () => undefined }
  const { querier: poor } = await setUp({ blocks: [head], options: { budget, clock: impatient, blockCacheBytes: 1 } })
  await assert.rejects(
    range(poor, 'sum(count_over_time({app="a"}[10s]))'),
    (error: EddaError) => error instanceof Unavailable && error.retryAfterSeconds === 1,
  )
})

test('an aborted query ends with the reason', async () => {
  const abort = new AbortController()
  abort.abort(new Cancelled())
  const { querier, budget } = await setUp({ head: [at(1, 'x')], blocks: [[at(2, 'y')]] })
  await assert.rejects(range(querier, '{app="a"}', { signal: abort.signal }), Cancelled)
  await assert.rejects(range(querier, 'rate({app="a"}[1m])', { signal: abort.signal }), Cancelled)
  assert(budget.usedBytes < MB)
})

test('a small job that turns out to be slow leaves the main thread', async () => {
  const inline = inlineScanPool(2)
  let posted = 0
  const pool = { ...inline, run: (...job: Parameters<typeof inline.run>) => (posted++, inline.run(...job)) }
  const head = Array.from({ length: 50 }, (_, i) => at(i, `line ${i}`))
  const { querier } = await setUp({ head, options: { pool } })
  await range(querier, '{app="a"} | line_format "{{ __line__ }}!"')
  assert.equal(posted, 0)
  const { data } = await range(querier, '{app="a"} | line_format "{{ range 90000 }}{{ end }}{{ __line__ }}"')
  assert.equal(posted, 1)
  assert.equal(linesOf(data)[0], 'line 49')
})

test('labels, values, series and sizes come from indexes alone', async () => {
  const { querier } = await setUp({
    blocks: [
      [
        at(1, 'abc', { stream: '{app="a", env="dev"}' }),
        at(50, 'abc', { stream: '{app="b", env="prod"}', level: 'info' }),
      ],
    ],
    head: [at(100, 'wxyz', { stream: '{app="c"}' }), at(200, 'wxyz', { stream: '{app="a", env="dev"}' })],
  })
  const query = (from: number, to: number, ...selectors: string[]) => ({
    tenant: 'test',
    selectors: selectors.map((text) => parseSelector(text, { validate: false })),
    startNs: T0 + BigInt(from) * SECOND,
    endNs: T0 + BigInt(to) * SECOND,
  })
  assert.deepEqual(await querier.labelNames(query(0, 300), never), ['app', 'env'])
  assert.deepEqual(await querier.labelNames(query(60, 150), never), ['app'])
  assert.deepEqual(await querier.labelValues('app', query(0, 300), never), ['a', 'b', 'c'])
  assert.deepEqual(await querier.labelValues('app', query(0, 10), never), ['a'])
  assert.deepEqual(await querier.labelValues('app', query(100, 100), never), ['c'])
  assert.deepEqual(await querier.labelValues('app', query(0, 300, '{env="prod"}'), never), ['b'])
  assert.deepEqual(await querier.labelValues('none', query(0, 300), never), [])
  const series = async (...selectors: string[]): Promise<string[]> =>
    (await querier.series(query(0, 300, ...selectors), never)).map(formatLabels)
  assert.deepEqual(await series(), ['{app="a", env="dev"}', '{app="b", env="prod"}', '{app="c"}'])
  assert.deepEqual(await series('{app="c"}', '{env=~"p.*"}'), ['{app="b", env="prod"}', '{app="c"}'])
  const all = await querier.indexStats(query(0, 300), never)
  assert.deepEqual({ ...all, bytes: 0 }, { streams: 3, chunks: 2, bytes: 0, entries: 4 })
  assert(all.bytes >= 14)
  assert.equal((await querier.indexStats(query(150, 300), never)).entries, 1)
})

const pools: WorkerPool[] = []
after(() => Promise.all(pools.map((pool) => pool.close(0))))

test('worker threads give the same answers', async () => {
  const pool = new WorkerPool({ clock: realClock, threads: 2 })
  pools.push(pool)
  const entries = Array.from({ length: 20_000 }, (_, i) =>
    at(i / 100, JSON.stringify({ n: i, status: i % 7 === 0 ? 500 : 200 }), { stream: `{app="a", n="${i % 5}"}` }),
  )
  const setup = { blocks: [entries.slice(0, 12_000)], head: entries.slice(11_000), pageRows: 5000 }
  const inline = await setUp(setup)
  const threaded = await setUp({
    ...setup,
    options: { pool: workerScanPool(pool), jobSizes: { firstBytes: 100_000, maxBytes: 200_000 } },
  })
  for (const query of [
    'sum by (status) (count_over_time({app="a"} | json | status >= 500 [20s]))',
    'count_over_time({app="a"}[1m])',
    'sum by (status) (sum_over_time({app="a"} | json | unwrap n | n != "3" [1m]))',
    'quantile_over_time(0.9, {app="a"} | json m="n" | keep app, m | unwrap m [1m])',
    'last_over_time({app="a"} | json | unwrap n_extracted [1m]) by (status)',
    'rate_counter({app="a"} | json m="n" | keep app, m | unwrap m [1m])',
    'count_distinct_over_time(m, {app="a"} | json m="n" [1m]) by (app)',
  ]) {
    const { data } = await range(threaded.querier, query)
    assert(data.kind === 'matrix' && data.series.length > 0, query)
    assert.deepEqual(data, (await range(inline.querier, query)).data)
  }
  const [a, b] = [
    await range(threaded.querier, '{app="a"} |= "999"'),
    await range(inline.querier, '{app="a"} |= "999"'),
  ]
  assert.deepEqual(linesOf(a.data), linesOf(b.data))
  assert.equal(a.stats.duplicateRows, 1000)
  assert(pool.stats().completed > 3)
  await assert.rejects(
    range(threaded.querier, 'rate({app="a"} | logfmt --strict [1m])'),
    /pipeline error: 'LogfmtParserErr'/,
  )
})

/** `distinct`, `sort`, `limit` and subqueries over heads, blocks and both: what LogQL has beyond Loki's. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { Cancelled } from '#/kernel/errors.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { Querier, type QuerierOptions } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { ScanPool } from '#/logs/read/scan/scan-pool.ts'
import { workerScanPool } from '#/logs/read/scan/worker-scan-pool.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { Direction, QueryAnswer, QueryData, RangeQuery } from '#/logs/wire/query.ts'
import { MemoryBudget, type Reservation } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { WorkerPool } from '#/platform/workers/worker-pool.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

enableLinearRegex()

const SECOND = 1_000_000_000n
const T0 = 20_000n * 86_400n * SECOND
const MB = 1024 * 1024
const never = new AbortController().signal

const at = (seconds: number, line: string, stream = '{app="a"}', metadata: Entry['metadata'] = {}): Entry => ({
  stream,
  timeNs: T0 + BigInt(Math.round(seconds * 1e9)),
  line,
  metadata,
})

type Layout = 'head' | 'block' | 'mixed'
const layouts: readonly Layout[] = ['head', 'block', 'mixed']

type World = { readonly querier: Querier }

/** The entries in a head, a block, or every other one in each. */
async function setUp(
  entries: readonly Entry[],
  layout: Layout,
  {
    pageRows = 3,
    beforeOpen = async () => undefined,
    ...options
  }: Partial<QuerierOptions> & { readonly pageRows?: number; readonly beforeOpen?: () => Promise<void> } = {},
): Promise<World> {
  const store = new MemoryStore(realClock)
  const blocks: BlockMeta[] = []
  const inBlock = entries.filter((_, i) => layout === 'block' || (layout === 'mixed' && i % 2 === 0))
  const inHead = entries.filter((entry) => !inBlock.includes(entry))
  for (const head of makeHeads('b', inBlock, pageRows))
    blocks.push(await writeBlock(store, head, { tenant: 'test', sequence: 1 }))
  const heads: HeadSnapshot[] = makeHeads('h', inHead, pageRows)
  const budget = options.budget ?? new MemoryBudget(64 * MB)
  const open = blockOpener(store)
  const querier = new Querier({
    ingesters: [new FixedIngester(heads, blocks)],
    openBlock: async (meta) => {
      await beforeOpen()
      return open(meta)
    },
    pool: inlineScanPool(2),
    clock: realClock,
    jobSizes: { firstBytes: 1, maxBytes: 60 },
    ...options,
    budget,
  })
  return { querier }
}

type Options = Partial<RangeQuery> & { readonly signal?: AbortSignal }

function range({ querier }: World, query: string, options: Options = {}): Promise<QueryAnswer> {
  const { signal = never, ...rest } = options
  const times = { startNs: T0, endNs: T0 + 1000n * SECOND, stepNs: 10n * SECOND, intervalNs: 0n }
  const request = { tenant: 'test', query, limit: 100, direction: 'backward' as Direction, ...times, ...rest }
  return querier.range({ ...request, expr: parseExpr(query), maxSeries: 500 }, signal)
}

async function instant({ querier }: World, query: string, seconds: number): Promise<Readonly<Record<string, number>>> {
  const timeNs = T0 + BigInt(seconds) * SECOND
  const request = { tenant: 'test', query, timeNs, limit: 100, direction: 'backward' as Direction, maxSeries: 500 }
  const { data } = await querier.instant({ ...request, expr: parseExpr(query) }, never)
  assert(data.kind === 'vector')
  return Object.fromEntries(data.samples.map(({ labels, value }) => [formatLabels(labels), value]))
}

/** Lines in the order of the answer: stream by stream. */
const linesOf = (data: QueryData): string[] => {
  assert(data.kind === 'streams')
  return data.streams.flatMap(({ entries }) => entries.map(({ line }) => line.toString()))
}

const lines = async (world: World, query: string, options?: Options): Promise<string[]> =>
  linesOf((await range(world, query, options)).data)

/** Runs the same over all layouts. */
function everywhere(name: string, entries: readonly Entry[], check: (world: World) => Promise<void>): void {
  for (const layout of layouts) test(`${name} (${layout})`, async () => check(await setUp(entries, layout)))
}

const requests = [
  at(1, 'user=ann ms=30'),
  at(2, 'user=bob ms=9'),
  at(3, 'user=ann ms=100'),
  at(4, 'user=cid ms=slow'),
  at(5, 'ms=7'),
  at(6, 'user=bob ms=30.0'),
  at(7, 'user=dee'),
]

everywhere('distinct keeps the first entry of each value in the direction of the query', requests, async (world) => {
  const distinct = (options: Options): Promise<string[]> =>
    lines(world, '{app="a"} | logfmt | distinct user', options).then((all) => all.toSorted())
  assert.deepEqual(await distinct({ direction: 'forward' }), [
    'ms=7',
    'user=ann ms=30',
    'user=bob ms=9',
    'user=cid ms=slow',
    'user=dee',
  ])
  assert.deepEqual(await distinct({}), ['ms=7', 'user=ann ms=100', 'user=bob ms=30.0', 'user=cid ms=slow', 'user=dee'])
  assert.deepEqual(await distinct({ limit: 2 }), ['user=bob ms=30.0', 'user=dee'], 'the limit counts what is left')
  assert.deepEqual(await distinct({ limit: 2, direction: 'forward' }), ['user=ann ms=30', 'user=bob ms=9'])
})

everywhere(
  'distinct of several labels, of stream labels, of metadata',
  [
    at(1, 'one', '{app="a", env="x"}', { id: '1' }),
    at(2, 'two', '{app="b", env="x"}', { id: '1' }),
    at(3, 'three', '{app="a", env="x"}', { id: '2' }),
    at(4, 'four', '{app="a", env="x"}', { id: '1' }),
    at(5, 'five', '{app="b", env="x"}'),
  ],
  async (world) => {
    const forward = (query: string): Promise<string[]> =>
      lines(world, query, { direction: 'forward' }).then((all) => all.toSorted())
    assert.deepEqual(await forward('{env="x"} | distinct app'), ['one', 'two'])
    assert.deepEqual(await forward('{env="x"} | distinct id'), ['five', 'one', 'three'])
    assert.deepEqual(await forward('{env="x"} | distinct app, id'), ['five', 'one', 'three', 'two'])
    assert.deepEqual(await forward('{env="x"} |= "o" | distinct nothing'), ['one'])
  },
)

everywhere('sort orders by value: numbers, texts, missing; streams come in that order', requests, async (world) => {
  const query = '{app="a"} | logfmt | sort by ms'
  assert.deepEqual(await lines(world, query), [
    'ms=7',
    'user=bob ms=9',
    'user=bob ms=30.0',
    'user=ann ms=30',
    'user=ann ms=100',
    'user=cid ms=slow',
    'user=dee',
  ])
  assert.deepEqual(await lines(world, `${query} desc`, { direction: 'forward' }), [
    'user=ann ms=100',
    'user=ann ms=30',
    'user=bob ms=30.0',
    'user=bob ms=9',
    'ms=7',
    'user=cid ms=slow',
    'user=dee',
  ])
  assert.deepEqual(await lines(world, `${query} desc`, { limit: 2 }), ['user=ann ms=100', 'user=bob ms=30.0'])
  assert.deepEqual(await lines(world, `${query} | limit 1`), ['ms=7'])
  assert.deepEqual(await lines(world, `${query} | limit 50`, { limit: 1 }), ['ms=7'], 'the smaller limit counts')
})

everywhere('by categories, entries of one stream stand in the order of the sort', requests, async (world) => {
  const { data } = await range(world, '{app="a"} | logfmt | user!="" | sort by user desc')
  assert(data.kind === 'streams')
  assert.deepEqual(
    data.categorized.map(({ labels, entries }) => [
      formatLabels(labels),
      entries.map(({ parsed }) => parsed.at(-1)?.[1]),
    ]),
    [['{app="a"}', ['dee', 'cid', 'bob', 'bob', 'ann', 'ann']]],
  )
})

everywhere('what is distinct by one label can be sorted by another', requests, async (world) => {
  const query = '{app="a"} | logfmt | user!="" | distinct user | sort by ms desc'
  // the first of each user: 30, 9, slow, none
  assert.deepEqual(await lines(world, query, { direction: 'forward' }), [
    'user=ann ms=30',
    'user=bob ms=9',
    'user=cid ms=slow',
    'user=dee',
  ])
  assert.deepEqual(await lines(world, query, { limit: 1 }), ['user=ann ms=100'])
  assert.deepEqual(await lines(world, '{app="a"} | logfmt | distinct user | sort by user | limit 2'), [
    'user=ann ms=100',
    'user=bob ms=30.0',
  ])
})

test('limit by itself, and interval with any of them', async () => {
  const world = await setUp(requests, 'mixed')
  assert.deepEqual(await lines(world, '{app="a"} | limit 2'), ['user=dee', 'user=bob ms=30.0'])
  for (const stage of ['distinct user', 'sort by user', 'limit 3']) {
    await assert.rejects(range(world, `{app="a"} | logfmt | ${stage}`, { intervalNs: SECOND }), {
      code: 'bad_request',
      message: `interval cannot be used with '| ${stage.split(' ')[0]}'; leave one of them out`,
    })
  }
})

test('distinct stops when it has what is asked for', async () => {
  const entries = Array.from({ length: 300 }, (_, i) => at(i, `user=${i % 3}`))
  const world = await setUp(entries, 'head', { pageRows: 10, pool: inlineScanPool(1) })
  const { data, stats } = await range(world, '{app="a"} | logfmt | distinct user', { limit: 3 })
  assert.deepEqual(linesOf(data), ['user=0', 'user=1', 'user=2'])
  assert.equal(stats.pagesRead, 1)
  const all = await range(world, '{app="a"} | logfmt | distinct user', { limit: 4 })
  assert.deepEqual(linesOf(all.data), ['user=0', 'user=1', 'user=2'])
  assert.equal(all.stats.pagesRead, 30)
})

test('more distinct entries than can be sorted are refused, in words that help', async () => {
  const entries = Array.from({ length: 50_001 }, (_, i) => at(i / 100, `id=${i} ms=${i % 10}`))
  const world = await setUp(entries, 'head', { pageRows: 20_000, budget: new MemoryBudget(512 * MB) })
  const query = '{app="a"} | logfmt | distinct id | sort by ms'
  await assert.rejects(range(world, query), {
    code: 'bad_request',
    message:
      "'distinct id' finds more than 50000 entries, which is the most that can then be sorted by ms; add filters or matchers, or reduce the time range",
  })
  assert.equal((await lines(world, `{app="a"} != "id=7 " | logfmt | distinct id | sort by ms`, { limit: 5 })).length, 5)
  assert.equal(
    (await lines(world, '{app="a"} | logfmt | distinct id | sort by id desc', { limit: 1 }))[0],
    'id=50000 ms=0',
  )
})

test('jobs that add little to the answer hold little memory', async () => {
  // each page has the same 500 ids and one of its own
  const entries = Array.from({ length: 60 }, (_, page) =>
    Array.from({ length: 501 }, (_, i) => at(page + i / 1000, `id=${i === 500 ? `new${page}` : i} ${'x'.repeat(300)}`)),
  ).flat()
  const jobSizes = { firstBytes: 1, maxBytes: 1 }
  const world = await setUp(entries, 'head', { pageRows: 501, jobSizes, budget: new MemoryBudget(8 * MB) })
  assert.equal((await lines(world, '{app="a"} | logfmt | distinct id', { limit: 5000 })).length, 560)
  assert.equal((await lines(world, '{app="a"} | logfmt | distinct id | sort by id', { limit: 5000 })).length, 560)
  assert.equal((await lines(world, '{app="a"} | logfmt | distinct id | sort by app', { limit: 5 })).length, 5)
})

type Label = 'a' | 'b'
/** Entry number i is `n=i`, behind the labels if these are in the line. */
type OneRow = { readonly time: number } & Readonly<Record<Label, string>>
type Tail = {
  readonly distinct: readonly Label[]
  readonly sort: { readonly label: Label; readonly desc: boolean } | undefined
  readonly limit: number | undefined
}
type Where = 'line' | 'stream' | 'metadata'

const value = fc.constantFrom('', '1', '2', '10', 'x', 'y')
const fuzzRows = fc.array(fc.record({ time: fc.integer({ min: 0, max: 30 }), a: value, b: value }), { maxLength: 40 })
const fuzzTail: fc.Arbitrary<Tail> = fc.record({
  distinct: fc.constantFrom<Label[][]>([], ['a'], ['b', 'a']),
  sort: fc.option(fc.record({ label: fc.constantFrom<Label[]>('a', 'b'), desc: fc.boolean() }), { nil: undefined }),
  limit: fc.constantFrom(undefined, 1, 3, 100),
})

function entryOf({ time, a, b }: OneRow, i: number, where: Where): Entry {
  // entries of equal times share a stream, as the order of those of different streams is not specified
  if (where === 'line') return at(time, `a=${a} b=${b} n=${i}`, `{app="a", i="${time % 2}"}`)
  if (where === 'metadata') return at(time, `n=${i}`, `{app="a", i="${time % 2}"}`, { a, b })
  const labels = { a, app: 'a', b }
  const texts = Object.entries(labels).flatMap(([name, text]) => (text === '' ? [] : [`${name}="${text}"`]))
  return at(time + i / 1e6, `n=${i}`, `{${texts.join(', ')}}`)
}

function queryOf({ distinct, sort, limit }: Tail, where: Where): string {
  return [
    where === 'line' ? '{app="a"} | logfmt' : '{app="a"}',
    ...(distinct.length > 0 ? [`distinct ${distinct.join(', ')}`] : []),
    ...(sort === undefined ? [] : [`sort by ${sort.label}${sort.desc ? ' desc' : ''}`]),
    ...(limit === undefined ? [] : [`limit ${limit}`]),
  ].join(' | ')
}

/** Numbers of the rows in `all`, which stand in the order of the query, after the tail. */
function naiveTail(
  all: readonly number[],
  rows: readonly OneRow[],
  { distinct, sort, limit = Infinity }: Tail,
): number[] {
  const keyOf = (i: number): string => distinct.map((name) => rows[i]![name]).join('|')
  const isFirst = (i: number, place: number): boolean => all.findIndex((other) => keyOf(other) === keyOf(i)) === place
  const kept = distinct.length === 0 ? [...all] : all.filter(isFirst)
  if (sort === undefined) return kept.slice(0, limit)
  const rank = (text: string): number => (text === '' ? 2 : Number.isNaN(Number(text)) ? 1 : 0)
  const place = (text: string): number => (rank(text) === 0 ? Number(text) : text.charCodeAt(0))
  return kept
    .toSorted((x, y) => {
      const [left, right] = [rows[x]![sort.label], rows[y]![sort.label]]
      const byRank = rank(left) - rank(right)
      if (byRank !== 0 || rank(left) === 2) return byRank
      return (sort.desc ? -1 : 1) * (place(left) - place(right))
    })
    .slice(0, limit)
}

/** The numbers by stream: those with equal labels of an answer, in the order in which they first occur. */
function grouped(numbers: readonly number[], rows: readonly OneRow[], where: Where): number[] {
  const keyOf = (i: number): string => {
    const { time, a, b } = rows[i]!
    return where === 'line' ? String(i) : JSON.stringify([a, b, where === 'metadata' ? time % 2 : 0])
  }
  return [...Map.groupBy(numbers, keyOf).values()].flat()
}

test('distinct, sort and limit are what sorting and looking through all entries gives', async () => {
  const property = fc.asyncProperty(
    fuzzRows,
    fuzzTail,
    fc.record({
      limit: fc.integer({ min: 1, max: 20 }),
      direction: fc.constantFrom<Direction[]>('forward', 'backward'),
    }),
    fc.constantFrom(...layouts),
    fc.constantFrom<Where[]>('line', 'stream', 'metadata'),
    async (rows, tail, { limit, direction }, layout, where) => {
      const entries = rows.map((row, i) => entryOf(row, i, where))
      const world = await setUp(entries, layout)
      const { data } = await range(world, queryOf(tail, where), { direction, limit })
      const found = linesOf(data).map((line) => Number(/n=(\d+)/.exec(line)![1]))
      // the order of equal times is that of insertion, blocks before heads
      const inserted = layout === 'mixed' ? [...rows.keys()].toSorted((x, y) => (x % 2) - (y % 2)) : [...rows.keys()]
      const byTime = inserted.toSorted((x, y) => Number(entries[x]!.timeNs - entries[y]!.timeNs))
      const ordered = direction === 'forward' ? byTime : byTime.toReversed()
      const expected = grouped(naiveTail(ordered, rows, tail).slice(0, limit), rows, where)
      const inOrder = (numbers: number[]): number[] =>
        tail.sort === undefined ? numbers.toSorted((x, y) => x - y) : numbers
      assert.deepEqual(inOrder(found), inOrder(expected))
    },
  )
  await fc.assert(property, { numRuns: Number(process.env['EDDA_FUZZ_RUNS'] ?? 240) })
})

const traces = [
  at(10, '{"trace_id":"t1","status":200}', '{app="web"}'),
  at(11, '{"trace_id":"t2","status":500}', '{app="web"}'),
  at(12, '{"trace_id":"t3","status":503}', '{app="web"}'),
  at(13, '{"trace_id":"","status":500}', '{app="web"}'),
  at(14, 'select 1', '{app="db"}', { trace: 't1' }),
  at(15, 'select 2', '{app="db"}', { trace: 't2' }),
  at(16, 'select 3', '{app="db"}', { trace: 't3' }),
  at(17, 'no trace', '{app="db"}'),
  at(200, '{"trace_id":"t1","status":500}', '{app="web"}'),
  at(201, 'select late', '{app="db"}', { trace: 't1' }),
]
const failed = '{app="web"} | json | status >= 500 | keep trace_id'

everywhere(
  'in keeps entries whose label has a value that the subquery finds in the same range',
  traces,
  async (world) => {
    const query = `{app="db"} | trace in (${failed})`
    assert.deepEqual(await lines(world, query, { endNs: T0 + 100n * SECOND }), ['select 3', 'select 2'].toSorted())
    assert.deepEqual((await lines(world, query)).toSorted(), ['select 1', 'select 2', 'select 3', 'select late'])
    assert.deepEqual(await lines(world, query, { startNs: T0 + 12n * SECOND, endNs: T0 + 100n * SECOND }), ['select 3'])
    assert.deepEqual(
      await lines(world, `{app="db"} | trace in ({app="web"} | json | status > 600 | keep trace_id)`),
      [],
    )
    const either = `{app="db"} | trace in (${failed}) or trace = "" | limit 9`
    assert.deepEqual((await lines(world, either, { endNs: T0 + 100n * SECOND })).toSorted(), [
      'no trace',
      'select 2',
      'select 3',
    ])
  },
)

everywhere(
  'values may be those of stream labels and metadata, and the filter may stand on stream labels',
  traces,
  async (world) => {
    const streams = '{app=~".+"} | app in ({app="db"} | keep app)'
    assert.deepEqual((await lines(world, streams)).length, 5)
    const back = '{app="web"} | json | trace_id in ({app="db"} |= "late" | keep trace)'
    assert.deepEqual(await lines(world, back), ['{"trace_id":"t1","status":200}', '{"trace_id":"t1","status":500}'])
  },
)

everywhere('subqueries of leaves see the window and the offset of the leaf', traces, async (world) => {
  const count = (window: string): string => `sum(count_over_time({app="db"} | trace in (${failed}) ${window}))`
  assert.deepEqual(await instant(world, count('[100s]'), 100), { '{}': 2 })
  assert.deepEqual(await instant(world, count('[5s]'), 17), {}, 'the trace of 12s is not in the window')
  assert.deepEqual(await instant(world, count('[6s]'), 17), { '{}': 1 })
  assert.deepEqual(await instant(world, count('[300s]'), 250), { '{}': 4 })
  assert.deepEqual(await instant(world, count('[100s] offset 150s'), 250), { '{}': 2 })
  assert.deepEqual(await instant(world, `${count('[100s]')} + ${count('[100s] offset 190s')}`, 205), { '{}': 2 })
  const unwrapped = `sum(sum_over_time({app="web"} | json | unwrap status | trace_id in (${failed}) [100s]))`
  assert.deepEqual(await instant(world, unwrapped, 100), { '{}': 1003 })
})

everywhere('subqueries have subqueries, of the same range, and equal ones run once', traces, async (world) => {
  const inner = '{app="web"} | json | status = 503 | keep trace_id'
  const nested = `{app="db"} | trace in ({app="web"} | json | trace_id in (${inner}) | keep trace_id)`
  assert.deepEqual(await lines(world, nested), ['select 3'])
  const once = await range(world, `{app="db"} | trace in (${failed})`)
  const twice = await range(world, `{app="db"} | trace in (${failed}) | trace in (${failed})`)
  assert.deepEqual(linesOf(twice.data), linesOf(once.data))
  assert.equal(twice.stats.headRows + twice.stats.blockRows, once.stats.headRows + once.stats.blockRows)
  const plain = await range(world, '{app="db"}')
  assert(once.stats.subqueries > plain.stats.subqueries, 'jobs of the subquery are counted')
})

test('the same query again, after the data has changed, sees the new values', async () => {
  const query = `{app="db"} | trace in (${failed})`
  const early = await setUp(traces.slice(0, 8), 'head')
  const late = await setUp(traces, 'head')
  assert.equal((await lines(early, query)).length, 2)
  assert.equal((await lines(late, query)).length, 4)
  assert.equal((await lines(early, query)).length, 2)
})

test('errors of a subquery are errors of the query, and too many values are refused', async () => {
  const entries = Array.from({ length: 10_001 }, (_, i) => at(i / 100, `id=${i}`, '{app="a"}'))
  const world = await setUp(entries, 'head', { pageRows: 2000 })
  const query = '{app="a"} | logfmt | id in ({app="a"} | logfmt | keep id)'
  await assert.rejects(range(world, query), {
    code: 'bad_request',
    message:
      "the query behind 'id in' finds more than 10000 values of id; add filters or matchers to it, or reduce the time range",
  })
  const fewer = '{app="a"} | logfmt | id in ({app="a"} != "id=77" | logfmt | keep id)'
  assert.equal((await lines(world, fewer, { limit: 20_000 })).length, 10_001 - 111)
  const long = Array.from({ length: 20 }, (_, i) => at(i, `id=${String(i).padStart(60_000, 'x')}`))
  await assert.rejects(range(await setUp(long, 'mixed', { pageRows: 100 }), query), {
    message:
      "the query behind 'id in' finds more than 1MB of values of id; add filters or matchers to it, or reduce the time range",
  })
  const many = Array.from({ length: 17 }, (_, i) => `id in ({app="a"} |= "${i}" | logfmt | id = "1" | keep id)`)
  await assert.rejects(range(world, `{app="a"} | logfmt | ${many.join(' or ')}`), {
    message: "the query has more than 16 different queries behind 'in'",
  })
})

const pools: WorkerPool[] = []
after(() => Promise.all(pools.map((pool) => pool.close(0))))

test('worker threads give the same answers', async () => {
  const pool = new WorkerPool({ clock: realClock, threads: 2 })
  pools.push(pool)
  const entries = Array.from({ length: 20_000 }, (_, i) =>
    at(i / 100, `{"id":"${i % 700}","ms":${(i * 7919) % 1000}}`, `{app="${i % 2 === 0 ? 'a' : 'b'}"}`),
  )
  const jobSizes = { firstBytes: 100_000, maxBytes: 200_000 }
  const inline = await setUp(entries, 'mixed', { pageRows: 5000, jobSizes })
  const threaded = await setUp(entries, 'mixed', { pageRows: 5000, jobSizes, pool: workerScanPool(pool) })
  for (const query of [
    '{app="a"} | json | distinct id',
    '{app="a"} | json | sort by ms desc',
    '{app="a"} | json | distinct id | sort by ms | limit 7',
    '{app="a"} | json | id in ({app="b"} | json | ms >= 990 | keep id)',
    'sum by (id) (count_over_time({app="a"} | json | id in ({app="b"} | json | ms >= 999 | keep id) [1m]))',
  ]) {
    assert.deepEqual((await range(threaded, query)).data, (await range(inline, query)).data, query)
  }
  assert(pool.stats().completed > 3)
})

/** A budget that tells what queries hold, apart from buffers and blocks that are kept for the next one. */
class WatchedBudget extends MemoryBudget {
  readonly #queries: Reservation[] = []

  override reserve(name: string): Reservation {
    const reservation = super.reserve(name)
    if (name === 'query') this.#queries.push(reservation)
    return reservation
  }

  get queryBytes(): number {
    return this.#queries.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

/** A pool that hands over to `until` before each job. */
function steppedPool(until: () => Promise<void>): ScanPool {
  const inline = inlineScanPool(2)
  return {
    concurrency: 2,
    run: async (job, signal) => {
      await until()
      return inline.run(job, signal)
    },
  }
}

test('a query that is cancelled anywhere ends with the reason and gives back all memory', async () => {
  const entries = Array.from({ length: 9000 }, (_, i) =>
    at(i / 100, `id=${i % 50} ms=${i} ${'x'.repeat(200)}`, `{app="${i % 4 < 2 ? 'a' : 'b'}"}`),
  )
  let abortAfter = Infinity
  let abort = new AbortController()
  const step = async (): Promise<void> => {
    if (--abortAfter === 0) abort.abort(new Cancelled())
    await new Promise((resolve) => setImmediate(resolve))
  }
  const jobSizes = { firstBytes: 300_000, maxBytes: 300_000 }
  const budget = new WatchedBudget(64 * MB)
  const pool = steppedPool(step)
  const opening = { beforeOpen: step, blockCacheBytes: 1 }
  const world = await setUp(entries, 'mixed', {
    pageRows: 1500,
    jobSizes,
    pool,
    budget,
    cachesResults: false,
    ...opening,
  })
  const queries = [
    '{app="a"} | logfmt | id in ({app="b"} | logfmt | ms > 10 | keep id) | distinct id',
    '{app="a"} | logfmt | distinct id | sort by ms desc',
    'sum(count_over_time({app="a"} | logfmt | id in ({app="b"} | logfmt | keep id) [10s]))',
  ]
  for (const query of queries) {
    abort = new AbortController()
    abortAfter = 1_000_000
    await range(world, query, { signal: abort.signal })
    const steps = 1_000_000 - abortAfter
    assert(steps >= 2, `${query} takes ${steps} steps`)
    assert.equal(budget.queryBytes, 0)
    for (let after = 1; after <= steps; after++) {
      abort = new AbortController()
      abortAfter = after
      await assert.rejects(range(world, query, { signal: abort.signal }), Cancelled, `${query} at step ${after}`)
      assert.equal(budget.queryBytes, 0, `held by ${query} at step ${after}`)
    }
  }
})

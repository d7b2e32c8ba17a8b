/** Blocks of which results are known are not read again, and what is known is never used where it would be wrong. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { Querier, type QuerierOptions } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { QueryAnswer, RangeQuery } from '#/logs/wire/query.ts'
import { Caches } from '#/platform/memory/caches.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

enableLinearRegex()

const SECOND = 1_000_000_000n
const T0 = 20_000n * 86_400n * SECOND
const never = new AbortController().signal

const at = (seconds: number, line: string, stream = '{app="a"}'): Entry => ({
  stream,
  timeNs: T0 + BigInt(seconds) * SECOND,
  line,
  metadata: {},
})

/** Lines at each second from `from` on, every tenth of which says so. */
const lines = (from: number, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => at(from + i, i % 10 === 0 ? `ten n=${i}` : `one n=${i}`))

type World = {
  readonly querier: Querier
  readonly budget: MemoryBudget
  readonly caches: Caches
  /** What queries see from now on, besides what they saw. */
  readonly add: (more: { readonly block?: readonly Entry[]; readonly head?: readonly Entry[] }) => Promise<void>
}

async function setUp(
  blocks: readonly (readonly Entry[])[],
  options: Partial<QuerierOptions> & { readonly pageRows?: number } = {},
): Promise<World> {
  const { pageRows = 10, ...rest } = options
  const store = new MemoryStore(realClock)
  const budget = new MemoryBudget(64 * 1024 * 1024)
  const caches = new Caches(budget)
  const metas: BlockMeta[] = []
  let shown = new FixedIngester([], metas)
  const add: World['add'] = async ({ block = [], head = [] }) => {
    for (const one of makeHeads(`b${metas.length}`, block, pageRows))
      metas.push(await writeBlock(store, one, { tenant: 'test', sequence: metas.length, pageRows }))
    shown = new FixedIngester([...shown.heads, ...makeHeads(`h${shown.heads.length}`, head, pageRows)], metas)
  }
  for (const block of blocks) await add({ block })
  const querier = new Querier({
    ingesters: [{ view: (...asked) => shown.view(...asked), tenants: () => shown.tenants() }],
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    clock: realClock,
    budget,
    caches,
    ...rest,
  })
  return { querier, budget, caches, add }
}

type Asked = Partial<RangeQuery> & { readonly from?: number; readonly to?: number }

function ask({ querier }: World, query: string, { from = 0, to = 200, ...rest }: Asked = {}): Promise<QueryAnswer> {
  const times = { startNs: T0 + BigInt(from) * SECOND, endNs: T0 + BigInt(to) * SECOND, stepNs: 10n * SECOND }
  const request = {
    tenant: 'test',
    query,
    limit: 1000,
    direction: 'backward' as const,
    ...times,
    intervalNs: 0n,
    ...rest,
  }
  return querier.range({ ...request, expr: parseExpr(query), maxSeries: 500 }, never)
}

/** Value by second after T0, of the one series. */
function valuesOf({ data }: QueryAnswer): Readonly<Record<number, number>> {
  assert(data.kind === 'matrix')
  assert(data.series.length <= 1)
  const values: Record<number, number> = {}
  for (const { values: all, present } of data.series) {
    for (const [step, value] of all.entries()) {
      if (present[step] === 1) values[Number((data.startNs + BigInt(step) * data.stepNs - T0) / SECOND)] = value
    }
  }
  return values
}

const count = 'sum(count_over_time({app="a"} |= "ten" [20s]))'

test('a block is read once for a leaf, however the query is written and wherever it begins', async () => {
  const world = await setUp([lines(20, 60), lines(100, 50)])
  const first = await ask(world, count)
  assert.deepEqual(first.stats.knownSamples, {
    requests: 2,
    found: 0,
    stored: 2,
    bytesFound: 0,
    bytesStored: first.stats.knownSamples.bytesStored,
  })
  assert(first.stats.pagesRead > 0 && first.stats.knownSamples.bytesStored > 0)
  for (const [query, range] of [
    [count, {}],
    [' sum( count_over_time( {app="a"} |= `ten` [20s] ) )', {}],
    ['sum(rate({app="a"} |= "ten" [20s])) * 20', {}],
    [count, { from: 10, to: 230 }],
  ] as const) {
    const again = await ask(world, query, range)
    assert.equal(again.stats.pagesRead, 0, query)
    assert.equal(again.stats.knownSamples.found, 2)
    assert.equal(again.stats.knownSamples.bytesFound, first.stats.knownSamples.bytesStored)
    assert.deepEqual(valuesOf(again), valuesOf(first))
  }
  const other = await ask(world, count, { from: 5, to: 195 })
  assert(other.stats.pagesRead > 0, 'steps at other times are other results')
  assert.equal(other.stats.knownSamples.found, 0)
})

test('what is known of a block serves a range that has a part of it; what is found in a part is not kept', async () => {
  const world = await setUp([lines(20, 60)])
  const part = await ask(world, count, { from: 50, to: 60 })
  assert.deepEqual([part.stats.knownSamples.requests, part.stats.knownSamples.stored], [0, 0])
  await ask(world, count)
  const again = await ask(world, count, { from: 50, to: 60 })
  assert.equal(again.stats.knownSamples.found, 1)
  assert.equal(again.stats.pagesRead, 0)
  assert.deepEqual(valuesOf(again), valuesOf(part))
  assert.deepEqual(valuesOf(again), { 50: 2, 60: 2 })
})

test('an evaluation at one time is known at any later one that sees the whole block', async () => {
  const world = await setUp([lines(20, 60)])
  const at = (seconds: number, window: string): Promise<QueryAnswer> => {
    const query = `sum(count_over_time({app="a"} |= "ten" [${window}]))`
    const request = {
      tenant: 'test',
      query,
      timeNs: T0 + BigInt(seconds) * SECOND,
      limit: 1,
      direction: 'forward' as const,
    }
    return world.querier.instant({ ...request, expr: parseExpr(query), maxSeries: 1 }, never)
  }
  assert.equal((await at(100, '3m')).stats.knownSamples.stored, 1)
  for (const [seconds, window] of [
    [107, '3m'],
    [80, '1h'],
  ] as const) {
    const { data, stats } = await at(seconds, window)
    assert.deepEqual([stats.knownSamples.found, stats.pagesRead], [1, 0])
    assert(data.kind === 'vector')
    assert.deepEqual(
      data.samples.map(({ value }) => value),
      [6],
    )
  }
  const { data, stats } = await at(100, '50s')
  assert.equal(stats.knownSamples.found, 0)
  assert(data.kind === 'vector' && data.samples[0]!.value === 2)
})

test('rows of heads are looked at every time', async () => {
  const world = await setUp([lines(20, 60)])
  await world.add({ head: [at(100, 'ten')] })
  assert.deepEqual(valuesOf(await ask(world, count))[100], 1)
  await world.add({ head: [at(101, 'ten'), at(25, 'ten')] })
  const { stats, ...answer } = await ask(world, count)
  assert.equal(stats.knownSamples.found, 1)
  assert.deepEqual([valuesOf({ stats, ...answer })[110], valuesOf({ stats, ...answer })[30]], [2, 3])
})

test('rows that another source has too count once, before and after their block is known', async () => {
  const rows = lines(20, 60)
  const world = await setUp([rows])
  const expected = valuesOf(await ask(world, count))
  await world.add({ block: rows.slice(5, 25) })
  for (let i = 0; i < 2; i++) {
    const answer = await ask(world, count)
    assert.deepEqual(valuesOf(answer), expected)
    assert.equal(answer.stats.knownSamples.stored, 0, 'what is hidden now may be all that is left later')
  }
  await world.add({ head: rows.slice(0, 30) })
  assert.deepEqual(valuesOf(await ask(world, count)), expected)
})

test('what depends on the time of the query is not kept, nor are errors', async () => {
  const world = await setUp([lines(20, 60)])
  const now = 'sum(count_over_time({app="a"} | label_format x=`{{ now }}` | x != "" [20s]))'
  const errors = 'sum(count_over_time({app="a"} | json | x != "1" [20s]))'
  for (let i = 0; i < 2; i++) {
    assert.equal((await ask(world, now)).stats.knownSamples.requests, 0)
    await assert.rejects(ask(world, errors), /pipeline error/)
  }
  assert.equal(world.caches.parts.find(({ name }) => name === 'results')!.entryCount, 0)
})

test('an error behind the steps of a query does not fail it, however its block is asked', async () => {
  const world = await setUp([[at(20, '{}'), at(24, '{}'), at(39, 'no json'), at(49, '{}')]])
  const query = 'sum(count_over_time({app="a"} | json | x != "1" [5s]))'
  const sees = { stepNs: 25n * SECOND, from: 0, to: 75 }
  for (let i = 0; i < 2; i++) assert.deepEqual(valuesOf(await ask(world, query, sees)), { 25: 1, 50: 1 })
  await assert.rejects(ask(world, query, { ...sees, stepNs: 10n * SECOND }), /pipeline error/)
})

test('a query that refuses caches neither uses nor adds to them; nor does any when that is off', async () => {
  for (const [options, asked] of [
    [{}, { noCache: true }],
    [{ cachesResults: false }, {}],
  ] as const) {
    const world = await setUp([lines(20, 60)], options)
    for (const query of [count, '{app="a"} |= "nowhere"']) {
      for (let i = 0; i < 2; i++) {
        const { stats } = await ask(world, query, asked)
        assert.deepEqual([stats.knownSamples.requests, stats.knownPages.requests], [0, 0])
      }
    }
    assert.equal(world.caches.parts.find(({ name }) => name === 'results')!.entryCount, 0)
  }
})

test('pages without a row that passes are read once', async () => {
  const world = await setUp([lines(20, 60), lines(100, 50)])
  const absent = '{app="a"} | logfmt | n > 60'
  const first = await ask(world, absent)
  assert.deepEqual([first.stats.knownPages.requests, first.stats.knownPages.found, first.stats.pagesRead], [2, 0, 11])
  const again = await ask(world, absent, { direction: 'forward', limit: 5, from: 30 })
  assert.deepEqual([again.stats.knownPages.found, again.stats.pagesRead], [2, 0])
  const one = '{app="a"} | logfmt | n > 33 and n < 35'
  assert.equal((await ask(world, one)).stats.pagesRead, 11)
  const found = await ask(world, one)
  assert.equal(found.stats.pagesRead, 2, 'each block has one')
  assert(found.data.kind === 'streams')
  assert.equal(found.data.categorized[0]!.entries.length, 2)
})

test('a page of which not all rows were looked at is not taken for empty', async () => {
  const world = await setUp([lines(20, 60)])
  const query = '{app="a"} | logfmt | n =~ "0|5|34|39|59"'
  const all = async (asked: Asked): Promise<number> => {
    const { data } = await ask(world, query, asked)
    assert(data.kind === 'streams')
    return data.streams.reduce((sum, { entries }) => sum + entries.length, 0)
  }
  assert.equal(await all({ limit: 1 }), 1)
  assert.equal(await all({ limit: 1, direction: 'forward' }), 1)
  assert.equal(await all({ from: 26, to: 54 }), 0)
  assert.equal(await all({ from: 21, to: 50 }), 1)
  assert.equal(await all({ limit: 2, paging: { after: undefined } }), 2)
  assert.equal(await all({}), 5)
})

test('what is known gives way to those who need memory, and is found again', async () => {
  const world = await setUp([lines(20, 60)])
  const first = valuesOf(await ask(world, count))
  const results = world.caches.parts.find(({ name }) => name === 'results')!
  assert.equal(results.entryCount, 1)
  const heads = world.budget.reserve('heads')
  assert(heads.grow(world.budget.limitBytes - 8 * 1024 * 1024))
  assert.equal(results.entryCount, 1, 'there is room for both')
  assert(heads.grow(8 * 1024 * 1024))
  assert.deepEqual([results.entryCount, results.evicted, world.caches.sizeBytes], [0, 1, 0])
  heads.shrink(32 * 1024 * 1024)
  assert.deepEqual(valuesOf(await ask(world, count)), first)
  assert.equal((await ask(world, count)).stats.knownSamples.found, 1)
})

/** Counts that the index of a block knows are not read, and those that it cannot know are. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { QueryAnswer } from '#/logs/wire/query.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

const T0 = 20_000n * 86_400n * 1_000_000_000n
const SECOND = 1_000_000_000n
const PAGE_ROWS = 4
const ROWS = 10 * PAGE_ROWS

/** One row a second, from the first on. */
const entries: readonly Entry[] = Array.from({ length: ROWS }, (_, i) => ({
  stream: i % 2 === 0 ? '{app="a", pod="1"}' : '{app="b", pod="2"}',
  line: 'x'.repeat(i),
  metadata: { level: i % 3 === 0 ? 'warn' : 'info' },
  timeNs: T0 + BigInt(i + 1) * SECOND,
}))

async function makeQuerier(blocks: readonly (readonly Entry[])[]): Promise<Querier> {
  const store = new MemoryStore(realClock)
  const metas: BlockMeta[] = []
  for (const [sequence, rows] of blocks.entries()) {
    for (const head of makeHeads(`b${sequence}`, rows, 1000)) {
      metas.push(await writeBlock(store, head, { tenant: 'test', sequence, pageRows: PAGE_ROWS }))
    }
  }
  return new Querier({
    ingesters: [new FixedIngester([], metas)],
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    clock: realClock,
    budget: new MemoryBudget(64 * 1024 * 1024),
  })
}

/** At one time, a minute after the first row. */
function ask(querier: Querier, query: string): Promise<QueryAnswer> {
  const times = { startNs: T0 + 60n * SECOND, endNs: T0 + 60n * SECOND, stepNs: SECOND, intervalNs: 0n }
  const expr = parseExpr(query)
  const base = { tenant: 'test', query, expr, limit: 1000, direction: 'backward' as const, maxSeries: 500 }
  return querier.range({ ...base, ...times }, new AbortController().signal)
}

/** The values by series, and what was looked at for them. */
async function valuesOf(querier: Querier, query: string): Promise<unknown> {
  const { data, stats } = await ask(querier, query)
  assert.ok(data.kind === 'matrix', data.kind)
  const values = data.series.map(({ labels, values: all }) => [labels.map((label) => label[1]).join(), all[0]])
  return { values: Object.fromEntries(values), rows: stats.blockRows, read: stats.pagesRead > 0 }
}

const sizeOf = (isWanted: (i: number) => boolean): number =>
  entries.reduce((sum, { line }, i) => sum + (isWanted(i) ? line.length : 0), 0)
const [even, odd] = [sizeOf((i) => i % 2 === 0), sizeOf((i) => i % 2 === 1)]

suite('counts by labels of streams over whole runs', async () => {
  const querier = await makeQuerier([entries])
  const byApp = { a: even, b: odd }
  await test('bytes', async () => {
    const found = await valuesOf(querier, 'sum by (app) (bytes_over_time({app=~".+"}[1h]))')
    assert.deepEqual(found, { values: byApp, rows: ROWS, read: false })
  })
  await test('rows of some streams', async () => {
    const found = await valuesOf(querier, 'sum by (pod) (count_over_time({app="b"}[1h]))')
    assert.deepEqual(found, { values: { 2: ROWS / 2 }, rows: ROWS / 2, read: false })
  })
  await test('a window that ends inside a run is read', async () => {
    const found = await valuesOf(querier, 'sum(count_over_time({app=~".+"}[1h] offset 50s))')
    assert.deepEqual(found, { values: { '': 10 }, rows: 10, read: true })
  })
  await test('metadata that makes series is read', async () => {
    const found = await valuesOf(querier, 'sum by (level) (count_over_time({app=~".+"}[1h]))')
    const warnings = Math.ceil(ROWS / 3)
    assert.deepEqual(found, { values: { warn: warnings, info: ROWS - warnings }, rows: ROWS, read: true })
  })
  await test('lines that are filtered are read', async () => {
    const found = await valuesOf(querier, 'sum(count_over_time({app=~".+"} |= "xxxxx" [1h]))')
    assert.deepEqual(found, { values: { '': ROWS - 5 }, rows: ROWS, read: true })
  })
})

test('rows that two blocks have count once', async () => {
  const querier = await makeQuerier([entries, entries.slice(0, PAGE_ROWS)])
  const found = await valuesOf(querier, 'sum by (app) (bytes_over_time({app=~".+"}[1h]))')
  assert.deepEqual(found, { values: { a: even, b: odd }, rows: ROWS, read: true })
})

test('an error that came with an entry fails the query, known or not', async () => {
  const querier = await makeQuerier([[...entries, { ...entries[0]!, metadata: { __error__: 'Broken' } }]])
  await assert.rejects(ask(querier, 'sum(count_over_time({app=~".+"}[1h]))'), /Broken/)
})

/** Pages are left out by filters and statistics before anything is read, and only those in which nothing passes. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { ScanPool } from '#/logs/read/scan/scan-pool.ts'
import type { QueryAnswer, QueryStats } from '#/logs/wire/query.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { withExactFilter } from './exact-filter.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

const T0 = 20_000n * 86_400n * 1_000_000_000n
const PAGE_ROWS = 4

type Content = Pick<Entry, 'line'> & Partial<Pick<Entry, 'stream' | 'metadata'>>

type Options = {
  /** All blocks have the same times. */
  readonly overlaps?: boolean
  /** Filters that know every line, so that figures do not depend on what a real one cannot tell. */
  readonly isExact?: boolean
}

/** A block for each list, one row a nanosecond. */
async function makeQuerier(
  contents: readonly (readonly Content[])[],
  { overlaps = false, isExact = false }: Options = {},
): Promise<(pool: ScanPool) => Querier> {
  const store = new MemoryStore(realClock)
  const blocks: BlockMeta[] = []
  const entriesOf = (rows: readonly Content[], block: number): Entry[] =>
    rows.map(({ line, stream = '{app="a"}', metadata = {} }, i) => {
      return { line, stream, metadata, timeNs: T0 + BigInt(block) * 1_000_000n + BigInt(i) }
    })
  for (const [sequence, rows] of contents.entries()) {
    const entries = entriesOf(rows, overlaps ? 0 : sequence)
    for (const head of makeHeads(`b${sequence}`, entries, 1000)) {
      blocks.push(await writeBlock(store, head, { tenant: 'test', sequence, pageRows: PAGE_ROWS }))
    }
  }
  return (pool) =>
    new Querier({
      ingesters: [new FixedIngester([], blocks)],
      openBlock: isExact ? withExactFilter(blockOpener(store)) : blockOpener(store),
      pool,
      clock: realClock,
      budget: new MemoryBudget(64 * 1024 * 1024),
    })
}

const noPool: ScanPool = { concurrency: 2, run: () => Promise.reject(new Error('a job was started')) }

function ask(querier: Querier, query: string): Promise<QueryAnswer> {
  const times = { startNs: T0, endNs: T0 + 1_000_000_000n, stepNs: 1_000_000_000n, intervalNs: 0n }
  return querier.range(
    { tenant: 'test', query, expr: parseExpr(query), limit: 1000, direction: 'backward', maxSeries: 500, ...times },
    new AbortController().signal,
  )
}

async function pruned(
  querier: Querier,
  query: string,
): Promise<Pick<QueryStats, 'pagesByFilter' | 'pagesRead' | 'totalEntriesReturned'>> {
  const { pagesByFilter, pagesRead, totalEntriesReturned } = (await ask(querier, query)).stats
  return { pagesByFilter, pagesRead, totalEntriesReturned }
}

const hex = (i: number): string => (0x1234_5678_9abc * (i + 1)).toString(16).padStart(16, '0')
/** Each page has an id of its own in lines, and another one in metadata. */
const rows: readonly Content[] = Array.from({ length: 10 * PAGE_ROWS }, (_, i) => ({
  line: `{"level":"info","request":"${hex(Math.floor(i / PAGE_ROWS))}","n":${i}}`,
  metadata: { trace: hex(100 + Math.floor(i / PAGE_ROWS)), node: 'n1', ...(i < PAGE_ROWS && { rare: `r${i}` }) },
}))

suite('pages that are not read', async () => {
  const warnings = rows.map(({ line }) => ({ line: line.replace('info', 'warn') }))
  const querier = (await makeQuerier([rows, warnings], { isExact: true }))(inlineScanPool(2))
  const total = 20
  const cases: readonly (readonly [query: string, read: number, found: number])[] = [
    [`|= "${hex(3)}"`, 2, 2 * PAGE_ROWS],
    [`|= "${hex(3).slice(2, 14)}"`, 2, 2 * PAGE_ROWS],
    [`|~ "request.:.${hex(3)}"`, 2, 2 * PAGE_ROWS],
    [`|= "warn"`, 10, 10 * PAGE_ROWS],
    [`| json | level="warn"`, 10, 10 * PAGE_ROWS],
    [`| json | request="${hex(4)}" | level="info"`, 1, PAGE_ROWS],
    [`| trace="${hex(105)}"`, 1, PAGE_ROWS],
    [`| trace=~"${hex(105)}|${hex(107)}"`, 2, 2 * PAGE_ROWS],
    [`| trace=~"${hex(105).slice(0, 12)}.*"`, 1, PAGE_ROWS],
    // by statistics: one value, or none
    [`| node!="n1"`, 10, 10 * PAGE_ROWS],
    [`| node=~"n[0-9]"`, 10, 10 * PAGE_ROWS],
    [`| rare!=""`, 1, PAGE_ROWS],
    [`| rare=~"r[1-2]"`, 1, 2],
    [`| node="n1" | rare=""`, 10, 9 * PAGE_ROWS],
    [`| json | node!~"n.*"`, 10, 10 * PAGE_ROWS],
  ]
  for (const [stages, read, found] of cases) {
    await test(stages, async () => {
      assert.deepEqual(await pruned(querier, `{app="a"} ${stages}`), {
        pagesByFilter: total - read,
        pagesRead: read,
        totalEntriesReturned: found,
      })
    })
  }
})

suite('no job starts when no page is left', async () => {
  const make = await makeQuerier([rows, rows], { overlaps: true })
  const querier = make(noPool)
  const absent = `|= "${hex(999)}"`
  for (const query of [
    `{app="a"} ${absent}`,
    `sum(count_over_time({app="a"} ${absent} [1m]))`,
    '{app="a"} | x in ({app="b"} | keep x)',
  ]) {
    await test(query, async () => {
      const { stats } = await ask(querier, query)
      assert.deepEqual([stats.subqueries, stats.pagesRead, stats.pagesByFilter], [0, 0, 20])
      assert.deepEqual([stats.blocksByFilter, stats.blocksRead], [2, 0])
    })
  }

  await test('of equal rows in two blocks one is found, although other pages are left out', async () => {
    const { stats } = await ask(make(inlineScanPool(2)), `{app="a"} |= "${hex(3)}"`)
    assert.deepEqual([stats.totalEntriesReturned, stats.duplicateRows, stats.pagesRead], [PAGE_ROWS, PAGE_ROWS, 2])
  })
})

suite('pages with rows that see another value than the page shows', async () => {
  const content: readonly Content[] = [
    { line: 'plain', stream: '{app="a", id="x"}' },
    { line: '{"id":"\\u0078"}', stream: '{app="b"}' },
    { line: '{"id":"y"}', stream: '{app="c"}', metadata: { id: 'x' } },
    { line: '{"id":"x"}', stream: '{app="d"}' },
    { line: '{"id":"y"}', stream: '{app="e"}', metadata: { id: 'long x' } },
    { line: 'more', stream: '{app="f"}', metadata: { id: 'z' } },
    { line: '{"id":"v"}', stream: '{app="f"}' },
  ]
  // rows of a block share its only page
  const blocks = [...Map.groupBy(content, ({ stream }) => stream).values()]
  const querier = (await makeQuerier(blocks, { isExact: true }))(inlineScanPool(2))
  for (const [query, found] of [
    ['{app="a"} | id="x"', 1],
    ['{app="a"} | json | id=~"x|u"', 1],
    ['{app="a"} | id!="z"', 1],
    ['{app=~".+"} | id="x"', 2],
    ['{app=~"[b-d]"} | json | id="x"', 3],
    ['{app=~".+"} | json | id="x"', 4],
    ['{app=~"[b-d]"} | json | id=~"x|z"', 3],
    ['{app=~"[b-d]"} | json | id!="y"', 3],
    ['{app="e"} | json | id=~"long.*"', 1],
    ['{app="f"} | json | id="v"', 1],
    ['{app="f"} | json | id=~"[u-w]"', 1],
    ['{app="f"} | id!="z"', 1],
    ['{app="b"} | json | id="x"', 1],
    ['{app="c"} | json | id_extracted="y"', 1],
    ['{app="d"} | label_format id="z" | id="z"', 1],
  ] as const) {
    await test(query, async () => assert.equal((await ask(querier, query)).stats.totalEntriesReturned, found))
  }
})

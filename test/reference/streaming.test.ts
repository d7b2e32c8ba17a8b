/** Answers that come piece by piece or page by page are the normal answer, wherever its rows are stored. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { TimedOut } from '#/kernel/errors.ts'
import { framesReply } from '#/logs/api/query-frames.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { Querier, type Parsed } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { Direction, RangeQuery, ResultStream } from '#/logs/wire/query.ts'
import type { RowCursor, StreamEvent } from '#/logs/wire/query-stream.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { Chance } from './chance.ts'
import { BASE_NS, randomDataSet, SECOND, type DataSet, type Source } from './random-data.ts'
import { LogWriter } from './random-log.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

enableLinearRegex()

const never = new AbortController().signal
const DAY = 86_400n * SECOND
const MB = 1024 * 1024
const directions: readonly Direction[] = ['forward', 'backward']

type Made = { readonly querier: Querier; readonly budget: MemoryBudget }

async function make(
  { sources, pageRows }: Pick<DataSet, 'sources' | 'pageRows'>,
  { memoryBytes = 64 * MB, pageJobs = true }: { memoryBytes?: number; pageJobs?: boolean } = {},
): Promise<Made> {
  const store = new MemoryStore(realClock)
  const heads: HeadSnapshot[] = []
  const blocks: BlockMeta[] = []
  for (const [position, { kind, entries }] of sources.entries()) {
    for (const head of makeHeads(`s${position}`, entries, pageRows)) {
      if (kind === 'head') heads.push(head)
      else blocks.push(await writeBlock(store, head, { tenant: 'test', sequence: position }))
    }
  }
  const budget = new MemoryBudget(memoryBytes)
  const querier = new Querier({
    ingesters: [new FixedIngester(heads, blocks)],
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    budget,
    blockCacheBytes: 1,
    clock: realClock,
    ...(pageJobs && { jobSizes: { firstBytes: 1, maxBytes: 100 } }),
  })
  return { querier, budget }
}

function question(query: string, more: Partial<RangeQuery> = {}): Parsed<RangeQuery> {
  const times = { startNs: BASE_NS - 3n * DAY, endNs: BASE_NS + 4n * DAY, stepNs: SECOND, intervalNs: 0n }
  const base = { tenant: 'test', query, limit: 1_000_000, direction: 'forward' as Direction, ...times, ...more }
  return { ...base, expr: parseExpr(query), maxSeries: 500 }
}

type Row = readonly [labels: string, time: string, line: string]

const rowsOf = (streams: readonly ResultStream[]): Row[] =>
  streams.flatMap(({ labels, entries }) =>
    entries.map(({ timeNs, line }): Row => [formatLabels(labels), String(timeNs), line.toString()]),
  )

const byStream = (rows: readonly Row[]): Record<string, string[]> =>
  Object.fromEntries(
    [...Map.groupBy(rows, ([labels]) => labels)].map(([labels, own]) => [
      labels,
      own.map(([, t, line]) => `${t} ${line}`),
    ]),
  )

async function streamed(querier: Querier, query: Parsed<RangeQuery>): Promise<{ rows: Row[]; events: StreamEvent[] }> {
  const rows: Row[] = []
  const events: StreamEvent[] = []
  const send = async (event: StreamEvent): Promise<void> => {
    events.push(event)
    if (event.kind === 'rows') rows.push(...rowsOf(event.streams))
  }
  await querier.stream({ kind: 'range', ...query }, send, never)
  return { rows, events }
}

async function answered(querier: Querier, query: Parsed<RangeQuery>): Promise<Row[]> {
  const { data } = await querier.range(query, never)
  assert(data.kind === 'streams')
  return rowsOf(data.streams)
}

function assertInOrder(rows: readonly Row[], direction: Direction): void {
  const times = rows.map(([, time]) => BigInt(time))
  for (const [i, time] of times.entries()) {
    if (i === 0) continue
    assert(direction === 'forward' ? time >= times[i - 1]! : time <= times[i - 1]!, `row ${i} is in its place`)
  }
}

/** A page after the other, each answered by another arrangement of the same entries. */
async function paged(worlds: readonly Made[], query: Parsed<RangeQuery>): Promise<Row[]> {
  const rows: Row[] = []
  let after: RowCursor | undefined
  for (let page = 0; page < 1000; page++) {
    const { querier } = worlds[page % worlds.length]!
    const { data, next } = await querier.range({ ...query, paging: { after } }, never)
    assert(data.kind === 'streams')
    const own = rowsOf(data.streams).toSorted(([, a], [, b]) => Number(BigInt(a) - BigInt(b)))
    rows.push(...(query.direction === 'forward' ? own : own.toReversed()))
    assertInOrder(rows, query.direction)
    if (next === undefined) return rows
    after = next
  }
  return assert.fail('pages come to an end')
}

const sortedRows = (rows: readonly Row[]): string[] => rows.map((row) => row.join(' ')).toSorted()

const kinds: readonly (readonly Source['kind'][])[] = [['head'], ['block'], ['head', 'block']]

for (const own of kinds) {
  test(`rows that come one by one are those of the answer: ${own.join(', ')}`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const chance = new Chance(seed * 77 + own.length)
      const data = randomDataSet(chance, own)
      const { querier, budget } = await make(data)
      const query = new LogWriter(chance, data).query(false)
      for (const direction of directions) {
        for (const limit of [1, 7, 1_000_000]) {
          const asked = question(query, { direction, limit, intervalNs: chance.pick([0n, 0n, 0n, 2n * SECOND]) })
          const { rows, events } = await streamed(querier, asked)
          assertInOrder(rows, direction)
          assert.deepEqual(byStream(rows), byStream(await answered(querier, asked)), `seed ${seed} ${query}`)
          const last = events.at(-1)
          assert(last?.kind === 'end')
          assert.equal(last.stats.totalEntriesReturned, rows.length)
        }
      }
      assert.equal(heldBytes(budget), 0)
    }
  })
}

/** Without idle buffers, which stay. */
function heldBytes(budget: MemoryBudget): number {
  assert(!budget.reserve('pressure').grow(budget.limitBytes + 1))
  return budget.usedBytes
}

test('pages hold every row once, although blocks are written in between', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const chance = new Chance(seed * 31)
    const { sources, pageRows, ...rest } = randomDataSet(chance, ['head'])
    // the first is flushed, then all
    const flush = (count: number): Source[] =>
      sources.map(({ entries }, i) => ({ kind: i < count ? 'block' : 'head', entries }))
    const worlds = await Promise.all(
      [0, 1, sources.length].map((count) =>
        make({ ...rest, sources: flush(count), pageRows: chance.pick([2, pageRows]) }),
      ),
    )
    const query = new LogWriter(chance, { ...rest, sources, pageRows }).query(false)
    for (const direction of directions) {
      const rows = await paged(worlds, question(query, { direction, limit: chance.int(1, 9) }))
      const all = await answered(worlds[0]!.querier, question(query, { direction }))
      assert.deepEqual(sortedRows(rows), sortedRows(all), `seed ${seed} ${direction} ${query}`)
    }
  }
})

/** Streams that all run through the same time, so that their pages overlap in a block. */
function overlapping(streamCount: number, rowCount: number, lineBytes: number): Entry[] {
  return Array.from({ length: rowCount }, (_, i) => ({
    stream: `{app="a", n="${i % streamCount}"}`,
    timeNs: BASE_NS - 7200n * SECOND + BigInt(i) * 1000n,
    line: `${i} `.padEnd(lineBytes, 'x'),
    metadata: {},
  }))
}

test('an export holds a bounded part of what overlaps in time', async () => {
  const entries = overlapping(20, 50_000, 200)
  const sources = [{ kind: 'block', entries }] as const
  // 10 MB of lines in pages of 2 MiB; a query may have 4 MB, a quarter of that for rows that wait
  const { querier, budget } = await make({ sources, pageRows: 500 }, { memoryBytes: 16 * MB, pageJobs: false })
  let mostBytes = 0
  for (const direction of directions) {
    const rows: Row[] = []
    const send = async (event: StreamEvent): Promise<void> => {
      mostBytes = Math.max(mostBytes, budget.usedBytes)
      if (event.kind === 'rows') rows.push(...rowsOf(event.streams))
    }
    await querier.stream({ kind: 'range', ...question('{app="a"}', { direction, limit: Infinity }) }, send, never)
    const lines = rows.map(([, , line]) => line)
    const expected = entries.map(({ line }) => line)
    assert.deepEqual(lines, direction === 'forward' ? expected : expected.toReversed())
  }
  assert(mostBytes < 4 * MB, `${mostBytes} bytes at most`)
  assert.equal(heldBytes(budget), 0)
})

const frameOptions = { flags: [], cursorText: (cursor: RowCursor): string => JSON.stringify(String(cursor.timeNs)) }

test('a client that leaves gives the memory back, and one that reads slowly holds up the search', async () => {
  const { querier, budget } = await make(
    { sources: [{ kind: 'block', entries: overlapping(20, 50_000, 200) }], pageRows: 500 },
    { memoryBytes: 16 * MB, pageJobs: false },
  )
  const asked = { kind: 'range', ...question('{app="a"}', { limit: Infinity }) } as const
  let ended = false
  const { body } = await framesReply(
    async (send, signal) => {
      await querier.stream(asked, send, signal).finally(() => (ended = true))
    },
    { signal: never, ...frameOptions },
  )
  assert(typeof body === 'object' && Symbol.asyncIterator in body)
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    // time enough to read on, if nothing held it back
    await realClock.sleep(5)
    assert.equal(ended, false)
    if (bytes > MB) break
  }
  assert.equal(ended, true)
  assert.equal(heldBytes(budget), 0)
})

test('what fails once the head is out stands in the last frame, before that it is thrown', async () => {
  const { querier } = await make({ sources: [], pageRows: 1 })
  const asked = { kind: 'range', ...question('{app="a"} | distinct app', { limit: Infinity }) } as const
  await assert.rejects(
    framesReply((send, signal) => querier.stream(asked, send, signal), { signal: never, ...frameOptions }),
    /^BadRequest: limit=all cannot be used with '\| distinct'/,
  )
  const { body } = await framesReply(
    async (send) => {
      await send({ kind: 'progress', progress: { bytesDone: 0, bytesTotal: 1, blocksDone: 0, blocksTotal: 0 } })
      throw new TimedOut('too long')
    },
    { signal: never, ...frameOptions },
  )
  const lines = Buffer.concat(await Array.fromAsync(body as AsyncIterable<Uint8Array>))
    .toString()
    .trimEnd()
    .split('\n')
  assert.equal(lines.length, 2)
  assert.deepEqual(JSON.parse(lines[1]!), { type: 'error', status: 504, error: 'too long' })
})

test('pages go on behind rows that come later, and where the row of the cursor is gone', async () => {
  const entry = (line: string): Entry => ({ stream: '{app="a"}', timeNs: BASE_NS, line, metadata: {} })
  const entries = Array.from({ length: 10 }, (_, i) => entry(`old ${i}`))
  const head = (own: readonly Entry[]) => make({ sources: [{ kind: 'head', entries: own }], pageRows: 3 })
  const asked = question('{app="a"}', { direction: 'backward', limit: 4 })
  const first = await (await head(entries)).querier.range({ ...asked, paging: { after: undefined } }, never)
  assert(first.data.kind === 'streams' && first.next !== undefined)
  assert.equal(first.next.count, 4)
  const linesAfter = async (own: readonly Entry[]): Promise<string[]> => {
    const { querier } = await head(own)
    const { data } = await querier.range({ ...asked, paging: { after: first.next } }, never)
    assert(data.kind === 'streams')
    return rowsOf(data.streams).map(([, , line]) => line)
  }
  const rest = ['old 5', 'old 4', 'old 3', 'old 2']
  assert.deepEqual(await linesAfter([...entries, entry('new 0'), entry('new 1')]), rest)
  assert.deepEqual(await linesAfter(entries.filter(({ line }) => line !== 'old 6')), [
    'old 4',
    'old 3',
    'old 2',
    'old 1',
  ])
  assert.deepEqual(await linesAfter([]), [])
})

test('statistics say what was left out and why', async () => {
  const of = (app: string, seconds: bigint, line: string): Entry[] =>
    Array.from({ length: 50 }, (_, i) => ({
      stream: `{app="${app}"}`,
      timeNs: BASE_NS - 7200n * SECOND + seconds * SECOND + BigInt(i),
      line,
      metadata: {},
    }))
  const { querier } = await make({
    sources: [
      { kind: 'block', entries: of('a', 0n, 'wanted') },
      { kind: 'block', entries: of('b', 0n, 'wanted') },
      { kind: 'block', entries: of('a', -3600n, 'wanted') },
      { kind: 'block', entries: of('a', 10n, 'no') },
      { kind: 'block', entries: of('a', 15n, 'no wanted') },
      { kind: 'head', entries: of('a', 20n, 'wanted') },
    ],
    pageRows: 100,
  })
  const startNs = BASE_NS - 7200n * SECOND
  const { stats } = await querier.range(
    question('{app="a"} |~ "^wanted"', { startNs, endNs: startNs + 60n * SECOND }),
    never,
  )
  const { blocksTotal, blocksByTime, blocksByIndex, blocksByFilter, blocksProbed, blocksRead } = stats
  assert.deepEqual(
    { blocksTotal, blocksByTime, blocksByIndex, blocksByFilter, blocksProbed, blocksRead },
    { blocksTotal: 5, blocksByTime: 1, blocksByIndex: 1, blocksByFilter: 1, blocksProbed: 3, blocksRead: 2 },
  )
  const { pagesTotal, pagesByFilter, pagesRead } = stats
  assert.deepEqual({ pagesTotal, pagesByFilter, pagesRead }, { pagesTotal: 5, pagesByFilter: 1, pagesRead: 3 })
  assert.deepEqual([stats.headPagesTotal, stats.headPagesRead, stats.streamsMatched, stats.splits], [1, 1, 4, 1])
  assert.equal(stats.decodedBytes, 50 * 'wanted'.length + 50 * 'no wanted'.length)
})

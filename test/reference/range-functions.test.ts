/** Range functions from query text to numbers, over heads, blocks and both: what makes a sample, its series and its errors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { QueryAnswer } from '#/logs/wire/query.ts'
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

/** Entries from second 1 on, one each second unless said otherwise. */
function entriesOf(
  lines: readonly string[],
  options: { stream?: string; metadata?: Record<string, string> } = {},
): Entry[] {
  const { stream = '{app="a"}', metadata = {} } = options
  return lines.map((line, i) => ({ stream, timeNs: T0 + BigInt(i + 1) * SECOND, line, metadata }))
}

async function queriersOf(entries: readonly Entry[]): Promise<readonly Querier[]> {
  const make = async (stored: readonly Entry[], fresh: readonly Entry[]): Promise<Querier> => {
    const store = new MemoryStore(realClock)
    const metas: BlockMeta[] = []
    for (const [sequence, one] of makeHeads('stored', stored, 3).entries()) {
      metas.push(await writeBlock(store, one, { tenant: 'test', sequence }))
    }
    const ingesters = [new FixedIngester(makeHeads('fresh', fresh, 3), metas)]
    const budget = new MemoryBudget(256 * 1024 * 1024)
    return new Querier({ ingesters, openBlock: blockOpener(store), pool: inlineScanPool(2), clock: realClock, budget })
  }
  const half = Math.floor(entries.length / 2)
  return [await make([], entries), await make(entries, []), await make(entries.slice(0, half), entries.slice(half))]
}

function instant(querier: Querier, query: string, atSeconds: number): Promise<QueryAnswer> {
  const timeNs = T0 + BigInt(Math.round(atSeconds * 1e9))
  const expr = parseExpr(query)
  return querier.instant(
    { tenant: 'test', query, timeNs, limit: 100, direction: 'backward', expr, maxSeries: 500 },
    never,
  )
}

type Expected = Readonly<Record<string, number>> | RegExp

/** Each query with its answer at second 100, or what its error says. */
async function check(entries: readonly Entry[], cases: readonly (readonly [string, Expected])[]): Promise<void> {
  for (const querier of await queriersOf(entries)) {
    for (const [query, expected] of cases) {
      const answer = instant(querier, query, 100)
      if (expected instanceof RegExp) await assert.rejects(answer, expected, query)
      else {
        const { data } = await answer
        assert(data.kind === 'vector')
        const actual = Object.fromEntries(data.samples.map(({ labels, value }) => [formatLabels(labels), value]))
        assert.deepEqual(actual, expected, query)
      }
    }
  }
}

test('unwrap reads numbers as Go does; entries without a value do not count', async () => {
  const lines = ['v=1', 'v=2.5', 'v=-1e3', 'v=0x1p4', 'v=""', 'other=1', 'v=.5', 'v=+7']
  await check(entriesOf(lines), [
    ['sum_over_time({app="a"} | logfmt v | unwrap v [2m])', { '{app="a"}': -973 }],
    ['sum by () (rate({app="a"} | logfmt | unwrap v [100s]))', { '{}': -9.73 }],
    ['min_over_time({app="a"} | logfmt | unwrap v [2m]) by ()', { '{}': -1000 }],
    ['absent_over_time({app="a"} | logfmt | unwrap v [2m])', {}],
    ['absent_over_time({app="a"} | logfmt | unwrap w [2m])', { '{app="a"}': 1 }],
    ['max_over_time({app="a"} | logfmt | unwrap w [2m])', {}],
  ])
})

test('durations become seconds, sizes bytes', async () => {
  const lines = ['d=1.5s b=2KB', 'd=200ms b=1KiB', 'd=1h2m b="3 MB"', 'd=-1m b=7']
  await check(entriesOf(lines), [
    ['max_over_time({app="a"} | logfmt | unwrap duration(d) [2m]) by ()', { '{}': 3720 }],
    ['min_over_time({app="a"} | logfmt | unwrap duration_seconds(d) [2m]) by (app)', { '{app="a"}': -60 }],
    [
      'sum_over_time({app="a"} | logfmt | unwrap bytes(b) [2m])',
      {
        '{app="a", d="-1m"}': 7,
        '{app="a", d="1.5s"}': 2000,
        '{app="a", d="1h2m"}': 3_000_000,
        '{app="a", d="200ms"}': 1024,
      },
    ],
  ])
})

test('what cannot be converted is an error, which a filter behind unwrap may drop', async () => {
  const lines = ['v=1 p=x', 'v=fast p=x', 'v=2 p=y']
  const error =
    /^BadRequest: pipeline error: 'SampleExtractionErr' for series: '\{__error__="SampleExtractionErr", __error_details__="strconv\.ParseFloat: parsing \\"fast\\": invalid syntax", .*\}'\.\nUse a label filter/
  await check(entriesOf(lines), [
    ['sum by (p) (sum_over_time({app="a"} | logfmt | unwrap v [2m]))', error],
    ['sum by (p) (sum_over_time({app="a"} | logfmt | unwrap v | __error__="" [2m]))', { '{p="x"}': 1, '{p="y"}': 2 }],
    ['sum by (p) (sum_over_time({app="a"} | logfmt | unwrap v | p="y" [2m]))', { '{p="y"}': 2 }],
    [
      'sum by (__error__) (sum_over_time({app="a"} | logfmt | unwrap v [2m]))',
      { '{}': 3, '{__error__="SampleExtractionErr"}': 0 },
    ],
    ['count(sum_over_time({app="a"} | logfmt | unwrap v [98s]))', { '{}': 1 }],
  ])
})

test('metadata and labels of streams can be unwrapped, without a parser', async () => {
  const entries = [
    ...entriesOf(['x', 'x'], { metadata: { took: '1.5' } }),
    ...entriesOf(['x'], { stream: '{app="b", size="10"}' }),
  ]
  await check(entries, [
    ['sum_over_time({app="a"} | unwrap took [2m])', { '{app="a"}': 3 }],
    ['sum_over_time({app=~"a|b"} | unwrap size [2m])', { '{app="b"}': 10 }],
    ['sum by (app) (sum_over_time({app=~"a|b"} | unwrap took [2m]))', { '{app="a"}': 3 }],
  ])
})

test('first and last go by time, and by insertion where times are equal', async () => {
  const entries = entriesOf(['v=1', 'v=2', 'v=3', 'v=4'])
  const same = entries.map((entry) => ({ ...entry, timeNs: T0 + SECOND }))
  const late = { ...entries[0]!, timeNs: T0 + 9n * SECOND, line: 'v=9' }
  await check(
    [...same, late, ...entriesOf(['v=5'])],
    [
      ['first_over_time({app="a"} | logfmt | unwrap v [2m]) by ()', { '{}': 1 }],
      ['last_over_time({app="a"} | logfmt | unwrap v [2m]) by ()', { '{}': 9 }],
      ['last_over_time({app="a"} | logfmt | unwrap v [2m] offset 92s) by ()', { '{}': 5 }],
    ],
  )
})

test('counters over several streams are put in order, with resets', async () => {
  const entries = [
    ...entriesOf(['v=10', 'v=20', 'v=5', 'v=15'], { stream: '{app="a", pod="1"}' }),
    ...entriesOf(['v=15', 'v=25', 'v=7', 'v=20'], { stream: '{app="a", pod="2"}' }).map((entry) => ({
      ...entry,
      timeNs: entry.timeNs + SECOND / 2n,
    })),
  ]
  await check(entries, [
    // 10 15 20 25 5 7 15 20 at 1 … 4.5: grows by 35; no gap at the start below 0.55, so half of the average 0.5
    [
      'rate_counter({app="a"} | logfmt | drop pod | unwrap v [100s])',
      { '{app="a"}': (35 * ((3.5 + 0.25 + 0.25) / 3.5)) / 100 },
    ],
    ['rate_counter({app="a", pod="1"} | logfmt | unwrap v [97s])', { '{app="a", pod="1"}': 0 }],
  ])
})

test('different values are counted exactly, by any labels', async () => {
  const lines = ['u=1 p=x', 'u=2 p=x', 'u=1 p=y', 'p=y', 'u="" p=z']
  await check(entriesOf(lines), [
    ['count_distinct_over_time(u, {app="a"} | logfmt [2m])', { '{app="a", p="x"}': 2, '{app="a", p="y"}': 1 }],
    ['count_distinct_over_time(u, {app="a"} | logfmt [2m]) by (app)', { '{app="a"}': 2 }],
    ['count_distinct_over_time(p, {app="a"} | logfmt [2m]) by ()', { '{}': 3 }],
    ['count_distinct_over_time(none, {app="a"} | logfmt [2m]) by ()', {}],
  ])
})

test('very many different values are estimated, and the answer says so', async () => {
  const count = 150_000
  const entries = Array.from({ length: count }, (_, i): Entry => ({
    stream: '{app="a"}',
    timeNs: T0 + BigInt(1 + (i % 50)) * SECOND,
    line: `id=${i}`,
    metadata: {},
  }))
  const store = new MemoryStore(realClock)
  const ingesters = [new FixedIngester(makeHeads('head', entries, 20_000), [])]
  const budget = new MemoryBudget(1024 * 1024 * 1024)
  const querier = new Querier({
    ingesters,
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    clock: realClock,
    budget,
  })
  const { data, warnings } = await instant(querier, 'count_distinct_over_time(id, {app="a"} | logfmt [100s])', 60)
  assert(data.kind === 'vector')
  assert(Math.abs(data.samples[0]!.value / count - 1) < 0.01, `${data.samples[0]!.value} is about ${count}`)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /more than 65536 different values in a window: counts beyond that are estimates/)
  const few = await instant(querier, 'count_distinct_over_time(id, {app="a"} | logfmt [20s])', 60)
  assert(few.data.kind === 'vector')
  assert.equal(few.data.samples[0]!.value, (count / 50) * 10)
  assert.deepEqual(few.warnings, [])
})

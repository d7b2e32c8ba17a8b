/**
 * Queries that read several tenants, against one tenant whose streams were stored with the labels that the answer should have: every
 * question must be answered the same. And no tenant's data may be seen by who does not name it.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { parseSelector } from '#/logs/logql/parser/parse-selector.ts'
import type { Day } from '#/logs/model/day.ts'
import { formatLabels, parseLabels } from '#/logs/model/labels.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import { nothingHidden, type HiddenRowsReader } from '#/logs/wire/deletes.ts'
import type { HeadSnapshot, HeadView, IngesterReader } from '#/logs/wire/head-view.ts'
import type { QueryData } from '#/logs/wire/query.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

const START = 1_795_000_000_000_000_000n
const HOUR = 3_600_000_000_000n
const END = START + 30n * HOUR
const { signal } = new AbortController()

/** Each tenant has the same streams, equal entries among them, and one that has the reserved label itself. */
function entriesOf(tenant: string): Entry[] {
  const streams = ['{app="x", env="prod"}', '{app="y"}', `{app="z", only="${tenant}"}`]
  if (tenant !== 'c') streams.push('{__tenant_id__="mine", app="w"}', '{app="v", original___tenant_id__="o"}')
  return Array.from({ length: 400 }, (_, i) => ({
    stream: streams[i % streams.length]!,
    timeNs: START + BigInt(i) * (HOUR / 14n),
    line: i % 10 === 0 ? `same line ${i}` : `level=info n=${i} from=${tenant} {"a":${i}}`,
    metadata: i % 3 === 0 ? { trace_id: `t${i}` } : {},
  }))
}

/** What the labels of an entry become when several tenants are read. */
function shown(tenant: string, entry: Entry): Entry {
  const labels = parseLabels(entry.stream)
  const isRenamed = labels.some(([name]) => name === '__tenant_id__')
  const renamed = labels
    .filter(([name]) => !isRenamed || name !== 'original___tenant_id__')
    .map(([name, value]) => [name === '__tenant_id__' ? 'original___tenant_id__' : name, value] as const)
  return { ...entry, stream: formatLabels([...renamed, ['__tenant_id__', tenant]]) }
}

/** Ingesters of several tenants. */
class TenantsIngester implements IngesterReader {
  readonly #byTenant: ReadonlyMap<string, IngesterReader>
  readonly asked = new Set<string>()

  constructor(byTenant: ReadonlyMap<string, IngesterReader>) {
    this.#byTenant = byTenant
  }

  async view(tenant: string, firstDay: Day, lastDay: Day): Promise<HeadView> {
    this.asked.add(tenant)
    return this.#byTenant.get(tenant)?.view(tenant, firstDay, lastDay) ?? { heads: [], blocks: [] }
  }

  async tenants(): Promise<readonly string[]> {
    return [...this.#byTenant.keys()]
  }
}

const store = new MemoryStore(realClock)
let sequence = 0
const opened: string[] = []

/** Half of the entries in heads, half in blocks. */
async function ingesterOf(tenant: string, entries: readonly Entry[]): Promise<FixedIngester> {
  const heads: HeadSnapshot[] = makeHeads(
    `${tenant}-h`,
    entries.filter((_, i) => i % 2 === 0),
    50,
  )
  const blocks: BlockMeta[] = []
  const others = entries.filter((_, i) => i % 2 === 1)
  for (const head of makeHeads(`${tenant}-b`, others, 50)) {
    blocks.push(await writeBlock(store, head, { tenant, sequence: sequence++ }))
  }
  return new FixedIngester(heads, blocks)
}

function querierOf(ingester: IngesterReader, deletes: HiddenRowsReader = nothingHidden): Querier {
  const open = blockOpener(store)
  return new Querier({
    ingesters: [ingester],
    deletes,
    openBlock: (meta) => {
      opened.push(meta.tenant)
      return open(meta)
    },
    pool: inlineScanPool(2),
    budget: new MemoryBudget(64 * 1024 * 1024),
    blockCacheBytes: 1,
    clock: realClock,
  })
}

const tenants = ['a', 'b', 'c']
const real = new TenantsIngester(
  new Map(
    await Promise.all([...tenants, 'd'].map(async (one) => [one, await ingesterOf(one, entriesOf(one))] as const)),
  ),
)
const querier = querierOf(real)
const oracle = querierOf(
  await ingesterOf(
    'all',
    tenants.flatMap((tenant) => entriesOf(tenant).map((entry) => shown(tenant, entry))),
  ),
)

const range = { startNs: START, endNs: END }

function run(
  on: Querier,
  tenant: string,
  query: string,
  direction: 'forward' | 'backward',
): Promise<{ data: QueryData }> {
  const expr = parseExpr(query)
  const more = { stepNs: 2n * HOUR, intervalNs: 0n, limit: 37, direction, maxSeries: 0 } as const
  return on.range({ tenant, query, expr, ...range, ...more }, signal)
}

/** Times and lines decide the order of an answer; rows at one time come in the order of insertion, which differs. */
function plain(data: QueryData): unknown {
  if (data.kind !== 'streams') return data
  const rows = data.streams.flatMap(({ labels, entries }) =>
    entries.map(({ timeNs, line }) => `${timeNs} ${formatLabels(labels)} ${line.toString()}`),
  )
  return rows.toSorted()
}

describe('reading several tenants', () => {
  const metric = [
    'sum by (__tenant_id__) (count_over_time({app=~".+"}[3h]))',
    'sum(rate({app=~".+"}[3h]))',
    'topk(2, sum by (app, __tenant_id__) (bytes_over_time({app=~".+"}[5h])))',
    'max_over_time({app="y"} | logfmt | unwrap n | __error__="" [4h]) by (__tenant_id__)',
    'avg(sum by (__tenant_id__) (count_over_time({app=~"x|z"}[3h])))',
    'sum by (__tenant_id__) (count_over_time({__tenant_id__!="b", app="x"}[3h])) / on (__tenant_id__) sum by (__tenant_id__) (count_over_time({app="y"}[3h]))',
    'quantile_over_time(0.5, {app=~".+"} | logfmt | unwrap n | __error__="" [6h]) by (app)',
    'absent_over_time({__tenant_id__="nobody"}[1h])',
    'count_over_time({app=~".+"} | __tenant_id__=~"a|c" [10h])',
    'sum by (original___tenant_id__) (count_over_time({app=~".+"}[10h]))',
  ]
  const logs = [
    '{app=~".+", only!=""}',
    '{app="z"} | logfmt | from="b"',
    '{__tenant_id__="b", app=~".+"} |= "from"',
    '{__tenant_id__=~"a|b"} | label_format t=__tenant_id__ |= "n=1"',
    '{original___tenant_id__="mine"}',
    '{original___tenant_id__="o"} | drop __tenant_id__',
    '{original___tenant_id__!="", app=~".+"} | keep app, __tenant_id__',
    '{app=~".+", original___tenant_id__=""} |~ "n=7"',
    '{__tenant_id__="d"}',
    '{app="w"} | __tenant_id__="mine"',
  ]
  for (const query of [...metric, ...logs]) {
    test(query, async () => {
      for (const direction of ['forward', 'backward'] as const) {
        const found = await run(querier, 'a|b|c', query, direction)
        const expected = await run(oracle, 'all', query, direction)
        assert.deepEqual(plain(found.data), plain(expected.data))
      }
    })
  }

  test('rows of all tenants are merged by time and cut to the limit together', async () => {
    for (const direction of ['forward', 'backward'] as const) {
      const { data } = await run(querier, 'a|b|c', '{app=~".+"}', direction)
      assert.ok(data.kind === 'streams')
      const times = data.streams.flatMap(({ entries }) => entries.map(({ timeNs }) => timeNs))
      assert.equal(times.length, 37)
      const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)
      const all = tenants.flatMap((one) => entriesOf(one).map(({ timeNs }) => timeNs)).toSorted(ascending)
      const sorted = (direction === 'forward' ? all : all.toReversed()).slice(0, 37)
      assert.deepEqual(times.toSorted(ascending), sorted.toSorted(ascending))
    }
  })

  for (const text of [
    '',
    '{__tenant_id__="b"}',
    '{__tenant_id__=~"a|c", app=~"w|x"}',
    '{original___tenant_id__=~".+"}',
  ]) {
    test(`labels, values, series, stats, volume and shards of ${text || 'all streams'}`, async () => {
      const selectors = text === '' ? [] : [parseSelector(text, { validate: true })]
      const ask = async (on: Querier, tenant: string): Promise<unknown> => {
        const query = { tenant, selectors, ...range }
        const volume = {
          ...query,
          aggregateBy: 'series',
          targetLabels: [],
          limit: 100,
          stepNs: 0n,
          maxSeries: 0,
        } as const
        const { chunks: _, ...stats } = await on.indexStats(query, signal)
        const { volumes } = await on.volume(volume, signal)
        const { volumes: steps } = await on.volume({ ...volume, stepNs: HOUR / 3n }, signal)
        const byTenant = await on.volume({ ...volume, targetLabels: ['__tenant_id__'] }, signal)
        const { shards } = await on.shards({ ...query, targetBytes: 1000 }, signal)
        return {
          names: await on.labelNames(query, signal),
          values: await Promise.all(
            ['app', 'only', '__tenant_id__', 'original___tenant_id__', 'nothing'].map((name) =>
              on.labelValues(name, query, signal),
            ),
          ),
          series: await on.series(query, signal),
          detected: await on.detectedLabels(query, signal),
          stats,
          volumes,
          steps,
          byTenant: byTenant.volumes,
          shards: shards.map(({ min, max, stats: { chunks: _chunks, ...sums } }) => ({ min, max, sums })),
        }
      }
      assert.deepEqual(await ask(querier, 'a|b|c'), await ask(oracle, 'all'))
    })
  }

  test('only tenants that are named are looked at, and only blocks of those that the selector wants', async () => {
    real.asked.clear()
    opened.length = 0
    await run(querier, 'a|b|c', '{__tenant_id__="b", app=~".+"}', 'forward')
    assert.deepEqual([...real.asked].toSorted(), tenants)
    assert.deepEqual([...new Set(opened)], ['b'])
    opened.length = 0
    await querier.labelNames(
      { tenant: 'a|c', selectors: [parseSelector('{__tenant_id__!="a"}', { validate: false })], ...range },
      signal,
    )
    assert.deepEqual([...new Set(opened)], ['c'])
  })

  test('one tenant alone has no tenant label, and no matcher on it reaches another', async () => {
    const names = await querier.labelValues('__tenant_id__', { tenant: 'a', selectors: [], ...range }, signal)
    assert.deepEqual(names, ['mine'])
    for (const query of ['{__tenant_id__="b"}', '{__tenant_id__=~"a|b|c|d"}', '{only="b"}']) {
      const { data } = await run(querier, 'a', query, 'forward')
      assert.deepEqual(plain(data), [], query)
    }
    const { data } = await run(querier, 'a|b', '{__tenant_id__=~"c|d", app=~".+"}', 'forward')
    assert.deepEqual(plain(data), [])
  })
})

test('what is deleted of one tenant is seen of the others', async () => {
  const request = { id: '1', query: '{app=~".+"}', startNs: 0n, endNs: 2n ** 62n, isErasedFrom: () => false }
  const deleting = querierOf(real, { hiddenRows: (tenant) => (tenant === 'b' ? [request] : []) })
  const query = 'sum by (__tenant_id__) (count_over_time({app=~".+"}[1000h]))'
  const ask = async (one: Querier): Promise<readonly string[]> => {
    const asked = {
      tenant: 'a|b|c',
      query,
      expr: parseExpr(query),
      maxSeries: 0,
      limit: 10,
      direction: 'forward' as const,
    }
    const { data } = await one.instant({ ...asked, timeNs: END }, new AbortController().signal)
    assert(data.kind === 'vector')
    return data.samples.map(({ labels, value }) => `${labels.map(([, text]) => text).join()} ${value}`).toSorted()
  }
  const all = await ask(querier)
  assert.equal(all.length, 3)
  assert.deepEqual(
    await ask(deleting),
    all.filter((one) => !one.startsWith('b ')),
  )
})

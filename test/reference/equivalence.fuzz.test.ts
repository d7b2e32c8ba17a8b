/**
 * The read path against the reference: random entries, spread at random over heads and blocks that overlap and repeat each
 * other, under random queries, give equal answers. `EDDA_FUZZ_RUNS` sets how many cases run; a failure prints its seed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseExpr, type Query } from '#/logs/logql/parser/parse-expr.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { Direction, ResultSeries, ResultStream } from '#/logs/wire/query.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { referenceRows, referenceVector, seriesKey, type ReferenceRow } from './evaluate.ts'
import { BASE_NS, entry, logQuery, metricQuery } from './generate.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

enableLinearRegex()

const RUNS = Number(process.env['EDDA_FUZZ_RUNS'] ?? 240)
const seed = Number(process.env['EDDA_FUZZ_SEED'] ?? Date.now() % 1_000_000_007)
const SECOND = 1_000_000_000n
const signal = new AbortController().signal

type SourceSpec = { readonly kind: 'head' | 'block'; readonly entries: readonly Entry[]; readonly repeats: number }

/** Sources in the order of insertion: blocks first. Each repeats some entries of the one before. */
const sourcesOf = (kinds: readonly ('head' | 'block')[]): fc.Arbitrary<readonly SourceSpec[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      entries: fc.array(entry, { maxLength: 25 }),
      repeats: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: kinds.length > 1 ? 4 : 3 },
  )

type World = { readonly querier: Querier; readonly entries: readonly Entry[] }

async function build(specs: readonly SourceSpec[], pageRows: number): Promise<World> {
  const store = new MemoryStore(realClock)
  const heads: HeadSnapshot[] = []
  const blocks: BlockMeta[] = []
  const sources: Entry[][] = []
  const inOrder = [...specs.filter(({ kind }) => kind === 'block'), ...specs.filter(({ kind }) => kind === 'head')]
  for (const [position, { kind, entries, repeats }] of inOrder.entries()) {
    const own = [...entries, ...(sources.at(-1) ?? []).slice(0, repeats)]
    sources.push(own)
    for (const head of makeHeads(`s${position}`, own, pageRows)) {
      if (kind === 'head') heads.push(head)
      else blocks.push(await writeBlock(store, head, { tenant: 'test', sequence: position }))
    }
  }
  const querier = new Querier({
    ingesters: [new FixedIngester(heads, blocks)],
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    budget: new MemoryBudget(256 * 1024 * 1024),
    clock: realClock,
    // every page is a job of its own, or nearly so
    jobSizes: { firstBytes: 1, maxBytes: 100 },
  })
  return { querier, entries: withoutRepeats(sources) }
}

/** What all sources hold together: an entry of a later source that an earlier one has too does not count. */
function withoutRepeats(sources: readonly (readonly Entry[])[]): Entry[] {
  const seen = new Set<string>()
  const kept: Entry[] = []
  for (const source of sources) {
    const keys = source.map(
      ({ stream, timeNs, line, metadata }) => `${stream} ${timeNs} ${line} ${seriesKey(metadata)}`,
    )
    kept.push(...source.filter((_, i) => !seen.has(keys[i]!)))
    for (const key of keys) seen.add(key)
  }
  return kept
}

const parsed = <Q>(
  query: Q & { readonly query: string },
): Q & { readonly query: string; readonly expr: Query; readonly maxSeries: number } => ({
  ...query,
  expr: parseExpr(query.query),
  maxSeries: 500,
})

/** Label text without the details of errors, whose wording is not the reference's. */
const textOf = (labels: readonly (readonly [string, string])[]): string =>
  formatLabels(labels.filter(([name]) => name !== '__error_details__'))

type FlatRow = { readonly timeNs: bigint; readonly text: string }
const flat = ({ timeNs, line, labels }: ReferenceRow): FlatRow => ({
  timeNs,
  text: `${textOf(Object.entries(labels))} ${line}`,
})

type LogCase = {
  readonly query: string
  readonly direction: Direction
  readonly limit: number
  readonly times: readonly [bigint, bigint]
}

async function checkLogs({ querier, entries }: World, { query, direction, limit, times }: LogCase): Promise<void> {
  const [startNs, endNs] = times
  const request = parsed({ tenant: 'test', query, startNs, endNs, stepNs: SECOND, intervalNs: 0n, limit, direction })
  const { data } = await querier.range(request, signal)
  assert(data.kind === 'streams' && request.expr.kind === 'log')
  const rows = referenceRows(request.expr, entries, { startNs, endNs }).map(flat)
  const expected = direction === 'forward' ? rows : rows.toReversed()
  const found = data.streams.flatMap(({ labels, entries: own }) =>
    own.map(({ timeNs, line }) => ({ timeNs, text: `${textOf(labels)} ${line.toString()}` })),
  )
  assert.equal(found.length, Math.min(limit, expected.length))
  for (const own of data.streams.map((stream) => stream.entries.map(({ timeNs }) => timeNs))) {
    assert.deepEqual(
      own,
      own.toSorted((a, b) => (direction === 'forward' ? Number(a - b) : Number(b - a))),
    )
  }
  // which entries of the last time are cut off is not specified
  const lastNs = expected[limit - 1]?.timeNs
  const certain = (all: readonly FlatRow[]): string[] =>
    all
      .filter(({ timeNs }) => timeNs !== lastNs)
      .map(({ timeNs, text }) => `${timeNs} ${text}`)
      .toSorted()
  assert.deepEqual(certain(found), certain(expected.slice(0, limit)))
  const ties = expected.filter(({ timeNs }) => timeNs === lastNs).map(({ text }) => text)
  for (const { timeNs, text } of found)
    if (timeNs === lastNs) assert(ties.includes(text), `${text} is one of ${ties.join()}`)
  checkTieOrder(data.streams, expected)
}

/** Within a result stream that stems from one stored stream, entries keep the order of insertion, reversed when backward. */
function checkTieOrder(streams: readonly ResultStream[], expected: readonly FlatRow[]): void {
  for (const { labels, entries } of streams) {
    const prefix = `${textOf(labels)} `
    const own = expected
      .filter(({ text }) => text.startsWith(prefix))
      .map(({ timeNs, text }) => `${timeNs} ${text.slice(prefix.length)}`)
    const found = entries.map(({ timeNs, line }) => `${timeNs} ${line.toString()}`)
    assert.deepEqual(found, own.slice(0, found.length))
  }
}

type MetricCase = {
  readonly query: string
  readonly startNs: bigint
  readonly stepNs: bigint
  readonly stepCount: number
}

async function checkMetric(
  { querier, entries }: World,
  { query, startNs, stepNs, stepCount }: MetricCase,
): Promise<void> {
  const endNs = startNs + stepNs * BigInt(stepCount - 1)
  const request = parsed({
    tenant: 'test',
    query,
    startNs,
    endNs,
    stepNs,
    intervalNs: 0n,
    limit: 100,
    direction: 'backward' as const,
  })
  assert(request.expr.kind !== 'log')
  const { expr } = request
  const times = Array.from({ length: stepCount }, (_, step) => startNs + BigInt(step) * stepNs)
  let expected: ReadonlyMap<string, number>[]
  try {
    expected = times.map((timeNs) => referenceVector(expr, entries, timeNs))
  } catch (error) {
    assert.match((error as Error).message, /pipeline error/)
    await assert.rejects(querier.range(request, signal), /pipeline error: '\w+' for series: '\{.*\}'\./)
    return
  }
  const { data } = await querier.range(request, signal)
  assert(data.kind === 'matrix')
  for (const [step, vector] of expected.entries()) assert.deepEqual(atStep(data.series, step), rounded(vector))
  const instant = await querier.instant({ ...request, timeNs: times[0]! }, signal)
  assert(instant.data.kind === 'vector')
  const samples = instant.data.samples.map(({ labels, value }) => [seriesKey(withoutDetails(labels)), value] as const)
  assert.deepEqual(rounded(new Map(samples)), rounded(expected[0]!))
}

const withoutDetails = (labels: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(labels.filter(([name]) => name !== '__error_details__'))

function atStep(series: readonly ResultSeries[], step: number): ReadonlyMap<string, number> {
  const present = series.filter((one) => one.present[step] === 1)
  return rounded(new Map(present.map((one) => [seriesKey(withoutDetails(one.labels)), one.values[step]!])))
}

/** In order of labels, values to twelve digits and not below 1e-15: sums may be taken in any order. */
function rounded(vector: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map(
    [...vector]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, Math.abs(value) < 1e-15 ? 0 : Number(value.toPrecision(12))]),
  )
}

const logCase: fc.Arbitrary<LogCase> = fc.record({
  query: logQuery,
  direction: fc.constantFrom<Direction>('forward', 'backward'),
  limit: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1000)),
  times: fc
    .tuple(fc.bigInt({ min: -1n, max: 12n }), fc.bigInt({ min: 5n, max: 30n }))
    .map(([from, length]) => [BASE_NS + from * SECOND, BASE_NS + (from + length) * SECOND] as const),
})

const metricCase: fc.Arbitrary<MetricCase> = fc.record({
  query: metricQuery,
  startNs: fc.integer({ min: -5, max: 25 }).map((seconds) => BASE_NS + BigInt(seconds) * SECOND),
  stepNs: fc.constantFrom(SECOND, 3n * SECOND, 10n * SECOND, 1n, 700_000_001n, 86_400n * SECOND),
  stepCount: fc.integer({ min: 1, max: 8 }),
})

const mixtures = { 'head only': ['head'], 'blocks only': ['block'], 'heads and blocks': ['head', 'block'] } as const

for (const [name, kinds] of Object.entries(mixtures)) {
  test(`log queries equal the reference: ${name} (seed ${seed})`, async () => {
    const property = fc.asyncProperty(
      sourcesOf(kinds),
      fc.integer({ min: 1, max: 12 }),
      fc.array(logCase, { minLength: 1, maxLength: 4 }),
      async (specs, pageRows, cases) => {
        const world = await build(specs, pageRows)
        for (const one of cases) await checkLogs(world, one)
      },
    )
    await fc.assert(property, { numRuns: Math.ceil(RUNS / 3), seed })
  })

  test(`metric queries equal the reference: ${name} (seed ${seed})`, async () => {
    const property = fc.asyncProperty(
      sourcesOf(kinds),
      fc.integer({ min: 1, max: 12 }),
      fc.array(metricCase, { minLength: 1, maxLength: 4 }),
      async (specs, pageRows, cases) => {
        const world = await build(specs, pageRows)
        for (const one of cases) await checkMetric(world, one)
      },
    )
    await fc.assert(property, { numRuns: Math.ceil(RUNS / 3), seed })
  })
}

/**
 * Answers queries over the heads and blocks of all ingesters. Takes one consistent view per query, prunes, scans what is left in
 * worker threads, and merges.
 */
import { assert } from '#/kernel/assert.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { TimeRange } from '#/logs/model/day.ts'
import type { Expr, LogExpr } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { evaluateTree } from '#/logs/logql/planner/evaluate.ts'
import { keptSeries } from '#/logs/logql/planner/kept-series.ts'
import { makePlainPlan } from '#/logs/logql/planner/make-plan.ts'
import { optimizePlan } from '#/logs/logql/planner/optimize-plan.ts'
import type { LogPlan, MetricPlan, Plan } from '#/logs/logql/planner/plan.ts'
import { BlockResults } from '#/logs/read/cache/block-results.ts'
import type { ScanPool } from '#/logs/read/scan/scan-pool.ts'
import type { ExplainQuery, Explanation } from '#/logs/wire/explain.ts'
import { nothingHidden, type HiddenRowsReader } from '#/logs/wire/deletes.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type {
  DetectedField,
  DetectedFieldsQuery,
  DetectedLabel,
  IndexStats,
  Pattern,
  PatternsQuery,
  ShardsAnswer,
  ShardsQuery,
  VolumeAnswer,
  VolumeQuery,
} from '#/logs/wire/index-query.ts'
import type {
  InstantQuery,
  MetadataQuery,
  QueryAnswer,
  QueryData,
  QueryStats,
  RangeQuery,
  ResultStream,
} from '#/logs/wire/query.ts'
import type { RowCursor, SendEvent, StreamedQuery } from '#/logs/wire/query-stream.ts'
import { Caches } from '#/platform/memory/caches.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import { noLabels } from '#/series/labels.ts'
import { constantSeries, sortedByLabels, type Series } from '#/series/series-set.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { BlockCache, type OpenBlock } from './block-cache.ts'
import { findFields, findFieldValues } from './detected-fields.ts'
import { findDetectedLabels } from './detected-labels.ts'
import { explainQuery } from './explain.ts'
import { findRows, sendRows } from './find-rows.ts'
import { findShards } from './index-shards.ts'
import { findIndexStats } from './index-stats.ts'
import { findLabelNames, findLabelValues, findSeries } from './metadata.ts'
import { KnownDuplicates } from './known-duplicates.ts'
import { MaskCache } from './mask-cache.ts'
import { findPatterns } from './patterns.ts'
import { Pace } from './pace.ts'
import { QueryRun, type JobSizes } from './query-run.ts'
import { EntryMaker, resultRuns, resultStreams } from './result-streams.ts'
import { leafRange, runLeaf, type Steps } from './run-samples.ts'
import { streamAnswer } from './stream-answer.ts'
import { fillMetricPlan } from './subquery.ts'
import { blockCount, narrowView, takeView } from './view.ts'
import { findVolumes } from './volume.ts'

export type QuerierOptions = {
  readonly ingesters: readonly IngesterReader[]
  readonly openBlock: OpenBlock
  /** What delete requests hide; nothing by default. */
  readonly deletes?: HiddenRowsReader
  readonly pool: ScanPool
  readonly budget: MemoryBudget
  readonly clock: Clock
  /** Of this budget. */
  readonly caches?: Caches
  /** Memory for open blocks, a part of the budget. */
  readonly blockCacheBytes?: number
  /** Whether results of blocks are kept. */
  readonly cachesResults?: boolean
  readonly jobSizes?: JobSizes
}

/** A query together with its syntax tree; `query` is its text, as it was parsed. */
export type Parsed<Q> = Q & { readonly expr: Expr<StageNode>; readonly maxSeries: number }

type Found = { readonly data: QueryData; readonly next?: RowCursor | undefined }

type ParsedFields = DetectedFieldsQuery & { readonly expr: LogExpr }

/** Part of the budget for open blocks, when nothing is said. */
const BLOCK_CACHE_SHARE = 0.125
/** Part of the budget for rows of blocks that delete requests hide. */
const MASK_CACHE_SHARE = 0.03125
/** Part of the budget for rows that two blocks share. */
const DUPLICATES_SHARE = 0.015625
/** Part of the budget for what is known of blocks. */
const RESULT_CACHE_SHARE = 0.0625
/** Part of the budget for page buffers that wait for the next job. */
const IDLE_BUFFERS_SHARE = 0.0625
const jobSizesDefault: JobSizes = { firstBytes: 2 * 1024 * 1024, maxBytes: 32 * 1024 * 1024 }

export class Querier {
  readonly #options: QuerierOptions
  readonly #cache: BlockCache
  readonly #results: BlockResults | undefined
  readonly #buffers: SharedBuffers
  readonly #masks: MaskCache
  readonly #duplicates: KnownDuplicates

  constructor(options: QuerierOptions) {
    const { openBlock, budget, blockCacheBytes, caches = new Caches(budget), cachesResults = true } = options
    this.#options = options
    // what is cheap to get again comes first: it is given up first
    const openBytes = blockCacheBytes ?? budget.limitBytes * BLOCK_CACHE_SHARE
    this.#cache = new BlockCache(openBlock, caches.part('open-blocks', openBytes))
    this.#masks = new MaskCache(caches.part('masks', budget.limitBytes * MASK_CACHE_SHARE))
    this.#duplicates = new KnownDuplicates(caches.part('duplicates', budget.limitBytes * DUPLICATES_SHARE))
    const results = caches.part('results', budget.limitBytes * RESULT_CACHE_SHARE)
    this.#results = cachesResults ? new BlockResults(results) : undefined
    this.#buffers = new SharedBuffers({ budget, maxIdleBytes: Math.floor(budget.limitBytes * IDLE_BUFFERS_SHARE) })
  }

  /** Times are taken as they come: limits, alignment and clamping are the frontend's. */
  async range(query: Parsed<RangeQuery>, signal: AbortSignal): Promise<QueryAnswer> {
    const plan = makePlainPlan(query.expr)
    return this.#answer(query, signal, async (run) => {
      if (plan.kind !== 'logs') return { data: await this.#matrix(run, plan, query) }
      const { rows, next } = await findRows(run, this.#options.ingesters, plan, query)
      run.stats.totalEntriesReturned = rows.length
      return { data: resultStreams(rows, { isSorted: plan.tail.sort !== undefined }), next }
    })
  }

  async instant(query: Parsed<InstantQuery>, signal: AbortSignal): Promise<QueryAnswer> {
    return this.#answer(query, signal, async (run) => ({ data: await this.#vector(run, query) }))
  }

  /** As {@link range} and {@link instant}, piece by piece. */
  async stream(query: Parsed<StreamedQuery>, send: SendEvent, signal: AbortSignal): Promise<void> {
    const run = this.#newRun(signal, query.noCache)
    await streamAnswer(run, send, async () => {
      const plan = makePlainPlan(query.expr)
      if (query.kind === 'range' && plan.kind === 'logs') {
        const maker = new EntryMaker()
        const next = await sendRows(run, this.#options.ingesters, { plan, query }, async (rows, cursor) =>
          send({ kind: 'rows', ...resultRuns(rows, maker), next: cursor }),
        )
        return { next }
      }
      const data =
        query.kind === 'range' && plan.kind !== 'logs'
          ? await this.#matrix(run, plan, query)
          : await this.#vector(run, query as Parsed<InstantQuery>)
      run.stats.totalEntriesReturned = countEntries(data)
      return { data }
    })
  }

  labelNames(query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]> {
    return this.#metadata(signal, (run) => findLabelNames(run, this.#options.ingesters, query))
  }

  labelValues(name: string, query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]> {
    return this.#metadata(signal, (run) => findLabelValues(run, this.#options.ingesters, query, name))
  }

  /** Label sets in the order of their canonical texts. */
  series(query: MetadataQuery, signal: AbortSignal): Promise<readonly Labels[]> {
    return this.#metadata(signal, (run) => findSeries(run, this.#options.ingesters, query))
  }

  indexStats(query: MetadataQuery, signal: AbortSignal): Promise<IndexStats> {
    return this.#metadata(signal, (run) => findIndexStats(run, this.#options.ingesters, query))
  }

  /** @throws BadRequest when there are more groups than `maxSeries` (0: no limit). */
  async volume(query: VolumeQuery & { readonly maxSeries: number }, signal: AbortSignal): Promise<VolumeAnswer> {
    const { maxSeries, ...volume } = query
    const { found, stats } = await this.#measured(signal, (run) =>
      findVolumes(run, this.#options.ingesters, volume, maxSeries),
    )
    return { ...found, stats: { ...stats, totalEntriesReturned: found.volumes.length } }
  }

  async shards(query: ShardsQuery, signal: AbortSignal): Promise<ShardsAnswer> {
    const { found, stats } = await this.#measured(signal, (run) => findShards(run, this.#options.ingesters, query))
    return { shards: found, stats }
  }

  /** Most lines first. */
  patterns(query: PatternsQuery, signal: AbortSignal): Promise<readonly Pattern[]> {
    return this.#metadata(signal, (run) => findPatterns(run, this.#options.ingesters, query))
  }

  detectedLabels(query: MetadataQuery, signal: AbortSignal): Promise<readonly DetectedLabel[]> {
    return this.#metadata(signal, (run) => findDetectedLabels(run, this.#options.ingesters, query))
  }

  async detectedFields(query: ParsedFields, signal: AbortSignal): Promise<readonly DetectedField[]> {
    const streams = await this.#newestEntries(query, signal)
    return findFields(streams, this.#linePace(signal), { stages: query.expr.stages, limit: query.limit })
  }

  async detectedFieldValues(name: string, query: ParsedFields, signal: AbortSignal): Promise<readonly string[]> {
    const streams = await this.#newestEntries(query, signal)
    return findFieldValues(streams, this.#linePace(signal), { name, limit: query.limit })
  }

  async #newestEntries({ lineLimit, ...query }: ParsedFields, signal: AbortSignal): Promise<readonly ResultStream[]> {
    const rest = { limit: lineLimit, direction: 'backward', stepNs: 0n, intervalNs: 0n, maxSeries: 0 } as const
    const { data } = await this.range({ ...query, ...rest }, signal)
    assert(data.kind === 'streams', 'the answer to a log query is streams')
    return data.categorized
  }

  /** Lines may be long, so that the clock is looked at after each. */
  #linePace(signal: AbortSignal): Pace {
    return new Pace({ clock: this.#options.clock, signal }, 1)
  }

  explain(query: Omit<Parsed<ExplainQuery>, 'maxSeries'>, signal: AbortSignal): Promise<Explanation> {
    return this.#metadata(signal, (run) => explainQuery(run, this.#options.ingesters, query))
  }

  async #answer(
    { noCache }: { readonly noCache?: boolean },
    signal: AbortSignal,
    evaluate: (run: QueryRun) => Promise<Found>,
  ): Promise<QueryAnswer> {
    const run = this.#newRun(signal, noCache)
    let stats: QueryStats | undefined
    try {
      const { data, next } = await evaluate(run)
      // rows were counted when they were found: streams are put together when the answer is written
      if (data.kind !== 'streams') run.stats.totalEntriesReturned = countEntries(data)
      stats = run.finish()
      return { data, stats, warnings: run.warnings, ...(next && { next }) }
    } finally {
      if (stats === undefined) run.finish()
    }
  }

  async #metadata<T>(signal: AbortSignal, find: (run: QueryRun) => Promise<T>): Promise<T> {
    return (await this.#measured(signal, find)).found
  }

  async #measured<T>(
    signal: AbortSignal,
    find: (run: QueryRun) => Promise<T>,
  ): Promise<{ readonly found: T; readonly stats: QueryStats }> {
    const run = this.#newRun(signal)
    let stats: QueryStats | undefined
    try {
      const found = await find(run)
      stats = run.finish()
      return { found, stats }
    } finally {
      if (stats === undefined) run.finish()
    }
  }

  #newRun(signal: AbortSignal, noCache = false): QueryRun {
    const { pool, budget, clock, deletes = nothingHidden, jobSizes = jobSizesDefault } = this.#options
    const results = noCache ? undefined : this.#results
    const known = { masks: this.#masks, duplicates: this.#duplicates }
    const own = { cache: this.#cache, results, buffers: this.#buffers, ...known }
    return new QueryRun({ pool, budget, clock, jobSizes, deletes, ...own, signal })
  }

  async #matrix(run: QueryRun, plan: Exclude<Plan, LogPlan>, query: Parsed<RangeQuery>): Promise<QueryData> {
    if (query.paging !== undefined) throw new BadRequest('a cursor can only be used with log queries')
    if (plan.kind === 'metric' && plan.instantOnly) {
      throw new BadRequest('count min sketches are only supported on instant queries')
    }
    const { startNs, endNs, stepNs } = query
    const stepCount = stepNs > 0n && endNs > startNs ? Number((endNs - startNs) / stepNs) + 1 : 1
    const series = await this.#series(run, plan, query, { startNs, stepNs, stepCount })
    checkSeries(series, query.maxSeries)
    return { kind: 'matrix', startNs, stepNs, series: sortedByLabels(series) }
  }

  async #vector(run: QueryRun, query: Parsed<InstantQuery>): Promise<QueryData> {
    const plan = makePlainPlan(query.expr)
    const { timeNs } = query
    if (plan.kind === 'scalar') return { kind: 'scalar', timeNs, value: plan.value }
    if (plan.kind === 'logs') {
      throw new BadRequest(
        'log queries are not supported as an instant query type, please change your query to a range query type',
      )
    }
    const series = await this.#series(run, plan, query, { startNs: timeNs, stepNs: 0n, stepCount: 1 })
    checkSeries(series, query.maxSeries)
    const ordered = plan.keepsOrder ? series : sortedByLabels(series)
    return { kind: 'vector', timeNs, samples: ordered.map(({ labels, values }) => ({ labels, value: values[0]! })) }
  }

  async #series(
    run: QueryRun,
    plainPlan: Exclude<Plan, LogPlan>,
    { tenant, query }: { readonly tenant: string; readonly query: string },
    steps: Steps,
  ): Promise<readonly Series[]> {
    if (plainPlan.kind === 'scalar') return [constantSeries(noLabels, steps.stepCount, plainPlan.value)]
    const range = rangeOfLeaves(plainPlan, steps)
    const view = await takeView(run, this.#options.ingesters, tenant, range)
    const narrowed = narrowView(view, range)
    run.stats.blocksTotal = blockCount(view)
    run.stats.blocksByTime = run.stats.blocksTotal - blockCount(narrowed)
    run.progress.begin(narrowed, plainPlan.leaves.length)
    const { plan: filled, key } = await fillMetricPlan(run, view, plainPlan, (leaf) => leafRange(leaf, steps))
    const plan = optimizePlan(filled)
    assert(plan.kind === 'metric', 'an optimized plan is of the same kind')
    const kept = steps.stepCount === 1 ? keptSeries(plan.root, plan.leaves) : []
    const sets = []
    for (const [position, leaf] of plan.leaves.entries()) {
      sets.push(await runLeaf(run, view, { text: `${query}${key}`, position, leaf, steps, keep: kept[position] }))
    }
    return evaluateTree(plan.root, sets, steps.stepCount).series
  }
}

/** The time that any leaf looks at; empty without leaves. */
function rangeOfLeaves({ leaves }: MetricPlan, steps: Steps): TimeRange {
  const ranges = leaves.map((leaf) => leafRange(leaf, steps))
  return ranges.reduce(
    (all, { startNs, endNs }) => ({
      startNs: startNs < all.startNs ? startNs : all.startNs,
      endNs: endNs > all.endNs ? endNs : all.endNs,
    }),
    ranges[0] ?? { startNs: 0n, endNs: 0n },
  )
}

function checkSeries(series: readonly Series[], maxSeries: number): void {
  if (maxSeries === 0 || series.length <= maxSeries) return
  throw new BadRequest(
    `maximum number of series (${maxSeries}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()`,
  )
}

function countEntries(data: QueryData): number {
  switch (data.kind) {
    case 'streams':
      return data.streams.reduce((sum, { entries }) => sum + entries.length, 0)
    case 'matrix':
      return data.series.length
    case 'vector':
      return data.samples.length
    case 'scalar':
      return 1
  }
}

/**
 * Answers queries over the heads and blocks of all ingesters. Takes one consistent view per query, prunes, scans what is left in
 * worker threads, and merges.
 */
import { BadRequest } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { TimeRange } from '#/logs/model/day.ts'
import type { Expr } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { evaluateTree } from '#/logs/logql/planner/evaluate.ts'
import { makePlan } from '#/logs/logql/planner/make-plan.ts'
import type { LogPlan, MetricPlan, Plan } from '#/logs/logql/planner/plan.ts'
import type { ScanPool } from '#/logs/read/scan/scan-pool.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type {
  IndexStats,
  InstantQuery,
  MetadataQuery,
  QueryAnswer,
  QueryData,
  QueryStats,
  RangeQuery,
} from '#/logs/wire/query.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import { noLabels } from '#/series/labels.ts'
import { constantSeries, sortedByLabels, type Series } from '#/series/series-set.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { BlockCache, type OpenBlock } from './block-cache.ts'
import { findIndexStats, findLabelNames, findLabelValues, findSeries } from './metadata.ts'
import { QueryRun, type JobSizes } from './query-run.ts'
import { resultStreams, rowTimeNs, thinRows } from './result-streams.ts'
import { runRows } from './run-rows.ts'
import { leafRange, runLeaf, type Steps } from './run-samples.ts'
import type { FoundRow } from './top-rows.ts'
import { takeView } from './view.ts'

export type QuerierOptions = {
  readonly ingesters: readonly IngesterReader[]
  readonly openBlock: OpenBlock
  readonly pool: ScanPool
  readonly budget: MemoryBudget
  readonly clock: Clock
  /** Memory for open blocks, a part of the budget. */
  readonly blockCacheBytes?: number
  readonly jobSizes?: JobSizes
}

/** A query together with its syntax tree; `query` is its text, as it was parsed. */
export type Parsed<Q> = Q & { readonly expr: Expr<StageNode>; readonly maxSeries: number }

/** Part of the budget for open blocks, when nothing is said. */
const BLOCK_CACHE_SHARE = 0.125
/** Part of the budget for page buffers that wait for the next job. */
const IDLE_BUFFERS_SHARE = 0.0625
const jobSizesDefault: JobSizes = { firstBytes: 2 * 1024 * 1024, maxBytes: 32 * 1024 * 1024 }
/** Rows that are fetched at once for a query that keeps only some of them. */
const MIN_THINNED_BATCH = 1000

export class Querier {
  readonly #options: QuerierOptions
  readonly #cache: BlockCache
  readonly #buffers: SharedBuffers

  constructor(options: QuerierOptions) {
    const { openBlock, budget, blockCacheBytes } = options
    this.#options = options
    const maxBytes = blockCacheBytes ?? Math.max(1, Math.floor(budget.limitBytes * BLOCK_CACHE_SHARE))
    this.#cache = new BlockCache({ open: openBlock, budget, maxBytes })
    this.#buffers = new SharedBuffers({ budget, maxIdleBytes: Math.floor(budget.limitBytes * IDLE_BUFFERS_SHARE) })
  }

  /** Times are taken as they come: limits, alignment and clamping are the frontend's. */
  async range(query: Parsed<RangeQuery>, signal: AbortSignal): Promise<QueryAnswer> {
    const plan = makePlan(query.expr)
    return this.#answer(signal, async (run) => {
      if (plan.kind === 'logs') return this.#logs(run, plan, query)
      const { startNs, endNs, stepNs } = query
      const stepCount = stepNs > 0n && endNs > startNs ? Number((endNs - startNs) / stepNs) + 1 : 1
      const series = await this.#series(run, plan, query, { startNs, stepNs, stepCount })
      checkSeries(series, query.maxSeries)
      return { kind: 'matrix', startNs, stepNs, series: sortedByLabels(series) }
    })
  }

  async instant(query: Parsed<InstantQuery>, signal: AbortSignal): Promise<QueryAnswer> {
    const plan = makePlan(query.expr)
    const { timeNs } = query
    return this.#answer(signal, async (run) => {
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

  async #answer(signal: AbortSignal, evaluate: (run: QueryRun) => Promise<QueryData>): Promise<QueryAnswer> {
    const run = this.#newRun(signal)
    let stats: QueryStats | undefined
    try {
      const data = await evaluate(run)
      run.stats.totalEntriesReturned = countEntries(data)
      stats = run.finish()
      return { data, stats, warnings: [] }
    } finally {
      if (stats === undefined) run.finish()
    }
  }

  async #metadata<T>(signal: AbortSignal, find: (run: QueryRun) => Promise<T>): Promise<T> {
    const run = this.#newRun(signal)
    try {
      return await find(run)
    } finally {
      run.finish()
    }
  }

  #newRun(signal: AbortSignal): QueryRun {
    const { pool, budget, clock, jobSizes = jobSizesDefault } = this.#options
    return new QueryRun({ pool, budget, clock, jobSizes, cache: this.#cache, buffers: this.#buffers, signal })
  }

  async #logs(run: QueryRun, { selection }: LogPlan, query: Parsed<RangeQuery>): Promise<QueryData> {
    const { tenant, startNs, endNs, limit, direction, intervalNs } = query
    const view = await takeView(run, this.#options.ingesters, tenant, { startNs, endNs })
    run.stats.blocksTotal = view.reduce((sum, { blocks }) => sum + blocks.length, 0)
    const find = (range: TimeRange, rowLimit: number): Promise<readonly FoundRow[]> =>
      runRows(run, view, { text: query.query, selection, range, limit: rowLimit, direction })
    if (intervalNs === 0n) return resultStreams(await find({ startNs, endNs }, limit))
    return resultStreams(await findThinned(find, query))
  }

  async #series(
    run: QueryRun,
    plan: Exclude<Plan, LogPlan>,
    { tenant, query }: { readonly tenant: string; readonly query: string },
    steps: Steps,
  ): Promise<readonly Series[]> {
    if (plan.kind === 'scalar') return [constantSeries(noLabels, steps.stepCount, plan.value)]
    const view = await takeView(run, this.#options.ingesters, tenant, rangeOfLeaves(plan, steps))
    run.stats.blocksTotal = view.reduce((sum, { blocks }) => sum + blocks.length, 0)
    const sets = []
    for (const [position, leaf] of plan.leaves.entries()) {
      sets.push(await runLeaf(run, view, { text: query, position, leaf, steps }))
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

/**
 * Rows at least `intervalNs` apart. Which rows those are depends on all rows before, so they are fetched piece by piece, each piece
 * beginning where the next row may be.
 */
async function findThinned(
  find: (range: TimeRange, limit: number) => Promise<readonly FoundRow[]>,
  { startNs, endNs, limit, direction, intervalNs }: RangeQuery,
): Promise<readonly FoundRow[]> {
  const batch = Math.max(limit, MIN_THINNED_BATCH)
  const kept: FoundRow[] = []
  let range: TimeRange = { startNs, endNs }
  while (kept.length < limit && range.startNs < range.endNs) {
    const rows = await find(range, batch)
    const previous = kept.at(-1)
    const lastNs = previous === undefined ? undefined : rowTimeNs(previous)
    kept.push(...thinRows(rows, { intervalNs, direction, lastNs }))
    const last = kept.at(-1)
    if (rows.length < batch || last === undefined) break
    const ns = rowTimeNs(last)
    range =
      direction === 'forward'
        ? { startNs: ns + intervalNs, endNs: range.endNs }
        : { startNs: range.startNs, endNs: ns - intervalNs + 1n }
  }
  return kept.slice(0, limit)
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

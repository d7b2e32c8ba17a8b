/**
 * The first station of a query: parses it, checks it against the tenant's limits, clamps and aligns its times, waits for a
 * turn in the fair queue, and runs it on the querier within its deadline.
 */
import { LimitExceeded, TimedOut } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Limits, LimitsOf } from '#/logs/limits.ts'
import { parseExpr, type Query } from '#/logs/logql/parser/parse-expr.ts'
import { emptyStats } from '#/logs/read/querier/query-run.ts'
import type { Querier } from '#/logs/read/querier/querier.ts'
import type {
  IndexStats,
  InstantQuery,
  MetadataQuery,
  QueryAnswer,
  QueryFrontend,
  RangeQuery,
} from '#/logs/wire/query.ts'
import type { FairQueue } from '#/platform/queue/fair-queue.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { alignToStep } from './align.ts'
import { checkBlocked, queryType } from './blocked-queries.ts'
import { checkEntries, checkExpr, checkLength, clampToLookback } from './check-limits.ts'

export type FrontendDeps = {
  readonly querier: Querier
  readonly queue: FairQueue
  readonly limitsOf: LimitsOf
  readonly clock: Clock
}

const timeoutText =
  'request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex match) to reduce the amount of data processed'
/** Metadata answers come from indexes: all cost about the same, and less than any scan. */
const METADATA_WEIGHT = 1

export class Frontend implements QueryFrontend {
  readonly #deps: FrontendDeps

  constructor(deps: FrontendDeps) {
    this.#deps = deps
  }

  async range(query: RangeQuery, signal: AbortSignal): Promise<QueryAnswer> {
    const limits = this.#deps.limitsOf(query.tenant)
    const expr = this.#parse(query.query, limits)
    if (expr.kind === 'log') checkEntries(query.limit, limits)
    if (!selects(expr)) return this.#run(query.tenant, 1, signal, limits, (s) => this.#range(query, expr, limits, s))
    const clamped = clampToLookback(query, limits, this.#deps.clock.nowNs())
    if (clamped === undefined) return emptyAnswer(query, expr)
    checkLength(clamped, limits)
    const weight = Number((clamped.endNs - clamped.startNs) / 1_000_000_000n)
    return this.#run(query.tenant, weight, signal, limits, (s) => this.#range(clamped, expr, limits, s))
  }

  #range(query: RangeQuery, expr: Query, limits: Limits, signal: AbortSignal): Promise<QueryAnswer> {
    const aligned = expr.kind === 'log' ? query : alignToStep(query)
    return this.#deps.querier.range({ ...aligned, expr, maxSeries: limits.max_query_series }, signal)
  }

  async instant(query: InstantQuery, signal: AbortSignal): Promise<QueryAnswer> {
    const limits = this.#deps.limitsOf(query.tenant)
    const expr = this.#parse(query.query, limits)
    const run = (s: AbortSignal): Promise<QueryAnswer> =>
      this.#deps.querier.instant({ ...query, expr, maxSeries: limits.max_query_series }, s)
    return this.#run(query.tenant, 1, signal, limits, run)
  }

  #parse(text: string, limits: Limits): Query {
    const expr = parseExpr(text)
    checkBlocked(text, queryType(expr), limits)
    checkExpr(expr, limits)
    return expr
  }

  labelNames(query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]> {
    return this.#metadata(query, signal, [], (q, s) => this.#deps.querier.labelNames(q, s))
  }

  labelValues(name: string, query: MetadataQuery, signal: AbortSignal): Promise<readonly string[]> {
    return this.#metadata(query, signal, [], (q, s) => this.#deps.querier.labelValues(name, q, s))
  }

  series(query: MetadataQuery, signal: AbortSignal): Promise<readonly Labels[]> {
    return this.#metadata(query, signal, [], (q, s) => this.#deps.querier.series(q, s))
  }

  indexStats(query: MetadataQuery, signal: AbortSignal): Promise<IndexStats> {
    const none = { streams: 0, chunks: 0, bytes: 0, entries: 0 }
    return this.#metadata(query, signal, none, (q, s) => this.#deps.querier.indexStats(q, s))
  }

  async #metadata<T>(
    query: MetadataQuery,
    signal: AbortSignal,
    empty: T,
    find: (query: MetadataQuery, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limits = this.#deps.limitsOf(query.tenant)
    const clamped = clampToLookback(query, limits, this.#deps.clock.nowNs())
    if (clamped === undefined) return empty
    checkLength(clamped, limits)
    return this.#run(query.tenant, METADATA_WEIGHT, signal, limits, (s) => find(clamped, s))
  }

  /** Waits for a turn and runs, both within the tenant's `query_timeout`. */
  async #run<T>(
    tenant: string,
    weight: number,
    signal: AbortSignal,
    limits: Limits,
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { queue, clock } = this.#deps
    if (limits.max_query_parallelism === 0) {
      throw new LimitExceeded('querying is disabled, please contact your Loki operator')
    }
    const deadline = new AbortController()
    const done = new AbortController()
    if (limits.query_timeout > 0) {
      clock.sleep(limits.query_timeout, done.signal).then(
        () => deadline.abort(new TimedOut(timeoutText)),
        () => undefined,
      )
    }
    const both = AbortSignal.any([signal, deadline.signal])
    const waitedFrom = clock.monotonicMs()
    try {
      return await queue.enqueue(
        tenant,
        weight,
        async () => {
          const queueSeconds = (clock.monotonicMs() - waitedFrom) / 1000
          const answer = await run(both)
          if (isAnswer(answer)) answer.stats.queueSeconds = queueSeconds
          return answer
        },
        both,
      )
    } finally {
      done.abort()
    }
  }
}

function isAnswer(value: unknown): value is QueryAnswer {
  return typeof value === 'object' && value !== null && 'stats' in value && 'data' in value
}

/** Whether the query reads any stream; limits on times do not apply to `vector(1)`. */
function selects(expr: Query): boolean {
  switch (expr.kind) {
    case 'log':
    case 'range_aggregation':
      return true
    case 'vector_aggregation':
    case 'label_replace':
      return selects(expr.expr)
    case 'binary':
      return selects(expr.left) || selects(expr.right)
    case 'number':
    case 'vector':
      return false
  }
}

/** The answer to a range that lies wholly behind the lookback. */
function emptyAnswer({ startNs, stepNs }: RangeQuery, expr: Query): QueryAnswer {
  const data: QueryAnswer['data'] =
    expr.kind === 'log'
      ? { kind: 'streams', streams: [], categorized: [] }
      : { kind: 'matrix', startNs, stepNs, series: [] }
  return { data, stats: emptyStats(), warnings: [] }
}

/**
 * The first station of a query: parses it, checks it against the tenant's limits, clamps and aligns its times, waits for a
 * turn in the fair queue, and runs it on the querier within its deadline.
 */
import { BadRequest, LimitExceeded, NotFound, TimedOut } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Limits, LimitsOf } from '#/logs/limits.ts'
import { printExpr } from '#/logs/logql/format/print.ts'
import { parseExpr, type LogQuery, type Query } from '#/logs/logql/parser/parse-expr.ts'
import { canonicalText } from '#/logs/read/cache/fragment-key.ts'
import { emptyStats } from '#/logs/read/querier/query-run.ts'
import type { Querier } from '#/logs/read/querier/querier.ts'
import type { ExplainQuery, Explanation } from '#/logs/wire/explain.ts'
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
import type { InstantQuery, MetadataQuery, QueryAnswer, QueryFrontend, RangeQuery } from '#/logs/wire/query.ts'
import type { SendEvent, StreamedQuery } from '#/logs/wire/query-stream.ts'
import type { FairQueue } from '#/platform/queue/fair-queue.ts'
import { tenantsOf } from '#/platform/tenant/tenant-id.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { alignToStep } from './align.ts'
import { checkBlocked, queryType } from './blocked-queries.ts'
import { checkEntries, checkExpr, checkLength, clampToLookback } from './check-limits.ts'
import { SharedRuns } from './shared-runs.ts'
import { limitsOfTenants } from './tenant-limits.ts'

export type FrontendDeps = {
  readonly querier: Querier
  readonly queue: FairQueue
  readonly limitsOf: LimitsOf
  readonly clock: Clock
  /** Rises when what delete requests hide from a tenant changes: queries before and behind that do not share an answer. */
  readonly generation?: (tenant: string) => number
  /** Told of each query that is answered by the run of another one. */
  readonly onShared?: () => void
}

const timeoutText =
  'request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex match) to reduce the amount of data processed'
/** Metadata answers come from indexes: all cost about the same, and less than any scan. */
const METADATA_WEIGHT = 1

export class Frontend implements QueryFrontend {
  readonly #deps: FrontendDeps
  readonly #shared: SharedRuns

  constructor(deps: FrontendDeps) {
    this.#deps = deps
    this.#shared = new SharedRuns(deps)
  }

  #limitsOf(tenant: string): Limits {
    return limitsOfTenants(tenant, this.#deps.limitsOf)
  }

  async range(query: RangeQuery, signal: AbortSignal): Promise<QueryAnswer> {
    const limits = this.#limitsOf(query.tenant)
    const expr = this.#parse(query.query, limits)
    if (expr.kind === 'log') checkEntries(query.limit, limits)
    return this.#share(['range', query, expr, limits], signal, (s, began) => this.#range(query, expr, limits, s, began))
  }

  async #range(
    query: RangeQuery,
    expr: Query,
    limits: Limits,
    signal: AbortSignal,
    began: () => void,
  ): Promise<QueryAnswer> {
    const run = (ready: RangeQuery, weight: number): Promise<QueryAnswer> =>
      this.#run(query.tenant, weight, signal, limits, (s) => {
        began()
        const aligned = expr.kind === 'log' ? ready : alignToStep(ready)
        return this.#deps.querier.range({ ...aligned, expr, maxSeries: limits.max_query_series }, s)
      })
    if (!selects(expr)) return run(query, 1)
    const clamped = clampToLookback(query, limits, this.#deps.clock.nowNs())
    if (clamped === undefined) return emptyAnswer(query, expr)
    checkLength(clamped, limits)
    return run(clamped, Number((clamped.endNs - clamped.startNs) / 1_000_000_000n))
  }

  /** Runs a query, or waits for one that asks the same and runs already. */
  #share(
    [kind, query, expr, limits]: readonly ['range' | 'instant', RangeQuery | InstantQuery, Query, Limits],
    signal: AbortSignal,
    run: (signal: AbortSignal, began: () => void) => Promise<QueryAnswer>,
  ): Promise<QueryAnswer> {
    if (query.noCache) return run(signal, () => undefined)
    const asked = { ...query, query: printExpr(expr) }
    const { generation = () => 0 } = this.#deps
    const hidden = tenantsOf(query.tenant).map(generation)
    return this.#shared.run(canonicalText([kind, asked, limits.max_query_series, hidden]), signal, run)
  }

  async instant(query: InstantQuery, signal: AbortSignal): Promise<QueryAnswer> {
    const limits = this.#limitsOf(query.tenant)
    const expr = this.#parse(query.query, limits)
    return this.#share(['instant', query, expr, limits], signal, (shared, began) =>
      this.#run(query.tenant, 1, shared, limits, (s) => {
        began()
        return this.#deps.querier.instant({ ...query, expr, maxSeries: limits.max_query_series }, s)
      }),
    )
  }

  /**
   * A single answer is bounded by its entries; one that comes in pieces holds but a few of them at a time, so that all may be asked
   * for, and pages of any size. A plain `limit` means the same as in a single answer.
   */
  async stream(query: StreamedQuery, send: SendEvent, signal: AbortSignal): Promise<void> {
    const limits = this.#limitsOf(query.tenant)
    const parsed = { expr: this.#parse(query.query, limits), maxSeries: limits.max_query_series }
    if (parsed.expr.kind === 'log' && isPlainLimit(query)) checkEntries(query.limit, limits)
    const { querier, clock } = this.#deps
    const run = (ready: StreamedQuery, weight: number): Promise<void> =>
      this.#run(query.tenant, weight, signal, limits, (s, queueSeconds) =>
        querier.stream({ ...ready, ...parsed }, withQueueTime(send, queueSeconds), s),
      )
    if (query.kind === 'instant') return run(query, 1)
    if (!selects(parsed.expr)) return run(alignToStep(query), 1)
    const clamped = clampToLookback(query, limits, clock.nowNs())
    if (clamped === undefined) return sendAnswer(emptyAnswer(query, parsed.expr), send)
    checkLength(clamped, limits)
    const weight = Number((clamped.endNs - clamped.startNs) / 1_000_000_000n)
    return run(parsed.expr.kind === 'log' ? clamped : alignToStep(clamped), weight)
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

  async volume(query: VolumeQuery, signal: AbortSignal): Promise<VolumeAnswer> {
    const { volume_enabled: isEnabled, volume_max_series: maxSeries } = this.#limitsOf(query.tenant)
    if (!isEnabled) throw new NotFound('not found')
    const none = { volumes: [], bucketEndsNs: [], stats: emptyStats() }
    return this.#metadata(query, signal, none, (q, s) => this.#deps.querier.volume({ ...q, maxSeries }, s))
  }

  shards(query: ShardsQuery, signal: AbortSignal): Promise<ShardsAnswer> {
    const none = { shards: [], stats: emptyStats() }
    return this.#metadata(query, signal, none, (q, s) => this.#deps.querier.shards(q, s))
  }

  async patterns(query: PatternsQuery, signal: AbortSignal): Promise<readonly Pattern[] | undefined> {
    if (!this.#limitsOf(query.tenant).pattern_mining) return undefined
    return this.#metadata(query, signal, [], (q, s) => this.#deps.querier.patterns(q, s))
  }

  detectedLabels(query: MetadataQuery, signal: AbortSignal): Promise<readonly DetectedLabel[]> {
    return this.#metadata(query, signal, [], (q, s) => this.#deps.querier.detectedLabels(q, s))
  }

  detectedFields(query: DetectedFieldsQuery, signal: AbortSignal): Promise<readonly DetectedField[]> {
    return this.#fields(query, signal, (q, s) => this.#deps.querier.detectedFields(q, s))
  }

  detectedFieldValues(name: string, query: DetectedFieldsQuery, signal: AbortSignal): Promise<readonly string[]> {
    return this.#fields(query, signal, (q, s) => this.#deps.querier.detectedFieldValues(name, q, s))
  }

  /** Fields are looked for in the entries of a log query, which has the limits of one. */
  async #fields<T>(
    query: DetectedFieldsQuery,
    signal: AbortSignal,
    find: (query: DetectedFieldsQuery & { readonly expr: LogQuery }, signal: AbortSignal) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const limits = this.#limitsOf(query.tenant)
    const expr = this.#parse(query.query, limits)
    if (expr.kind !== 'log') throw new BadRequest('only log selector is supported')
    checkEntries(query.lineLimit, limits)
    const clamped = clampToLookback(query, limits, this.#deps.clock.nowNs())
    if (clamped === undefined) return []
    checkLength(clamped, limits)
    const weight = Number((clamped.endNs - clamped.startNs) / 1_000_000_000n)
    return this.#run(query.tenant, weight, signal, limits, (s) => find({ ...clamped, expr }, s))
  }

  async explain(query: ExplainQuery, signal: AbortSignal): Promise<Explanation> {
    const limits = this.#limitsOf(query.tenant)
    const expr = this.#parse(query.query, limits)
    const clamped = selects(expr) ? clampToLookback(query, limits, this.#deps.clock.nowNs()) : query
    // what lies wholly behind the lookback is answered without looking at anything
    const range = clamped ?? { ...query, startNs: query.endNs }
    if (selects(expr)) checkLength(range, limits)
    const aligned = expr.kind === 'log' || query.isInstant ? range : alignToStep(range)
    return this.#run(query.tenant, METADATA_WEIGHT, signal, limits, (s) =>
      this.#deps.querier.explain({ ...aligned, expr }, s),
    )
  }

  async #metadata<Q extends MetadataQuery, T>(
    query: Q,
    signal: AbortSignal,
    empty: T,
    find: (query: Q, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const limits = this.#limitsOf(query.tenant)
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
    run: (signal: AbortSignal, queueSeconds: number) => Promise<T>,
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
          const answer = await run(both, queueSeconds)
          if (hasStats(answer)) answer.stats.queueSeconds = queueSeconds
          return answer
        },
        both,
      )
    } finally {
      done.abort()
    }
  }
}

function hasStats(value: unknown): value is Pick<QueryAnswer, 'stats'> {
  return typeof value === 'object' && value !== null && 'stats' in value
}

function withQueueTime(send: SendEvent, queueSeconds: number): SendEvent {
  return (event) => send(event.kind === 'end' ? { ...event, stats: { ...event.stats, queueSeconds } } : event)
}

/** Sends an answer that is known already. */
async function sendAnswer({ data, stats, warnings }: QueryAnswer, send: SendEvent): Promise<void> {
  if (data.kind !== 'streams') await send({ kind: 'result', data })
  await send({ kind: 'end', stats, warnings, next: undefined })
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

function isPlainLimit(query: StreamedQuery): boolean {
  return query.kind === 'range' && query.paging === undefined && query.limit !== Infinity
}

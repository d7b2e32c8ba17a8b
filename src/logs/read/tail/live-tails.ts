/**
 * All live tails of the process, and the time that they may take of its main thread: pieces of a few milliseconds, with room for
 * pushes and queries after each.
 */
import { BadRequest, EddaError } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Limits, LimitsOf } from '#/logs/limits.ts'
import { membershipsOf } from '#/logs/logql/ast/memberships.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import { splitTail } from '#/logs/logql/planner/split-tail.ts'
import { checkEntries, checkExpr } from '#/logs/read/frontend/check-limits.ts'
import type { HiddenRowsReader } from '#/logs/wire/deletes.ts'
import { type Tail, TailEnded, type TailQuery, type Tails, type TailSource } from '#/logs/wire/tail.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { LiveQuery } from './live-query.ts'
import { LiveTail } from './live-tail.ts'
import { TailMemory } from './tail-memory.ts'
import { TenantFeed } from './tenant-feed.ts'

export type LiveTailsOptions = {
  readonly source: TailSource
  readonly deletes: HiddenRowsReader
  readonly frontend: Pick<QueryFrontend, 'range'>
  readonly limitsOf: LimitsOf
  readonly budget: MemoryBudget
  readonly clock: Clock
  readonly logger: Logger
  /** A tail ends after so long. */
  readonly maxDurationMs: number
}

export type TailsStats = {
  readonly tails: number
  /** Streams that tails want. */
  readonly streams: number
  readonly bytes: number
  /** Of lines; as many as characters. */
  readonly sentBytes: number
  readonly droppedEntries: number
}

/** How long entries are gathered for a frame. */
const DELIVERY_MS = 50
/** The longest piece of work, as far as entries and streams are small. */
const SLICE_MS = 4
/** Readers that are woken between two chances for others: each makes and sends a frame. */
const READERS_PER_TURN = 8
/** Most tails of all tenants together. */
const MAX_TAILS = 10_000
/** Part of the memory budget for entries that wait for readers. */
const MEMORY_SHARE = 0.125

export class LiveTails implements Tails {
  readonly #options: LiveTailsOptions
  readonly #memory: TailMemory
  readonly #feeds = new Map<string, TenantFeed>()
  readonly #tails = new Set<LiveTail>()
  #stopTicks: (() => void) | undefined
  #isWorking = false
  #isDelivering = false
  #droppedEntries = 0
  #sentBytes = 0

  constructor(options: LiveTailsOptions) {
    const { budget, clock } = options
    this.#options = options
    this.#memory = new TailMemory(budget, Math.floor(budget.limitBytes * MEMORY_SHARE), clock)
  }

  get stats(): TailsStats {
    return {
      tails: this.#tails.size,
      streams: [...this.#feeds.values()].reduce((sum, { wantedStreams }) => sum + wantedStreams, 0),
      bytes: this.#memory.usedBytes,
      sentBytes: this.#sentBytes,
      droppedEntries: this.#droppedEntries,
    }
  }

  open(query: TailQuery): Tail {
    const { limitsOf, clock, frontend, maxDurationMs } = this.#options
    const limits = limitsOf(query.tenant)
    const selection = tailable(query, limits)
    this.#checkCount(query.tenant, limits)
    // made before anything is registered: it may refuse the query
    const made = new LiveQuery(query.query, selection)
    const feed = this.#feeds.getOrInsertComputed(query.tenant, () => this.#newFeed(query.tenant))
    const tail = new LiveTail({
      query,
      live: feed.query(query.query, () => made),
      feed,
      memory: this.#memory,
      frontend,
      clock,
      limits,
      maxDurationMs,
      onDropped: () => this.#droppedEntries++,
      onSent: (characters) => void (this.#sentBytes += characters),
      onEnd: () => this.#forget(tail),
    })
    this.#tails.add(tail)
    this.#stopTicks ??= clock.every(DELIVERY_MS, () => this.#tick())
    return tail
  }

  #checkCount(tenant: string, { max_concurrent_tail_requests: most }: Limits): void {
    let count = 1
    for (const tail of this.#tails) if (tail.tenant === tenant) count++
    if (most > 0 && count > most) {
      throw new TailEnded(`max concurrent tail requests limit exceeded, count > limit (${count} > ${most})`)
    }
    if (this.#tails.size >= MAX_TAILS) {
      throw new TailEnded(`the process has ${this.#tails.size} live tails, its limit is ${MAX_TAILS}`)
    }
  }

  #newFeed(tenant: string): TenantFeed {
    const { source, deletes, clock } = this.#options
    return new TenantFeed({
      tenant,
      source,
      deletes,
      memory: this.#memory,
      nowNs: () => clock.nowNs(),
      onWork: () => void this.#work(),
      onFailed: (query, error) => this.#fail(({ live }) => live === query, error),
    })
  }

  #forget(tail: LiveTail): void {
    if (!this.#tails.delete(tail)) return
    const { live, feed, tenant } = tail
    if (live.sessions.size === 0) feed.remove(live)
    if (feed.isEmpty) {
      feed.close()
      this.#feeds.delete(tenant)
    }
    if (this.#tails.size > 0) return
    this.#stopTicks?.()
    this.#stopTicks = undefined
  }

  /** Ends tails whose work failed; the others go on. */
  #fail(isAffected: (tail: LiveTail) => boolean, error: unknown): void {
    const affected = [...this.#tails].filter(isAffected)
    if (!(error instanceof EddaError)) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      const [query] = affected.map(({ live }) => live.text)
      this.#options.logger.error('live tails failed unexpectedly', { query, err: message, stack })
    }
    const reason = error instanceof EddaError ? error.message : 'internal error'
    for (const tail of affected) tail.end(new TailEnded(reason, { cause: error }))
  }

  /** Looks at what was pushed, tenant by tenant, until nothing is left. */
  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    const { clock } = this.#options
    try {
      for (;;) {
        // not in the step of the push that brought it
        await clock.sleep(0)
        const feeds = [...this.#feeds.values()].filter(({ hasWork }) => hasWork)
        if (feeds.length === 0) return
        const share = SLICE_MS / feeds.length
        for (const feed of feeds) {
          const untilMs = clock.monotonicMs() + share
          try {
            feed.run(() => clock.monotonicMs() < untilMs)
          } catch (error) {
            this.#fail((tail) => tail.feed === feed, error)
          }
        }
      }
    } finally {
      this.#isWorking = false
    }
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const tail of this.#tails) tail.checkDuration(nowMs)
    if (!this.#isDelivering) void this.#deliver()
  }

  async #deliver(): Promise<void> {
    this.#isDelivering = true
    let woken = 0
    for (const tail of this.#tails) {
      if (tail.deliver() && ++woken % READERS_PER_TURN === 0) await this.#options.clock.sleep(0)
    }
    this.#isDelivering = false
  }

  stop(): void {
    for (const tail of this.#tails) tail.end(new TailEnded('all ingesters closed the connection'))
  }
}

/** What of a query can be tailed. @throws BadRequest, or TailEnded for a metric query. */
function tailable({ query, limit }: TailQuery, limits: Limits): Selection {
  const expr = parseExpr(query)
  if (expr.kind !== 'log') throw new TailEnded('only log selector is supported')
  checkExpr(expr, limits)
  checkEntries(limit, limits)
  const whole = expr.stages.find(({ kind }) => kind === 'distinct' || kind === 'sort' || kind === 'limit')
  if (whole !== undefined) throw new BadRequest(`${whole.kind} looks at all entries together, a tail has no last one`)
  if (expr.stages.some(hasSubquery)) throw new BadRequest('a query behind in is not supported in a tail')
  return { matchers: expr.matchers, stages: splitTail(expr.stages).rowStages, needed: 'all' }
}

function hasSubquery(stage: StageNode): boolean {
  return stage.kind === 'label_filter' && membershipsOf(stage.filter).length > 0
}

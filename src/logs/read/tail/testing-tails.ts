/** Live tails over a store of plain values, for tests: what is pushed is visible and told at once. */
import { BadRequest } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import { limits, type Limits } from '#/logs/limits.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import { emptyStats } from '#/logs/read/querier/query-run.ts'
import { type HiddenRowsReader, nothingHidden } from '#/logs/wire/deletes.ts'
import { buildEntryBatch, type PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { QueryAnswer, RangeQuery, ResultStream } from '#/logs/wire/query.ts'
import type { OnEntries, TailSource } from '#/logs/wire/tail.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { LiveTails } from './live-tails.ts'

/** A clock that stands still until it is told to go on. Its timers are real, and wake what then looks at the clock. */
export class HeldClock implements Clock {
  readonly #real = realWorld().clock
  readonly #startNs = this.#real.nowNs()
  #passedMs = 0

  pass(ms: number): void {
    this.#passedMs += ms
  }

  nowNs(): bigint {
    return this.#startNs + BigInt(this.#passedMs) * 1_000_000n
  }

  nowMs(): number {
    return Number(this.nowNs() / 1_000_000n)
  }

  monotonicMs(): number {
    return this.#passedMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#real.sleep(ms, signal)
  }

  every(ms: number, tick: () => void): () => void {
    return this.#real.every(ms, tick)
  }
}

export class TestStore implements TailSource {
  readonly entries: PlainEntry[] = []
  readonly asked: RangeQuery[] = []
  /** Queries that were answered. */
  answered = 0
  readonly #followers = new Set<OnEntries>()
  /** Passed before a query takes its view, and between the view and the answer. */
  beforeView: () => Promise<void> = () => Promise.resolve()
  beforeAnswer: () => Promise<void> = () => Promise.resolve()

  get followerCount(): number {
    return this.#followers.size
  }

  push(...entries: readonly PlainEntry[]): void {
    this.entries.push(...entries)
    this.tell(buildEntryBatch(entries))
  }

  tell(batch: EntryBatch): void {
    for (const onEntries of this.#followers) onEntries(batch)
  }

  follow(_tenant: string, onEntries: OnEntries): () => void {
    this.#followers.add(onEntries)
    return () => void this.#followers.delete(onEntries)
  }

  /** The newest entries of all streams in the range; of the query only `|= "x"` at its end counts. */
  async range(query: RangeQuery): Promise<QueryAnswer> {
    this.asked.push(query)
    await this.beforeView()
    const needle = /\|= "(\w+)"$/.exec(query.query)?.[1] ?? ''
    const found = this.entries
      .filter(({ timeNs, line }) => timeNs >= query.startNs && timeNs < query.endNs && String(line).includes(needle))
      .toSorted((a, b) => (a.timeNs < b.timeNs ? 1 : a.timeNs > b.timeNs ? -1 : 0))
      .slice(0, query.limit)
    await this.beforeAnswer()
    const groups = Map.groupBy(found, ({ stream }) => stream)
    const streams = [...groups].map(([text, entries]): ResultStream => ({
      labels: parseLabels(text),
      entries: entries.map(({ timeNs, line, metadata = {} }) => ({
        timeNs,
        line: Buffer.from(line),
        structuredMetadata: Object.entries(metadata),
        parsed: [],
      })),
    }))
    this.answered++
    return { data: { kind: 'streams', streams, categorized: streams }, stats: emptyStats(), warnings: [] }
  }
}

export type TestTails = {
  readonly store: TestStore
  readonly tails: LiveTails
  readonly budget: MemoryBudget
  readonly problems: string[]
}

export type TestTailsOptions = {
  readonly clock?: Clock
  readonly limits?: Partial<Limits>
  readonly budgetBytes?: number
  readonly maxDurationMs?: number
  readonly deletes?: HiddenRowsReader
}

export function testTails(options: TestTailsOptions = {}): TestTails {
  const store = new TestStore()
  const budget = new MemoryBudget(options.budgetBytes ?? 64 * 1024 * 1024)
  const problems: string[] = []
  const note = (message: string): void => void problems.push(message)
  const logger: Logger = { debug: note, info: note, warn: note, error: note, with: () => logger }
  const ofTenant: Limits = { ...defaultsOf(limits), ...options.limits }
  const tails = new LiveTails({
    source: store,
    frontend: store,
    deletes: options.deletes ?? nothingHidden,
    limitsOf: () => ofTenant,
    budget,
    clock: options.clock ?? realWorld().clock,
    logger,
    maxDurationMs: options.maxDurationMs ?? 3_600_000,
  })
  return { store, tails, budget, problems }
}

/** A history that fails. */
export function failing(store: TestStore): void {
  store.beforeView = () => Promise.reject(new BadRequest('query blocked by policy'))
}

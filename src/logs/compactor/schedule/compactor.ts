/**
 * Merges what is due, one merge at a time, for all tenants in turn: every `intervalMs`, and when somebody asks for it. Behind each round
 * objects that no query reads any more are deleted.
 *
 * A merge that fails leaves its inputs as they are. They are left alone until the next round but one, and longer each time; one that
 * finds no room in memory is tried with half of its inputs.
 */
import { chooseMerge, type MergeChoice, type MergePolicy } from './choose-merge.ts'
import type { CompactorStatus, CompactionRun, FailedMerge } from '#/logs/wire/compaction.ts'
import { CompactorCounts } from './compactor-counts.ts'
import type { Leases } from './lease.ts'
import { Corruption, LimitExceeded, throwIfAborted } from '#/kernel/errors.ts'
import type { EraseOrder, Erasures } from '#/logs/compactor/merge/erase.ts'
import { mergeBlocks, type MergeNeeds, type MergeResult } from '#/logs/compactor/merge/merge-blocks.ts'
import { Sweeper } from '#/logs/compactor/merge/sweep.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'

export type CompactorSettings = MergePolicy & {
  readonly intervalMs: number
  /** Longer than a query may take. */
  readonly deleteDelayMs: number
}

export type CompactorNeeds = Omit<MergeNeeds, 'catalog'> & {
  readonly catalog: Catalog
  readonly leases: Leases
  readonly logger: Logger
  readonly limitsOf: (tenant: string) => Pick<ReturnType<LimitsOf>, 'pattern_mining'>
  readonly erasures?: Erasures | undefined
}

const FIRST_PAUSE_MS = 60_000
const LONGEST_PAUSE_MS = 6 * 3_600_000

/** A block whose merges fail. */
type Failing = { failures: number; retryAtMs: number }

export class Compactor {
  readonly counts = new CompactorCounts()
  readonly #settings: CompactorSettings
  readonly #needs: CompactorNeeds
  readonly #sweeper: Sweeper
  readonly #failing = new Map<string, Failing>()
  /** Outputs of the round that runs. */
  readonly #written = new Set<string>()
  readonly #stopping = new AbortController()
  /** Ends when the round that was begun last has ended. */
  #round: Promise<unknown> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()
  /** Rounds that were asked for and have not begun, by tenant ('': all): whoever asks for the same shares it. */
  readonly #asked = new Map<string, Promise<CompactionRun>>()

  constructor(settings: CompactorSettings, needs: CompactorNeeds) {
    this.#settings = settings
    this.#needs = needs
    const { store, catalog, world } = needs
    this.#sweeper = new Sweeper({ store, catalog, clock: world.clock, delayMs: settings.deleteDelayMs })
  }

  start(): void {
    this.#loop = this.#runForever()
  }

  /** Ends a merge in the middle; its inputs stay. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
    await this.#round.catch(() => undefined)
  }

  /** One round, of all tenants or of one, behind the one that runs. */
  runOnce(tenant?: string): Promise<CompactionRun> {
    const name = tenant ?? ''
    const asked = this.#asked.get(name)
    if (asked !== undefined) return asked
    const before = this.#round.catch(() => undefined)
    const round = before.then(() => {
      this.#asked.delete(name)
      return this.#runRound(tenant)
    })
    this.#asked.set(name, round)
    this.#round = round
    return round
  }

  /** Objects that wait to be deleted. */
  get buried(): number {
    return this.#sweeper.waiting
  }

  status(): CompactorStatus {
    const { catalog, world } = this.#needs
    const days = catalog.days().map(({ tenant, day, state }) => {
      const choice = this.#choose([...state.blocks.values()], world.clock.nowMs())
      return choice && { tenant, day, reason: choice.reason, blocks: choice.inputs.length, bytes: sumOf(choice.inputs) }
    })
    return {
      ...this.counts.status(),
      queue: days.filter((one) => one !== undefined),
      deletions: { waiting: this.#sweeper.waiting, done: this.#sweeper.deleted },
    }
  }

  async #runForever(): Promise<void> {
    const { signal } = this.#stopping
    const { clock } = this.#needs.world
    while (!signal.aborted) {
      await clock.sleep(this.#settings.intervalMs, signal).catch(() => undefined)
      if (signal.aborted) return
      await this.runOnce().catch((error: unknown) => {
        if (!signal.aborted) this.#needs.logger.error('a round of compaction failed', { error: textOf(error) })
      })
    }
  }

  async #runRound(only: string | undefined): Promise<CompactionRun> {
    const { catalog, world, leases } = this.#needs
    const { signal } = this.#stopping
    throwIfAborted(signal)
    this.#written.clear()
    const run = this.counts.beginRound(world.clock.nowMs())
    const startedMs = world.clock.monotonicMs()
    try {
      for (const tenant of catalog.tenants()) {
        if (only !== undefined && tenant !== only) continue
        if (!(await leases.acquire(tenant, signal))) continue
        for (const day of this.#daysOf(tenant)) await this.#mergeDay(tenant, day)
        await leases.release(tenant)
      }
      await this.#sweeper.sweep(signal)
      return this.counts.endRound(run, {
        nowMs: world.clock.nowMs(),
        tookMs: world.clock.monotonicMs() - startedMs,
        isDone: true,
      })
    } catch (error) {
      this.counts.endRound(run, {
        nowMs: world.clock.nowMs(),
        tookMs: world.clock.monotonicMs() - startedMs,
        isDone: false,
      })
      throw error
    }
  }

  #daysOf(tenant: string): number[] {
    const days = this.#needs.catalog.days().filter((one) => one.tenant === tenant)
    return days.map(({ day }) => day).sort((a, b) => a - b)
  }

  async #mergeDay(tenant: string, day: number): Promise<void> {
    const { catalog, world, leases } = this.#needs
    for (;;) {
      const choice = this.#choose(catalog.list(tenant, day, day), world.clock.nowMs())
      if (choice === undefined || !(await leases.acquire(tenant, this.#stopping.signal))) return
      await this.#tryMerge(choice)
    }
  }

  #choose(blocks: readonly BlockMeta[], nowMs: number): MergeChoice | undefined {
    const usable = blocks.filter(({ key }) => (this.#failing.get(key)?.retryAtMs ?? 0) <= nowMs)
    // what a round has written was erased from already
    const mustErase = (block: BlockMeta): boolean =>
      !this.#written.has(block.key) && (this.#needs.erasures?.ordersFor(block).length ?? 0) > 0
    return usable.length === 0 ? undefined : chooseMerge(usable, this.#settings, nowMs, mustErase)
  }

  /** Merges, or sees to it that the same is not chosen at once again. */
  async #tryMerge({ inputs, level, reason }: MergeChoice): Promise<void> {
    try {
      await this.#merge(inputs, level, reason)
      for (const { key } of inputs) this.#failing.delete(key)
    } catch (error) {
      throwIfAborted(this.#stopping.signal)
      if (error instanceof LimitExceeded && inputs.length > 2) {
        const half = inputs.slice(0, Math.max(2, inputs.length >> 1))
        return this.#tryMerge({ inputs: half, level, reason })
      }
      this.#leaveAlone(inputs, error)
    }
  }

  async #merge(inputs: readonly BlockMeta[], level: number, reason: MergeChoice['reason']): Promise<void> {
    const { erasures, limitsOf, logger, world } = this.#needs
    const { tenant, day } = inputs[0]!
    const orders = ordersOf(inputs, erasures)
    const work = this.counts.beginMerge({ tenant, day, reason, inputs, startedMs: world.clock.nowMs() })
    const startedMs = world.clock.monotonicMs()
    try {
      const { pattern_mining: minesPatterns } = limitsOf(tenant)
      const onVisible = (result: MergeResult): void =>
        orders.length === 0 ? undefined : erasures?.onErased({ tenant, day, orders, ...result })
      const onProgress = (progress: { readonly outputs: number; readonly planned: number }): void =>
        this.counts.progress(work, progress)
      const request = { inputs, level, orders, minesPatterns, onVisible, onProgress }
      const result = await mergeBlocks(this.#needs, request, this.#stopping.signal)
      for (const { key } of result.outputs) this.#written.add(key)
      this.counts.endMerge(work, result, world.clock.monotonicMs() - startedMs)
      const { outputs, duplicates } = result
      logger.info('merged blocks', { tenant, day, reason, inputs: inputs.length, outputs: outputs.length, duplicates })
    } catch (error) {
      this.counts.endMerge(work, undefined, world.clock.monotonicMs() - startedMs)
      throw error
    }
  }

  #leaveAlone(inputs: readonly BlockMeta[], error: unknown): void {
    const { logger, world } = this.#needs
    const { tenant, day } = inputs[0]!
    // of a damaged block we know that it is this one
    const damaged = error instanceof Corruption ? inputs.filter(({ key }) => key === error.file) : []
    const nowMs = world.clock.nowMs()
    for (const { key } of damaged.length > 0 ? damaged : inputs) {
      const failures = (this.#failing.get(key)?.failures ?? 0) + 1
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)
      this.#failing.set(key, { failures, retryAtMs: nowMs + pauseMs })
    }
    const failed: FailedMerge = { tenant, day, blocks: inputs.map(({ key }) => key), atMs: nowMs, error: textOf(error) }
    this.counts.failed(failed)
    logger.error('a merge failed, its blocks stay as they are', { tenant, day, error: failed.error })
  }
}

function ordersOf(inputs: readonly BlockMeta[], erasures: Erasures | undefined): readonly EraseOrder[] {
  if (erasures === undefined) return []
  const orders = new Map<string, EraseOrder>()
  for (const block of inputs) for (const order of erasures.ordersFor(block)) orders.set(order.id, order)
  return [...orders.values()]
}

function sumOf(blocks: readonly BlockMeta[]): number {
  return blocks.reduce((sum, { rawBytes }) => sum + rawBytes, 0)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * Merges what is due, one merge at a time, for all tenants in turn: every `intervalMs`, and when somebody asks for it. Behind each round
 * objects that no query reads any more are deleted.
 *
 * A merge begins only when the disk has room for its output, which lies beside its inputs until these are deleted; what needs no
 * room, the deleting, goes on. A merge that fails leaves its inputs as they are. They are left alone until the next round but one, and longer each time; one that
 * finds no room in memory is tried with half of its inputs.
 */
import { chooseErase, chooseMerge, type MergeChoice, type MergePolicy } from './choose-merge.ts'
import type { CompactorStatus, CompactionRun, FailedMerge } from '#/logs/wire/compaction.ts'
import { CompactorCounts } from './compactor-counts.ts'
import { FailingBlocks } from './failing-blocks.ts'
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
  /** Otherwise merges wait until somebody asks; what deletes and retention order is done. */
  readonly mergesByItself: boolean
}

export type CompactorNeeds = Omit<MergeNeeds, 'catalog'> & {
  readonly catalog: Catalog
  readonly leases: Leases
  readonly logger: Logger
  readonly limitsOf: (tenant: string) => Pick<ReturnType<LimitsOf>, 'pattern_mining'>
  readonly erasures?: Erasures | undefined
  /** Why so many bytes must not be written now; undefined when they may. */
  readonly refusalOf?: ((bytes: number) => Promise<Error | undefined>) | undefined
}

/** What a round is for. */
type RoundScope = {
  /** Undefined: of all tenants. */
  readonly tenant: string | undefined
  /** Or only erases. */
  readonly merges: boolean
  /** Also what could wait for a merge that takes its block anyway. */
  readonly erasesAll: boolean
}

export class Compactor {
  readonly counts = new CompactorCounts()
  readonly #settings: CompactorSettings
  readonly #needs: CompactorNeeds
  readonly #sweeper: Sweeper
  readonly #failing = new FailingBlocks()
  /** Outputs of the round that runs. */
  readonly #written = new Set<string>()
  /** Whether a merge found no room in this round, or the one before. */
  #isShort = false
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

  /** One round that somebody asks for, of all tenants or of one, behind the one that runs: what is ordered is erased, too. */
  runOnce(tenant?: string): Promise<CompactionRun> {
    const name = tenant ?? ''
    const asked = this.#asked.get(name)
    if (asked !== undefined) return asked
    const round = this.#behindLast(() => {
      this.#asked.delete(name)
      return this.#runRound({ tenant, merges: true, erasesAll: true })
    })
    this.#asked.set(name, round)
    return round
  }

  #behindLast(run: () => Promise<CompactionRun>): Promise<CompactionRun> {
    const round = this.#round.catch(() => undefined).then(run)
    this.#round = round
    return round
  }

  /** Of a round that nobody asks for. */
  get #ownScope(): RoundScope {
    return { tenant: undefined, merges: this.#settings.mergesByItself, erasesAll: false }
  }

  /** Objects that wait to be deleted. */
  get buried(): number {
    return this.#sweeper.waiting
  }

  status(): CompactorStatus {
    const days = this.#needs.catalog.days().map(({ tenant, day, state }) => {
      const choice = this.#choose([...state.blocks.values()], this.#ownScope)
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
      const round = this.#behindLast(() => this.#runRound(this.#ownScope))
      await round.catch((error: unknown) => {
        if (!signal.aborted) this.#needs.logger.error('a round of compaction failed', { error: textOf(error) })
      })
    }
  }

  async #runRound(scope: RoundScope): Promise<CompactionRun> {
    const { catalog, world, leases } = this.#needs
    const { signal } = this.#stopping
    throwIfAborted(signal)
    this.#written.clear()
    const run = this.counts.beginRound(world.clock.nowMs())
    const startedMs = world.clock.monotonicMs()
    try {
      for (const tenant of catalog.tenants()) {
        if (scope.tenant !== undefined && tenant !== scope.tenant) continue
        if (!(await leases.acquire(tenant, signal))) continue
        for (const day of this.#daysOf(tenant)) await this.#mergeDay(tenant, day, scope)
        await leases.release(tenant)
      }
      if (this.#isShort && this.counts.totals.postponed === run.before.postponed) {
        this.#isShort = false
        this.#needs.logger.info('the disk has room for merges again')
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

  async #mergeDay(tenant: string, day: number, scope: RoundScope): Promise<void> {
    const { catalog, leases } = this.#needs
    for (;;) {
      const choice = this.#choose(catalog.list(tenant, day, day), scope)
      if (choice === undefined || !(await leases.acquire(tenant, this.#stopping.signal))) return
      if (!(await this.#hasRoom(choice))) return
      await this.#tryMerge(choice)
    }
  }

  /** An output is not larger than its inputs. */
  async #hasRoom({ inputs }: MergeChoice): Promise<boolean> {
    const { refusalOf, logger } = this.#needs
    const bytes = inputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const refusal = await refusalOf?.(bytes)
    if (refusal === undefined) return true
    const { tenant, day } = inputs[0]!
    if (!this.#isShort) logger.warn('merges wait for room on the disk', { tenant, day, error: refusal.message })
    this.#isShort = true
    this.counts.postponed(refusal.message)
    return false
  }

  #choose(blocks: readonly BlockMeta[], { merges, erasesAll }: RoundScope): MergeChoice | undefined {
    const { erasures, world } = this.#needs
    const nowMs = world.clock.nowMs()
    const usable = blocks.filter((block) => !this.#failing.isLeftAlone(block, nowMs))
    // what a round has written was erased from already
    const mustErase = (block: BlockMeta): boolean =>
      erasures !== undefined &&
      !this.#written.has(block.key) &&
      erasures.ordersFor(block).length > 0 &&
      (erasesAll || erasures.cannotWait(block))
    return merges ? chooseMerge(usable, this.#settings, nowMs, mustErase) : chooseErase(usable, mustErase)
  }

  /** Merges, or sees to it that the same is not chosen at once again. */
  async #tryMerge({ inputs, level, reason }: MergeChoice): Promise<void> {
    try {
      await this.#merge(inputs, level, reason)
      this.#failing.merged(inputs)
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
    this.#failing.failed(damaged.length > 0 ? damaged : inputs, nowMs)
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

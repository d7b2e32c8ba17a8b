/**
 * Takes batches, makes them durable, shows them to queries, and writes them as blocks.
 *
 *     push → limits → WAL (group commit) → head, in the order of WAL records → acknowledged
 *     head → flush → block in the object store → catalog                            ./flusher.ts
 *
 * Invariants. An entry is in a head or in a visible block, never in both, from the moment of its acknowledgement on. Every
 * record of the WAL that a head was made of stays until the block is visible. `view` is one synchronous step.
 */
import { admit, checkLabels, type IngesterLimits } from './admit.ts'
import { Flusher, type FlushReason, type FlushStats } from './flusher.ts'
import { HeadMemory } from './head-memory.ts'
import type { BlockCatalog, BlockStore, BuildBlock } from './ports.ts'
import { lastFlushedSequence, Replay, type ReplayStats } from './replay.ts'
import { Followers } from './followers.ts'
import { TenantHeads } from './tenant-heads.ts'
import { assert } from '#/kernel/assert.ts'
import { type Corruption, throwIfAborted, Unavailable } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { Day } from '#/logs/model/day.ts'
import { compactInPlace, encodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { HeadView, IngesterControl, IngesterReader, IngesterWriter, PushOutcome } from '#/logs/wire/head-view.ts'
import type { OnEntries, TailSource } from '#/logs/wire/tail.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { Wal, type WalOptions, type WalStats } from '#/storage/wal/wal.ts'

export type IngesterOptions = {
  readonly world: World
  readonly log: Logger
  readonly store: BlockStore
  readonly catalog: BlockCatalog
  readonly buildBlock: BuildBlock
  readonly budget: MemoryBudget
  readonly limits: (tenant: string) => IngesterLimits
  readonly wal: Pick<
    WalOptions,
    'directory' | 'sync' | 'syncIntervalMs' | 'segmentBytes' | 'maxQueuedBytes' | 'reserveBytes'
  >
  /** Size of a tenant's heads, and age of their oldest entry, at which they are flushed. */
  readonly flushBytes: number
  readonly flushAgeMs: number
  readonly onCorruption?: (corruption: Corruption) => void
}

/** How often ages, idle streams and failed flushes are looked after. */
const SWEEP_INTERVAL_MS = 1000
const PURGE_INTERVAL_MS = 60_000

const noHeads = { heads: [], release: (): void => undefined }

export type TenantStats = {
  readonly tenant: string
  readonly memoryStreams: number
  readonly streamsCreated: number
  readonly streamsRemoved: number
  readonly headBytes: number
  readonly headRows: number
  readonly appendedRows: number
  readonly appendedBytes: number
  readonly duplicateRows: number
  readonly duplicateBytes: number
}

export type IngesterStats = {
  readonly tenants: readonly TenantStats[]
  readonly wal: WalStats
  readonly replay: ReplayStats
  readonly flush: FlushStats
  readonly headBytes: number
  readonly memoryRejections: number
}

export class Ingester implements IngesterWriter, IngesterReader, IngesterControl, TailSource {
  readonly #options: IngesterOptions
  readonly #wal: Wal
  readonly #flusher: Flusher
  readonly #memory: HeadMemory
  readonly #replay: Replay
  readonly #tenants = new Map<string, TenantHeads>()
  readonly #followers = new Followers()
  #state: 'starting' | 'running' | 'failed' | 'stopping' | 'stopped' = 'starting'
  #appliedSequence = 0
  #purgedMs = 0
  #stopSweep: (() => void) | undefined

  private constructor(options: IngesterOptions, wal: Wal) {
    const { world, log, store, catalog, buildBlock, budget } = options
    this.#options = options
    this.#wal = wal
    const { ingesterId } = wal
    const onDropped = (): Promise<void> => this.#release()
    this.#flusher = new Flusher({ world, log, store, catalog, buildBlock, ingesterId, onDropped })
    this.#memory = new HeadMemory(budget, () => this.#relieve())
    this.#replay = new Replay({ wal, catalog, clock: world.clock, log })
  }

  /** Opens the WAL, replays it, and begins to take pushes. */
  static async open(options: IngesterOptions): Promise<Ingester> {
    const { world, log, catalog, onCorruption } = options
    const wal = await Wal.open({ world, log, ...options.wal, ...(onCorruption && { onCorruption }) })
    const ingester = new Ingester(options, wal)
    await ingester.#recover(lastFlushedSequence(catalog, wal.ingesterId))
    return ingester
  }

  async #recover(flushedSequence: number): Promise<void> {
    await this.#replay.run(flushedSequence, async ({ tenant, batch, sequence, skips }) => {
      const heads = this.#headsOf(tenant)
      const nowMs = this.#nowMs()
      for (let position = 0; position < batch.streams.length; position++) {
        const hash = batch.streams.hashes[position]!
        if (heads.registry.find(hash) >= 0) continue
        checkLabels(batch.streams, position)
        heads.registry.add(hash, nowMs)
      }
      this.#apply(heads, batch, sequence, skips)
      if (heads.liveBytes >= this.#options.flushBytes) await this.#flushOrWait(heads, 'full')
      while (this.#memory.isCrowded) await this.#flushOrWait(this.#largest(), 'memory')
    })
    await this.#release()
    this.#state = 'running'
    this.#stopSweep = this.#options.world.clock.every(SWEEP_INTERVAL_MS, () => this.#sweep())
  }

  /** During replay nobody can be sent away: what does not fit is flushed before we go on, however long that takes. */
  async #flushOrWait(heads: TenantHeads | undefined, reason: FlushReason): Promise<void> {
    try {
      if (heads === undefined) await this.#options.world.clock.sleep(SWEEP_INTERVAL_MS)
      else await this.#flusher.flush(heads, reason)
    } catch {
      // logged and counted by the flusher
    }
  }

  get ingesterId(): string {
    return this.#wal.ingesterId
  }

  async push(tenant: string, batch: EntryBatch, signal: AbortSignal | undefined): Promise<PushOutcome> {
    if (this.#state !== 'running') throw new Unavailable(`the ingester is ${this.#state}`, { retryAfterSeconds: 5 })
    throwIfAborted(signal)
    const inFlight = this.#memory.admit(batch)
    try {
      const heads = this.#headsOf(tenant)
      const nowMs = this.#nowMs()
      const { registry } = heads
      const admitted = admit(batch, { tenant, registry, limits: this.#options.limits(tenant), nowMs })
      const compact = compactInPlace(admitted.batch)
      if (compact.rowCount === 0) return { duplicateRows: 0, refused: admitted.refused }
      let duplicateRows = 0
      await this.#wal.append(encodeEntryBatch(tenant, compact), (sequence) => {
        inFlight.done()
        const duplicates = this.#applyOrFail(heads, compact, sequence)
        duplicateRows = duplicates.length
        this.#followers.tell(tenant, compact, duplicates)
        this.#flushIfDue(heads)
      })
      return { duplicateRows, refused: admitted.refused }
    } finally {
      inFlight.done()
    }
  }

  paceMs(): number {
    return this.#memory.paceMs
  }

  refusal(): Unavailable | undefined {
    return this.#state === 'running' ? this.#memory.refusal() : undefined
  }

  /** One synchronous step; records come in the order of their sequences. Returns the rows that were duplicates. */
  #apply(heads: TenantHeads, batch: EntryBatch, sequence: number, skips?: (day: Day) => boolean): readonly number[] {
    assert(sequence > this.#appliedSequence, `record ${sequence} comes behind ${this.#appliedSequence}`)
    this.#appliedSequence = sequence
    const before = heads.memoryBytes
    const duplicates = heads.append(batch, sequence, this.#options.world.clock.monotonicMs(), skips)
    this.#memory.change(heads.memoryBytes - before)
    return duplicates
  }

  /**
   * A durable record that cannot be applied is our bug. Its head must never become a block, as that would claim to have the
   * record: the ingester stops, and the WAL has everything for the next start.
   */
  #applyOrFail(heads: TenantHeads, batch: EntryBatch, sequence: number): readonly number[] {
    try {
      return this.#apply(heads, batch, sequence)
    } catch (error) {
      this.#state = 'failed'
      this.#stopSweep?.()
      this.#options.log.error('the ingester failed and takes nothing more until it is started again', {
        tenant: heads.tenant,
        sequence,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      })
      throw error
    }
  }

  #headsOf(tenant: string): TenantHeads {
    let heads = this.#tenants.get(tenant)
    if (heads === undefined) this.#tenants.set(tenant, (heads = new TenantHeads(tenant, this.#memory.pages)))
    return heads
  }

  // reading

  view(tenant: string, firstDay: Day, lastDay: Day): Promise<HeadView> {
    const { heads, release } = this.#tenants.get(tenant)?.snapshots(firstDay, lastDay) ?? noHeads
    return Promise.resolve({ heads, blocks: this.#options.catalog.list(tenant, firstDay, lastDay), release })
  }

  follow(tenant: string, onEntries: OnEntries): () => void {
    return this.#followers.add(tenant, onEntries)
  }

  tenants(): Promise<readonly string[]> {
    const inHeads = [...this.#tenants.values()].filter(({ hasHeads }) => hasHeads).map(({ tenant }) => tenant)
    return Promise.resolve([...new Set([...inHeads, ...this.#options.catalog.tenants()])].toSorted())
  }

  // flushing

  async flush(tenant: string | undefined): Promise<void> {
    await this.#flushAll(tenant === undefined ? [...this.#tenants.keys()] : [tenant])
  }

  /**
   * Writes all heads as blocks and drops the records of the write-ahead log that there are at this moment. Whether that was done: a
   * push at the same time may keep some of them for longer.
   */
  async emptyLog(): Promise<boolean> {
    const sequence = await this.#wal.rotate()
    await this.flush(undefined)
    await this.#release()
    return this.#wal.isGoneUpTo(sequence)
  }

  async #flushAll(tenants: readonly string[]): Promise<void> {
    if (this.#state === 'failed')
      throw new Unavailable('the ingester failed: nothing is flushed until it is started again')
    const heads = tenants.map((tenant) => this.#tenants.get(tenant)).filter((one) => one?.hasHeads === true)
    const results = await Promise.allSettled(heads.map((one) => this.#flusher.flush(one!, 'forced')))
    const failed = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
    if (failed === undefined) return
    const { message } = failed.reason as Error
    throw new Unavailable(`a flush failed and will be tried again: ${message}`, {
      cause: failed.reason,
      retryAfterSeconds: 5,
    })
  }

  /** Flushes in the background; a failure is logged and counted by the flusher and tried again by the sweep. */
  #flushSoon(heads: TenantHeads, reason: FlushReason): void {
    if (this.#state === 'failed') return
    this.#flusher.flush(heads, reason).catch(() => undefined)
  }

  #flushIfDue(heads: TenantHeads): void {
    if (this.#flusher.isBusy(heads) || this.#flusher.retryDue(heads) !== undefined) return
    if (heads.liveBytes >= this.#options.flushBytes) this.#flushSoon(heads, 'full')
    else if (this.#memory.isCrowded) this.#relieve()
  }

  /**
   * Memory is short: the largest heads go first. Where flushes at work will give back most of it, nobody else's small heads
   * are made into small blocks.
   */
  #relieve(): void {
    if (this.#state === 'starting') return
    let busyBytes = 0
    for (const heads of this.#tenants.values()) if (this.#flusher.isBusy(heads)) busyBytes += heads.memoryBytes
    const largest = busyBytes * 2 > this.#memory.bytes ? undefined : this.#largest()
    if (largest !== undefined) this.#flushSoon(largest, 'memory')
  }

  /** The largest heads that no flush is at work on and that do not wait for another attempt. */
  #largest(): TenantHeads | undefined {
    let largest: TenantHeads | undefined
    for (const heads of this.#tenants.values()) {
      if (!heads.hasHeads || this.#flusher.isBusy(heads) || this.#flusher.retryDue(heads) === false) continue
      if (largest === undefined || heads.memoryBytes > largest.memoryBytes) largest = heads
    }
    return largest
  }

  #sweep(): void {
    const { clock } = this.#options.world
    const isPurgeDue = clock.monotonicMs() - this.#purgedMs >= PURGE_INTERVAL_MS
    if (isPurgeDue) this.#purgedMs = clock.monotonicMs()
    for (const heads of this.#tenants.values()) {
      if (isPurgeDue) heads.registry.purge(this.#nowMs())
      if (this.#flusher.isBusy(heads)) continue
      const retryDue = this.#flusher.retryDue(heads)
      if (retryDue === true) this.#flushSoon(heads, 'retry')
      else if (retryDue === undefined && clock.monotonicMs() - heads.startedMs >= this.#options.flushAgeMs) {
        this.#flushSoon(heads, 'max_age')
      }
    }
  }

  /** After heads were dropped: gives their memory back and drops what nobody needs of the WAL. */
  async #release(): Promise<void> {
    let needed = this.#appliedSequence + 1
    let bytes = 0
    for (const heads of this.#tenants.values()) {
      needed = Math.min(needed, heads.leastSequence)
      bytes += heads.memoryBytes
    }
    this.#memory.set(bytes)
    await this.#wal.dropUpTo(needed - 1)
  }

  // stopping

  /**
   * Refuses new pushes, finishes those at work, flushes if asked to, and closes the WAL, all within `deadlineMs`. What is not
   * flushed then stays in the WAL for the next start.
   */
  async shutdown({ flush, deadlineMs }: { readonly flush: boolean; readonly deadlineMs: number }): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return
    const hasFailed = this.#state === 'failed'
    this.#state = 'stopping'
    this.#stopSweep?.()
    await this.#wal.drain()
    if (flush && !hasFailed) await this.#flushWithin(deadlineMs)
    await this.#wal.close()
    this.#state = 'stopped'
  }

  /** Flushes, and tries again what fails, until everything is written or time is up. */
  async #flushWithin(deadlineMs: number): Promise<void> {
    const { clock } = this.#options.world
    const over = new AbortController()
    const attempts = async (): Promise<void> => {
      while (!over.signal.aborted && [...this.#tenants.values()].some(({ hasHeads }) => hasHeads)) {
        await this.flush(undefined).catch(() => clock.sleep(SWEEP_INTERVAL_MS, over.signal))
      }
    }
    const finished = attempts().catch(() => undefined)
    await Promise.race([finished, clock.sleep(deadlineMs, over.signal).catch(() => undefined)])
    over.abort()
  }

  stats(): IngesterStats {
    const tenants = [...this.#tenants.values()].map(
      ({ tenant, registry, memoryBytes, rowCount, counts }): TenantStats => ({
        tenant,
        memoryStreams: registry.count,
        streamsCreated: registry.created,
        streamsRemoved: registry.removed,
        headBytes: memoryBytes,
        headRows: rowCount,
        appendedRows: counts.rows,
        appendedBytes: counts.bytes,
        duplicateRows: counts.duplicateRows,
        duplicateBytes: counts.duplicateBytes,
      }),
    )
    return {
      tenants,
      wal: this.#wal.stats(),
      replay: this.#replay.stats,
      flush: this.#flusher.stats(),
      headBytes: this.#memory.bytes,
      memoryRejections: this.#memory.rejections,
    }
  }

  #nowMs(): number {
    return this.#options.world.clock.nowMs()
  }
}

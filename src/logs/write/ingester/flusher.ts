/**
 * Turns heads into blocks.
 *
 *     1. cut       the heads of a tenant are set aside, new rows go to new heads
 *     2. build     one block for each day
 *     3. put       into the object store
 *     4. publish   the catalog keeps it, then it becomes visible and the head is dropped in the same step
 *     5. release   WAL records that no head needs any more are dropped
 *
 * A failure leaves head and WAL as they are. The next attempt, after a pause that doubles, begins with what is left of the failed
 * one and writes the same objects again: a put that failed may have left its object, and every object in the store becomes visible
 * at the next start. A crash anywhere leaves either a block that names its records, or none and the records.
 */
import type { BlockStore, BlockCatalog, BuildBlock } from './ports.ts'
import type { FlushingHead, TenantHeads } from './tenant-heads.ts'
import { makeUlid } from '#/kernel/ulid.ts'
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

/** Why a flush began; the label of `loki_ingester_chunks_flushed_total`. */
export type FlushReason = 'full' | 'max_age' | 'forced' | 'memory' | 'retry'

export type FlusherOptions = {
  readonly world: Pick<World, 'clock' | 'random'>
  readonly log: Logger
  readonly store: BlockStore
  readonly catalog: BlockCatalog
  readonly buildBlock: BuildBlock
  readonly ingesterId: string
  /** Called after heads were dropped. */
  readonly onDropped: () => Promise<void>
}

export type FlushStats = {
  readonly queued: number
  readonly running: number
  readonly blocks: Readonly<Record<FlushReason, number>>
  readonly blockBytes: number
  readonly rawBytes: number
  readonly rows: number
  readonly failures: number
  readonly buildMs: number
}

const CONCURRENT_FLUSHES = 2
const BACKOFF_MIN_MS = 1000
const BACKOFF_MAX_MS = 60_000

/** The flush of one tenant: what runs, and what was asked for meanwhile. */
type Schedule = {
  running: Promise<void> | undefined
  next: Promise<void> | undefined
  failures: number
  retryAtMs: number
}

export class Flusher {
  readonly #options: FlusherOptions
  readonly #schedules = new Map<TenantHeads, Schedule>()
  readonly #waiting: (() => void)[] = []
  #free = CONCURRENT_FLUSHES
  readonly #counts = {
    blocks: { full: 0, max_age: 0, forced: 0, memory: 0, retry: 0 },
    blockBytes: 0,
    rawBytes: 0,
    rows: 0,
    failures: 0,
    buildMs: 0,
  }

  constructor(options: FlusherOptions) {
    this.#options = options
  }

  /**
   * Writes everything that `heads` hold at this moment. Resolves when it is visible; rejects when the attempt fails, and then
   * `retryDue` says when to ask again. A call while a flush runs waits for it and flushes what came since.
   */
  flush(heads: TenantHeads, reason: FlushReason): Promise<void> {
    const schedule = this.#scheduleOf(heads)
    if (schedule.running === undefined) return this.#start(heads, schedule, reason)
    schedule.next ??= schedule.running
      .catch(() => undefined)
      .then(() => {
        schedule.next = undefined
        return this.#start(heads, schedule, reason)
      })
    return schedule.next
  }

  isBusy(heads: TenantHeads): boolean {
    return this.#schedules.get(heads)?.running !== undefined
  }

  /** Whether the last attempt failed and its pause is over; undefined when the last attempt did not fail. */
  retryDue(heads: TenantHeads): boolean | undefined {
    const schedule = this.#schedules.get(heads)
    if (schedule === undefined || schedule.failures === 0) return undefined
    return this.#options.world.clock.monotonicMs() >= schedule.retryAtMs
  }

  stats(): FlushStats {
    const running = [...this.#schedules.values()].filter((schedule) => schedule.running !== undefined).length
    const { blocks } = this.#counts
    return {
      ...this.#counts,
      blocks: { ...blocks },
      queued: this.#waiting.length,
      running: running - this.#waiting.length,
    }
  }

  #scheduleOf(heads: TenantHeads): Schedule {
    let schedule = this.#schedules.get(heads)
    if (schedule === undefined) {
      schedule = { running: undefined, next: undefined, failures: 0, retryAtMs: 0 }
      this.#schedules.set(heads, schedule)
    }
    return schedule
  }

  #start(heads: TenantHeads, schedule: Schedule, reason: FlushReason): Promise<void> {
    const running = this.#run(heads, reason)
      .then(() => {
        schedule.failures = 0
      })
      .catch((error: unknown) => {
        const pauseMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** schedule.failures++)
        schedule.retryAtMs = this.#options.world.clock.monotonicMs() + pauseMs
        this.#counts.failures++
        const { tenant } = heads
        this.#options.log.error('a flush failed, its entries stay in memory and in the write-ahead log', {
          tenant,
          error: error instanceof Error ? error.message : String(error),
          retryInMs: pauseMs,
        })
        throw error
      })
      .finally(() => {
        schedule.running = undefined
      })
    schedule.running = running
    return running
  }

  async #run(heads: TenantHeads, reason: FlushReason): Promise<void> {
    await this.#takeSlot()
    try {
      await this.#writeSetAside(heads, 'retry')
      if (heads.isLiveEmpty) return
      const { clock, random } = this.#options.world
      heads.cut(() => makeUlid(clock.nowMs(), random.bytes(10)))
      await this.#writeSetAside(heads, reason)
    } finally {
      // the slot goes straight to whoever waits longest
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }

  async #takeSlot(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Days in ascending order, one after the other. */
  async #writeSetAside(heads: TenantHeads, reason: FlushReason): Promise<void> {
    for (const flushing of heads.flushing) {
      await this.#writeBlock(heads, flushing)
      this.#counts.blocks[reason]++
      await this.#options.onDropped()
    }
  }

  async #writeBlock(heads: TenantHeads, flushing: FlushingHead): Promise<void> {
    const { head } = flushing
    flushing.stored ??= await this.#buildAndPut(heads.tenant, flushing)
    const meta = flushing.stored
    await this.#options.catalog.publish(meta, () => heads.drop(head))
    this.#counts.blockBytes += meta.sizeBytes
    this.#counts.rawBytes += meta.rawBytes
    this.#counts.rows += meta.rowCount
    const { key, rowCount, sizeBytes } = meta
    this.#options.log.info('wrote a block', { tenant: heads.tenant, block: key, rows: rowCount, bytes: sizeBytes })
  }

  async #buildAndPut(tenant: string, { head, ulid }: FlushingHead): Promise<NonNullable<FlushingHead['stored']>> {
    const { ingesterId, buildBlock, store, world } = this.#options
    const { clock } = world
    const source = { ingester: ingesterId, fromSequence: head.firstSequence, toSequence: head.lastSequence }
    const startedMs = clock.monotonicMs()
    const { meta, parts } = await buildBlock({ tenant, head: head.snapshot(), ulid, source })
    this.#counts.buildMs += clock.monotonicMs() - startedMs
    await store.put(meta.key, parts)
    return meta
  }
}

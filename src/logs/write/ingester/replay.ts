/** Turns the WAL that an earlier process left back into heads, without the rows that blocks have already. */
import type { BlockCatalog } from './ports.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Day } from '#/logs/model/day.ts'
import { decodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { WalRecord } from '#/storage/wal/replay.ts'
import type { Wal } from '#/storage/wal/wal.ts'

export type ReplayStats = {
  isActive: boolean
  durationMs: number
  records: number
  bytes: number
  rows: number
  /** Rows that were in blocks already. */
  skippedRows: number
  /** Records with a right checksum that are no batch of entries. */
  badRecords: number
}

export type ReplayedBatch = {
  readonly tenant: string
  readonly batch: EntryBatch
  readonly sequence: number
  /** Whether rows of a day are in a block already. */
  readonly skips: (day: Day) => boolean
}

export type ReplayOptions = {
  readonly wal: Wal
  readonly catalog: BlockCatalog
  readonly clock: Clock
  readonly log: Logger
}

export class Replay {
  readonly #options: ReplayOptions
  readonly #stats: ReplayStats = {
    isActive: false,
    durationMs: 0,
    records: 0,
    bytes: 0,
    rows: 0,
    skippedRows: 0,
    badRecords: 0,
  }

  constructor(options: ReplayOptions) {
    this.#options = options
  }

  get stats(): ReplayStats {
    return { ...this.#stats }
  }

  /** Hands over every batch of the WAL; its memory is valid until `apply` is done. */
  async run(afterSequence: number, apply: (batch: ReplayedBatch) => Promise<void>): Promise<void> {
    const { wal, clock, log } = this.#options
    const startedMs = clock.monotonicMs()
    this.#stats.isActive = true
    const report = await wal.replay((record) => this.#visit(record, apply), afterSequence)
    this.#stats.isActive = false
    this.#stats.durationMs = Math.round(clock.monotonicMs() - startedMs)
    const { rows, skippedRows, durationMs, badRecords } = this.#stats
    log.info('replayed the write-ahead log', { ...report, rows, skippedRows, durationMs, badRecords })
  }

  async #visit(
    { payload, sequence, file, offset }: WalRecord,
    apply: (batch: ReplayedBatch) => Promise<void>,
  ): Promise<void> {
    this.#stats.records++
    this.#stats.bytes += payload.length
    try {
      await this.#replay(payload, sequence, apply)
    } catch (error) {
      // the checksum is right, so it is a batch of another version, or one that should never have been let in
      if (!(error instanceof BadRequest)) throw error
      this.#stats.badRecords++
      this.#options.log.error('a record of the write-ahead log is no batch of entries', {
        file,
        offset,
        error: error.message,
      })
    }
  }

  async #replay(payload: Buffer, sequence: number, apply: (batch: ReplayedBatch) => Promise<void>): Promise<void> {
    const { tenant, batch } = decodeEntryBatch(payload)
    const isFlushed = new Map<Day, boolean>()
    const skips = (day: Day): boolean => {
      let known = isFlushed.get(day)
      if (known === undefined) isFlushed.set(day, (known = this.#isFlushed(tenant, day, sequence)))
      return known
    }
    for (let row = 0; row < batch.rowCount; row++) {
      if (skips(batch.day[row]!)) this.#stats.skippedRows++
      else this.#stats.rows++
    }
    await apply({ tenant, batch, sequence, skips })
  }

  #isFlushed(tenant: string, day: Day, sequence: number): boolean {
    const { catalog, wal } = this.#options
    return sequence <= catalog.flushedSequence(wal.ingesterId, tenant, day)
  }
}

/** The greatest sequence of `ingester` that any block names. New records must lie behind it. */
export function lastFlushedSequence(catalog: BlockCatalog, ingester: string): number {
  let last = 0
  for (const tenant of catalog.tenants()) {
    const days = new Set<Day>()
    for (const { day, source } of catalog.list(tenant, -Infinity, Infinity)) {
      days.add(day)
      if (source?.ingester === ingester) last = Math.max(last, source.toSequence)
    }
    for (const day of days) last = Math.max(last, catalog.flushedSequence(ingester, tenant, day))
  }
  return last
}

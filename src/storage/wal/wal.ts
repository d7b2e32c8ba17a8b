/**
 * The write-ahead log of a process: an append-only sequence of opaque records in segment files.
 *
 *     const wal = await Wal.open(…)          the directory and the identity of its owner
 *     await wal.replay(visit)                 once, before the first append
 *     await wal.append(parts, onDurable)      any number at once
 *     await wal.dropUpTo(sequence)            when records are not needed any more
 *     await wal.close()
 *
 * Group commit: while one write and its fdatasync run, everything that arrives gathers and becomes the next group.
 *
 * Invariants. Sequences ascend in the file and over restarts and are never used twice. `onDurable` is called in the order of
 * sequences, synchronously, for a whole group in one go. A record is acknowledged only when it is as durable as `sync` says.
 * After a failed write or sync no record of that group is acknowledged and the segment is not written any more.
 */
import { DiskGuard } from './disk-guard.ts'
import { MAX_PAYLOAD_BYTES, recordBytes, SEGMENT_HEADER_BYTES } from './format.ts'
import { frameGroup, type PendingRecord } from './frame-group.ts'
import { loadIdentity } from './identity.ts'
import { listSegments, type RecordVisitor, type ReplayedSegment, type ReplayReport, replaySegment } from './replay.ts'
import { SegmentReader } from './segment-reader.ts'
import { SegmentSet } from './segment-set.ts'
import { assert } from '#/kernel/assert.ts'
import { type Corruption, TooLarge, Unavailable } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

/**
 * When an append is acknowledged. `commit`: after its fdatasync. `interval` and `never`: after its write, which survives the
 * end of the process but not of the machine; `interval` syncs now and then, `never` leaves that to the system.
 */
export type WalSync = 'commit' | 'interval' | 'never'

export type WalOptions = {
  readonly world: World
  readonly directory: string
  readonly log: Logger
  readonly sync: WalSync
  /** For `sync: 'interval'`. */
  readonly syncIntervalMs?: number
  readonly segmentBytes?: number
  /** Most bytes that wait to be written; beyond it appends are refused. */
  readonly maxQueuedBytes?: number
  /** Bytes of the volume that the WAL leaves free for blocks. */
  readonly reserveBytes?: number
  readonly onCorruption?: (corruption: Corruption) => void
}

export const walDefaults = {
  syncIntervalMs: 1000,
  segmentBytes: 64 * 1024 * 1024,
  maxQueuedBytes: 64 * 1024 * 1024,
  reserveBytes: 64 * 1024 * 1024,
}

/** Most bytes of one write. */
const maxGroupBytes = 16 * 1024 * 1024
/**
 * How far the sequence jumps at start: beyond anything that an earlier process may have used in records that were lost, so
 * that a block never seems to cover a record that is newer than it.
 */
const sequenceGapAtStart = 2 ** 24

export type WalStats = {
  readonly segments: number
  readonly bytes: number
  readonly queuedBytes: number
  readonly records: number
  readonly recordBytes: number
  readonly syncs: number
  readonly failures: number
  readonly rejected: number
  readonly corruptions: number
  readonly lastSequence: number
}

export class Wal {
  readonly ingesterId: string
  readonly #options: Required<WalOptions>
  readonly #segments: SegmentSet
  readonly #guard: DiskGuard
  #queue: PendingRecord[] = []
  #queuedBytes = 0
  #nextSequence = 1
  #dropSequence = -1
  #state: 'opened' | 'running' | 'closed' = 'opened'
  /** Set and cleared together with the decision to go on or not, so that no record waits for a writer that just left. */
  #isWriting = false
  #writer: Promise<void> = Promise.resolve()
  #isSyncDue = false
  #isSealDue = false
  #isRotateDue = false
  #stopTimer: (() => void) | undefined
  #counts = { records: 0, recordBytes: 0, syncs: 0, failures: 0, rejected: 0, corruptions: 0 }

  private constructor(options: Required<WalOptions>, ingesterId: string) {
    this.#options = options
    this.ingesterId = ingesterId
    this.#segments = new SegmentSet({ ...options, ingesterId })
    this.#guard = new DiskGuard(options.world, options.directory, options.reserveBytes)
  }

  /** Opens the WAL in `directory`, or makes one. Only one process may have it open. */
  static async open(options: WalOptions): Promise<Wal> {
    const full = { ...walDefaults, onCorruption: () => undefined, ...options }
    const { world, directory } = full
    assert(full.segmentBytes > SEGMENT_HEADER_BYTES, `segments of ${full.segmentBytes} bytes hold their header`)
    assert(full.segmentBytes + maxGroupBytes + MAX_PAYLOAD_BYTES < 2 ** 32, 'offsets fit 32 bits')
    return new Wal(full, await loadIdentity(world, directory))
  }

  /**
   * Visits every readable record, in the order of sequences, one at a time, and then accepts appends. Sequences of new
   * records lie behind all that were seen and behind `afterSequence`.
   */
  async replay(visit: RecordVisitor, afterSequence = 0): Promise<ReplayReport> {
    assert(this.#state === 'opened', 'the write-ahead log is replayed once')
    const { directory, log } = this.#options
    const { disk } = this.#options.world
    let report: ReplayReport = { segments: 0, records: 0, bytes: 0, corruptions: 0, tornBytes: 0 }
    let lastSequence = 0
    const onCorruption = (corruption: Corruption): void => this.#corrupt(corruption)
    const files = await listSegments(disk, directory)
    for (const [index, file] of files.entries()) {
      const next = files[index + 1]
      const later = next?.segment === file.segment + 1 ? await readHeader(disk, next.path) : undefined
      const done = await replaySegment({ disk, log, onCorruption, visit, lastSequence }, file, later)
      lastSequence = Math.max(lastSequence, done.lastSequence)
      report = {
        segments: report.segments + 1,
        records: report.records + done.records,
        bytes: report.bytes + done.sizeBytes,
        corruptions: report.corruptions + done.corruptions,
        tornBytes: report.tornBytes + done.tornBytes,
      }
      await this.#adopt(done)
      await this.#segments.dropUpTo(this.#dropSequence)
    }
    this.#nextSequence =
      Math.max(lastSequence, afterSequence) + 1 + (files.length > 0 || afterSequence > 0 ? sequenceGapAtStart : 0)
    this.#start()
    return report
  }

  /**
   * A segment waits to be dropped. One whose making was cut short holds nothing and goes; one that holds something but has
   * no readable header is put aside for the operator.
   */
  async #adopt(done: ReplayedSegment): Promise<void> {
    const { disk } = this.#options.world
    if (done.header !== undefined) {
      this.#segments.adopt(done, done.corruptions > 0 ? 0 : done.sizeBytes)
      return
    }
    this.#segments.skip(done.segment)
    if (done.sizeBytes <= SEGMENT_HEADER_BYTES) await disk.remove(done.path)
    else await disk.rename(done.path, `${done.path}.unreadable`)
  }

  #corrupt(corruption: Corruption): void {
    this.#counts.corruptions++
    const { message, file, offset } = corruption
    this.#options.log.error('the write-ahead log is damaged', { error: message, file, offset })
    this.#options.onCorruption(corruption)
  }

  #start(): void {
    this.#state = 'running'
    if (this.#options.sync !== 'interval') return
    this.#stopTimer = this.#options.world.clock.every(this.#options.syncIntervalMs, () => {
      if (!this.#segments.hasUnsynced) return
      this.#isSyncDue = true
      this.#kick()
    })
  }

  /**
   * Appends one record, whose payload is `parts` back to back; they must not change until the promise settles. `onDurable` is
   * called before the promise is fulfilled, see above. @throws Unavailable when the queue or the disk is full or the disk
   * fails; the record is then not stored, or at most found by a replay after a crash that came before the disk recovered.
   */
  append(parts: readonly Uint8Array[], onDurable: (sequence: number) => void = () => undefined): Promise<number> {
    assert(this.#state !== 'opened', 'the write-ahead log is replayed before it is written')
    const payloadBytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const refusal = this.#refusal(payloadBytes)
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#queue.push({ parts, payloadBytes, sequence: 0, onDurable, resolve, reject })
      this.#queuedBytes += recordBytes(payloadBytes)
      this.#kick()
    })
  }

  #refusal(payloadBytes: number): Unavailable | TooLarge | undefined {
    const { maxQueuedBytes } = this.#options
    if (this.#state === 'closed') return new Unavailable('the write-ahead log is closed', { retryAfterSeconds: 5 })
    if (payloadBytes > MAX_PAYLOAD_BYTES) {
      return new TooLarge(
        `a record of ${payloadBytes} bytes exceeds the limit of the write-ahead log, ${MAX_PAYLOAD_BYTES}`,
      )
    }
    if (this.#guard.closed !== undefined) {
      this.#counts.rejected++
      return this.#guard.closed
    }
    if (this.#queuedBytes > 0 && this.#queuedBytes + payloadBytes > maxQueuedBytes) {
      return new Unavailable(
        `${this.#queuedBytes} bytes wait for the disk of the write-ahead log, the limit is ${maxQueuedBytes}`,
        { retryAfterSeconds: 1 },
      )
    }
    return undefined
  }

  /** Starts the writer unless it runs. */
  #kick(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    this.#writer = this.#write()
  }

  async #write(): Promise<void> {
    for (;;) {
      const group = this.#takeGroup()
      if (group.length > 0) await this.#commit(group)
      else if (this.#isSyncDue) await this.#syncNow()
      else if (this.#isSealDue) await this.#sealDroppable()
      else if (this.#isRotateDue) await this.#rotateNow()
      else break
    }
    this.#isWriting = false
  }

  #takeGroup(): PendingRecord[] {
    let bytes = 0
    let count = 0
    for (const { payloadBytes } of this.#queue) {
      bytes += recordBytes(payloadBytes)
      if (count > 0 && bytes > maxGroupBytes) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #commit(group: readonly PendingRecord[]): Promise<void> {
    const failure = await this.#store(group)
    for (const { payloadBytes } of group) this.#queuedBytes -= recordBytes(payloadBytes)
    for (const { sequence, onDurable, resolve, reject } of group) {
      if (failure !== undefined) {
        reject(failure)
        continue
      }
      try {
        onDurable(sequence)
        resolve(sequence)
      } catch (error) {
        reject(error)
      }
    }
  }

  /** Writes and, if asked for, syncs a group. Returns why it failed. */
  async #store(group: readonly PendingRecord[]): Promise<Unavailable | undefined> {
    const isSynced = this.#options.sync === 'commit'
    const bytes = group.reduce((sum, { payloadBytes }) => sum + recordBytes(payloadBytes), 0)
    let good: { readonly offset: number; readonly lastSequence: number } | undefined
    try {
      await this.#guard.admit(bytes)
      await this.#segments.prepare(this.#nextSequence, this.#options.sync !== 'never')
      const position = this.#segments.position
      good = { offset: position.offset, lastSequence: this.#nextSequence - 1 }
      for (const record of group) record.sequence = this.#nextSequence++
      await this.#segments.append(frameGroup(group, position), bytes, this.#nextSequence - 1)
      if (isSynced) await this.#sync()
    } catch (error) {
      return this.#failed(error, good, group.length)
    }
    this.#guard.reopen()
    this.#counts.records += group.length
    this.#counts.recordBytes += bytes
    return undefined
  }

  async #failed(
    error: unknown,
    good: { readonly offset: number; readonly lastSequence: number } | undefined,
    records: number,
  ): Promise<Unavailable> {
    const wasClosed = this.#guard.isClosed
    const failure = this.#guard.failed(error)
    this.#counts.failures++
    this.#counts.rejected += records
    if (!wasClosed) this.#options.log.error('the write-ahead log cannot be written', { error: failure.message })
    if (good !== undefined) await this.#segments.abandon(good.offset, good.lastSequence)
    return failure
  }

  async #sync(): Promise<void> {
    await this.#segments.sync()
    this.#counts.syncs++
  }

  /** For `interval`: what was acknowledged before a failed sync is only as safe as the machine, so say it loudly. */
  async #syncNow(): Promise<void> {
    this.#isSyncDue = false
    try {
      await this.#sync()
    } catch (error) {
      this.#counts.failures++
      this.#options.log.error('the write-ahead log cannot be synced', { error: (error as Error).message })
      await this.#segments.seal(false)
    }
  }

  /**
   * Records up to and including `sequence` are not needed any more. Whole segments go; what shares a segment with needed
   * records goes later. Never rejects: what cannot be removed is tried again at the next call.
   */
  async dropUpTo(sequence: number): Promise<void> {
    this.#dropSequence = Math.max(this.#dropSequence, sequence)
    if (this.#state === 'running' && this.#segments.isActiveDroppable(this.#dropSequence)) {
      this.#isSealDue = true
      this.#kick()
      await this.#writer
    }
    await this.#segments.dropUpTo(this.#dropSequence)
  }

  async #sealDroppable(): Promise<void> {
    this.#isSealDue = false
    if (this.#segments.isActiveDroppable(this.#dropSequence)) await this.#segments.seal(false)
  }

  /**
   * Ends the segment that is written, so that records of the future do not keep those of the past. Returns the sequence number of the
   * last record before.
   */
  async rotate(): Promise<number> {
    if (this.#state === 'running') {
      this.#isRotateDue = true
      this.#kick()
      await this.#writer
    }
    return this.#nextSequence - 1
  }

  async #rotateNow(): Promise<void> {
    this.#isRotateDue = false
    try {
      await this.#segments.seal(this.#options.sync !== 'never')
    } catch (error) {
      this.#counts.failures++
      this.#options.log.error('the write-ahead log cannot be synced', { error: (error as Error).message })
    }
  }

  /**
   * Sees to it that segments which were dropped do not come back with a power loss; false when one is left of those that ended with a
   * record up to `sequence`.
   */
  async isGoneUpTo(sequence: number): Promise<boolean> {
    if (this.#segments.hasUpTo(sequence)) return false
    await this.#options.world.disk.syncDir(this.#options.directory)
    return true
  }

  /** Resolves when nothing waits to be written. */
  async drain(): Promise<void> {
    while (this.#isWriting) await this.#writer
  }

  /** Refuses new appends, finishes those that wait, syncs and closes. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#stopTimer?.()
    await this.drain()
    try {
      await this.#segments.seal(this.#options.sync !== 'never')
    } catch (error) {
      this.#options.log.error('the write-ahead log cannot be synced', { error: (error as Error).message })
    }
    await this.#segments.dropUpTo(this.#dropSequence)
  }

  stats(): WalStats {
    return {
      ...this.#counts,
      segments: this.#segments.count,
      bytes: this.#segments.bytes,
      queuedBytes: this.#queuedBytes,
      lastSequence: this.#nextSequence - 1,
    }
  }
}

async function readHeader(
  disk: World['disk'],
  path: string,
): Promise<Awaited<ReturnType<typeof SegmentReader.open>>['header']> {
  await using reader = await SegmentReader.open(disk, path)
  return reader.header
}

/**
 * The segment files of a WAL: one that is written, and sealed ones that wait to be dropped. A segment is written by one process
 * only and never again after anything went wrong with it.
 *
 * Invariant: the name and header of the active segment are durable before a record is written into it.
 */
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from './format.ts'
import { assert, defined } from '#/kernel/assert.ts'
import type { AppendFile, Disk, World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

export type SealedSegment = {
  readonly segment: number
  readonly path: string
  readonly sizeBytes: number
  readonly lastSequence: number
}

type ActiveSegment = {
  readonly segment: number
  readonly path: string
  readonly file: AppendFile
  readonly salt: number
  sizeBytes: number
  syncedBytes: number
  lastSequence: number
}

export type SegmentSetOptions = {
  readonly world: World
  readonly directory: string
  readonly ingesterId: string
  readonly log: Logger
  readonly segmentBytes: number
}

export class SegmentSet {
  readonly #options: SegmentSetOptions
  readonly #disk: Disk
  #sealed: SealedSegment[] = []
  #active: ActiveSegment | undefined
  #nextSegment = 1
  #previousSyncedBytes = 0

  constructor(options: SegmentSetOptions) {
    this.#options = options
    this.#disk = options.world.disk
  }

  /** A segment of an earlier process, after it was replayed. In ascending order. */
  adopt(segment: SealedSegment, syncedBytes: number): void {
    this.#sealed.push(segment)
    this.skip(segment.segment)
    this.#previousSyncedBytes = syncedBytes
  }

  /** Numbers up to `segment` are in use. */
  skip(segment: number): void {
    this.#nextSegment = Math.max(this.#nextSegment, segment + 1)
    this.#previousSyncedBytes = 0
  }

  get bytes(): number {
    return this.#sealed.reduce((sum, { sizeBytes }) => sum + sizeBytes, this.#active?.sizeBytes ?? 0)
  }

  get count(): number {
    return this.#sealed.length + (this.#active === undefined ? 0 : 1)
  }

  /** Where the next record goes; `prepare` has been called. */
  get position(): { readonly salt: number; readonly offset: number; readonly syncedBytes: number } {
    const active = defined(this.#active, 'the active segment')
    return { salt: active.salt, offset: active.sizeBytes, syncedBytes: active.syncedBytes }
  }

  get hasUnsynced(): boolean {
    return this.#active !== undefined && this.#active.syncedBytes < this.#active.sizeBytes
  }

  /** Makes sure that there is a segment with room; its records will have sequences from `nextSequence` on. */
  async prepare(nextSequence: number, sync: boolean): Promise<void> {
    if (this.#active !== undefined && this.#active.sizeBytes < this.#options.segmentBytes) return
    if (this.#active !== undefined) await this.seal(sync)
    await this.#create(nextSequence)
  }

  async #create(firstSequence: number): Promise<void> {
    const { directory, ingesterId, world } = this.#options
    const segment = this.#nextSegment++
    const path = `${directory}/${segmentName(segment)}`
    const salt = world.random.bytes(4).readUInt32LE(0)
    const previousSyncedBytes = this.#previousSyncedBytes
    const file = await this.#disk.openAppend(path, { create: true })
    try {
      await file.append([encodeSegmentHeader({ segment, ingesterId, firstSequence, salt, previousSyncedBytes })])
      await file.sync()
      await this.#disk.syncDir(directory)
    } catch (error) {
      await this.#quietly('close', () => file.close())
      await this.#quietly('remove', () => this.#disk.remove(path))
      this.#previousSyncedBytes = 0
      throw error
    }
    const sizeBytes = SEGMENT_HEADER_BYTES
    this.#active = { segment, path, file, salt, sizeBytes, syncedBytes: sizeBytes, lastSequence: firstSequence - 1 }
  }

  /** Appends framed records of `sizeBytes` together. After an error the caller must `abandon`. */
  async append(buffers: readonly Uint8Array[], sizeBytes: number, lastSequence: number): Promise<void> {
    const active = defined(this.#active, 'the active segment')
    await active.file.append(buffers)
    active.sizeBytes += sizeBytes
    active.lastSequence = lastSequence
    const { sizeBytes: fileBytes } = active.file
    assert(fileBytes === active.sizeBytes, `${active.path} has ${fileBytes} bytes, expected ${active.sizeBytes}`)
  }

  async sync(): Promise<void> {
    const active = this.#active
    if (active === undefined || active.syncedBytes === active.sizeBytes) return
    const { sizeBytes } = active
    await active.file.sync()
    active.syncedBytes = sizeBytes
  }

  /** Closes the active segment; the next record starts another, even if the sync fails. */
  async seal(sync: boolean): Promise<void> {
    if (this.#active === undefined) return
    try {
      if (sync) await this.sync()
    } finally {
      await this.#retire()
    }
  }

  /**
   * Gives the active segment up after a failed write or sync. Everything behind `goodBytes` was not acknowledged; it is cut
   * off if the disk lets us. If not, replay may find it: then it is an entry that the client sent and was not promised.
   */
  async abandon(goodBytes: number, lastSequence: number): Promise<void> {
    const active = this.#active
    if (active === undefined) return
    active.sizeBytes = goodBytes
    active.syncedBytes = Math.min(active.syncedBytes, goodBytes)
    active.lastSequence = lastSequence
    await this.#retire()
    await this.#quietly('truncate', () => this.#disk.truncate(active.path, goodBytes))
  }

  async #retire(): Promise<void> {
    const { segment, path, file, sizeBytes, syncedBytes, lastSequence } = defined(this.#active, 'the active segment')
    this.#active = undefined
    this.#sealed.push({ segment, path, sizeBytes, lastSequence })
    this.#previousSyncedBytes = syncedBytes
    await this.#quietly('close', () => file.close())
  }

  /** Whether the active segment is worth sealing so that it can be dropped up to `sequence`. */
  isActiveDroppable(sequence: number): boolean {
    const active = this.#active
    return (
      active !== undefined &&
      active.lastSequence <= sequence &&
      active.sizeBytes >= Math.min(this.#options.segmentBytes / 16, 1024 * 1024)
    )
  }

  /** Whether a sealed segment without a record behind `sequence` is there. */
  hasUpTo(sequence: number): boolean {
    return this.#sealed.some(({ lastSequence }) => lastSequence <= sequence)
  }

  /** Removes sealed segments without a record behind `sequence`. One that cannot be removed stays for the next time. */
  async dropUpTo(sequence: number): Promise<number> {
    const dropped = this.#sealed.filter(({ lastSequence }) => lastSequence <= sequence)
    let count = 0
    for (const { segment, path } of dropped) {
      if (!(await this.#quietly('remove', () => this.#disk.remove(path)))) continue
      this.#sealed = this.#sealed.filter((one) => one.segment !== segment)
      count++
    }
    return count
  }

  async #quietly(what: string, act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      this.#options.log.warn(`cannot ${what} a file of the write-ahead log`, { error: (error as Error).message })
      return false
    }
  }
}

/**
 * Follows one file. Looking at it ships the complete lines behind the offset; the rest waits for its line break.
 *
 *     live ──(another inode has its name, or none)──▶ rotated ──(silent for a while)──▶ ended
 *
 * A rotated file is read on through its open handle, to its end and as long as somebody still writes to it. A file that
 * shrank, or whose first bytes changed, was truncated (copy and truncate): it is read again from its start.
 *
 * No byte of the file is kept between looks: an incomplete line is read again when the file has grown.
 */
import { dirname } from 'node:path'

import {
  type FilePosition,
  type Fingerprint,
  fingerprintOf,
  fits,
  maxFingerprintBytes,
  noFingerprint,
} from '#/agent/positions/position.ts'
import { defined } from '#/kernel/assert.ts'
import type { Disk, FileStat, ReadFile, World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
/** Pieces read from one file before the others get their turn. */
const maxPiecesPerLook = 8

/** Where lines go. */
export interface LineSink {
  add(labels: string, line: Buffer): void
  /** The file has been read up to `position` by the lines added so far. */
  reached(position: FilePosition): void
  /** Resolves when there is room for more lines. */
  room(): Promise<void>
  readonly isFull: boolean
  /** Lines added from now on carry at least this time. */
  advanceTo(nowNs: bigint): void
}

export type TailOptions = {
  readonly maxLineBytes: number
  readonly partialLineWaitMs: number
  readonly rotatedFileWaitMs: number
}

export type TailPlace = {
  readonly labels: string
  readonly state: 'live' | 'rotated'
  /** Where the file is now, for a rotated one. */
  readonly foundAt: string
}

export type TailState = 'live' | 'rotated' | 'ended'

export class FileTail {
  readonly id: number
  readonly path: string
  readonly labels: string
  readonly inode: number
  state: TailState
  readonly #foundAt: string
  #offset: number
  #fingerprint: Fingerprint
  #cut: boolean
  #file: ReadFile | undefined
  #seen: FileStat | undefined
  #grewMs: number
  readonly #options: TailOptions
  readonly #world: World
  readonly #logger: Logger

  constructor(position: FilePosition, where: TailPlace, options: TailOptions, world: World, logger: Logger) {
    this.id = position.id
    this.path = position.path
    this.inode = position.inode
    this.labels = where.labels
    this.state = where.state
    this.#foundAt = where.foundAt
    this.#offset = position.offset
    this.#fingerprint = position.fingerprint
    this.#cut = position.cut
    this.#options = options
    this.#world = world
    this.#logger = logger
    this.#grewMs = world.clock.monotonicMs()
  }

  get isOpen(): boolean {
    return this.#file !== undefined
  }

  get fingerprint(): Fingerprint {
    return this.#fingerprint
  }

  get position(): FilePosition {
    return {
      id: this.id,
      path: this.path,
      inode: this.inode,
      offset: this.#offset,
      fingerprint: this.#fingerprint,
      cut: this.#cut,
    }
  }

  /**
   * Ships what is new. True when there may be more to read at once.
   * @throws Node's error when the file cannot be read.
   */
  async look(sink: LineSink, buffer: Buffer): Promise<boolean> {
    if (this.state === 'live') {
      const found = await this.#world.disk.stat(this.path)
      if (found?.inode !== this.inode) this.state = 'rotated'
      else if (!(await this.#hasNews(found))) return false
    }
    if (this.#file === undefined && !(await this.#open())) return false
    const more = await this.#readOn(sink, buffer)
    // what is left must not look like old news
    if (more) this.#seen = undefined
    else await this.#rest(sink, buffer)
    return more
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  /** Whether a live file is worth reading; notices truncation. */
  async #hasNews(found: FileStat): Promise<boolean> {
    const seen = this.#seen
    const changed = seen?.sizeBytes !== found.sizeBytes || seen.modifiedMs !== found.modifiedMs
    const waits = found.sizeBytes > this.#offset && this.#isSilentFor(this.#options.partialLineWaitMs)
    if (!changed && !waits) return false
    this.#seen = found
    if (seen?.sizeBytes !== found.sizeBytes) this.#grewMs = this.#world.clock.monotonicMs()
    if (found.sizeBytes < this.#offset) this.#restart(found.sizeBytes)
    else if (changed && this.#offset > 0 && !(await this.#beginsAsBefore())) this.#restart(found.sizeBytes)
    return found.sizeBytes > this.#offset
  }

  #restart(sizeBytes: number): void {
    this.#logger.info('a file was truncated, reading from its start', {
      path: this.path,
      offset: this.#offset,
      sizeBytes,
    })
    this.#offset = 0
    this.#fingerprint = noFingerprint
    this.#cut = false
  }

  async #beginsAsBefore(): Promise<boolean> {
    if (this.#file === undefined && !(await this.#open())) return true
    return fits(this.#fingerprint, await firstBytesOf(defined(this.#file, 'open file'), this.#fingerprint.length))
  }

  /** Opens the file under its name, or under the name that it has now. False when it is not to be found. */
  async #open(): Promise<boolean> {
    const { disk } = this.#world
    const path = this.state === 'live' ? this.path : await findByInode(disk, this.#foundAt, this.inode)
    if (path !== undefined) {
      const file = await disk.openRead(path)
      // the name may have moved on between looking and opening
      const isOurs = file.inode === this.inode
      if (isOurs && fits(this.#fingerprint, await firstBytesOf(file, this.#fingerprint.length))) {
        this.#file = file
        return true
      }
      await file.close()
      if (this.state === 'live') {
        // looked at again next time: from its start if it is our file with other content
        this.#seen = undefined
        if (isOurs) this.#restart(0)
      }
    }
    if (this.state === 'rotated') this.state = 'ended'
    return false
  }

  async #readOn(sink: LineSink, buffer: Buffer): Promise<boolean> {
    const file = defined(this.#file, 'open file')
    for (let pieces = 0; pieces < maxPiecesPerLook; pieces++) {
      await sink.room()
      const size = await file.read(buffer, this.#offset)
      if (size === 0) return false
      await this.#learnFirstBytes(file, buffer.subarray(0, size))
      const consumed = await this.#ship(sink, buffer.subarray(0, size), size === buffer.length)
      if (consumed > 0) this.#grewMs = this.#world.clock.monotonicMs()
      if (size < buffer.length) return false
    }
    return true
  }

  async #learnFirstBytes(file: ReadFile, piece: Buffer): Promise<void> {
    if (this.#offset > 0 && this.#fingerprint.length === maxFingerprintBytes) return
    this.#fingerprint = fingerprintOf(this.#offset === 0 ? piece : await firstBytesOf(file, maxFingerprintBytes))
  }

  /** Adds the lines of `piece` to the sink; returns how many bytes are done with. */
  async #ship(sink: LineSink, piece: Buffer, isWhole: boolean): Promise<number> {
    const start = this.#offset
    // one copy for all lines of the piece: the buffer is used again
    const bytes = Buffer.from(piece)
    sink.advanceTo(this.#world.clock.nowNs())
    let at = this.#cut && bytes[0] === LINE_FEED ? 1 : 0
    if (bytes.length > 0) this.#cut = false
    while (at < bytes.length) {
      const { maxLineBytes } = this.#options
      const lineFeed = bytes.indexOf(LINE_FEED, at)
      const end = lineFeed < 0 ? bytes.length : lineFeed
      const isTooLong = end - at > maxLineBytes && (lineFeed >= 0 || isWhole)
      if (lineFeed < 0 && !isTooLong) break
      const next = isTooLong ? splitPoint(bytes, at, maxLineBytes) : end
      sink.add(this.labels, bytes.subarray(at, isTooLong ? next : withoutReturn(bytes, at, end)))
      at = isTooLong ? next : next + 1
      if (sink.isFull) {
        this.#offset = start + at
        sink.reached(this.position)
        await sink.room()
      }
    }
    this.#offset = start + at
    if (at > 0) sink.reached(this.position)
    return at
  }

  /** Nothing new: ships a line that waits for its end too long, lets go of a rotated file. */
  async #rest(sink: LineSink, buffer: Buffer): Promise<void> {
    const { partialLineWaitMs, rotatedFileWaitMs } = this.#options
    const waitMs = this.state === 'rotated' ? rotatedFileWaitMs : partialLineWaitMs
    if (!this.#isSilentFor(waitMs)) return
    const file = defined(this.#file, 'open file')
    const rest = Buffer.from(buffer.subarray(0, await file.read(buffer, this.#offset)))
    if (rest.includes(LINE_FEED)) return
    sink.advanceTo(this.#world.clock.nowNs())
    for (let at = 0; at < rest.length; at += this.#options.maxLineBytes) {
      sink.add(this.labels, rest.subarray(at, at + this.#options.maxLineBytes))
    }
    if (rest.length > 0) {
      this.#offset += rest.length
      this.#cut = true
      sink.reached(this.position)
    }
    this.#grewMs = this.#world.clock.monotonicMs()
    if (this.state === 'rotated') {
      this.state = 'ended'
      await this.close()
    }
  }

  #isSilentFor(ms: number): boolean {
    return this.#world.clock.monotonicMs() - this.#grewMs >= ms
  }
}

async function firstBytesOf(file: ReadFile, count: number): Promise<Buffer> {
  const bytes = Buffer.alloc(count)
  return bytes.subarray(0, count === 0 ? 0 : await file.read(bytes, 0))
}

/** The file with this inode, at `path` or in its directory, where rotation leaves it. */
export async function findByInode(disk: Disk, path: string, inode: number): Promise<string | undefined> {
  if ((await disk.stat(path))?.inode === inode) return path
  const dir = dirname(path)
  for (const { name, isDirectory } of await disk.list(dir)) {
    if (isDirectory) continue
    const found = await disk.stat(`${dir}/${name}`).catch(() => undefined)
    if (found?.inode === inode) return `${dir}/${name}`
  }
  return undefined
}

function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end
}

/** At most `size` bytes behind `start`, not inside a UTF-8 character if that can be had. */
function splitPoint(bytes: Buffer, start: number, size: number): number {
  const end = start + size
  for (let at = end; at > end - 4 && at > start; at--) {
    if (((bytes[at] ?? 0) & 0xc0) !== 0x80) return at
  }
  return end
}

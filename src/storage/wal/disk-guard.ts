/**
 * Decides whether the WAL may write. It asks the volume at most once a second, subtracts what was written since, and keeps a
 * reserve free, because blocks must still be written for the WAL to shrink. After a failed write it closes for a moment; the
 * next push after that is the probe.
 */
import { formatByteSize } from '#/kernel/byte-size.ts'
import { Unavailable } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'

const PROBE_INTERVAL_MS = 1000
const RETRY_AFTER_SECONDS = 5

export class DiskGuard {
  readonly #world: World
  readonly #directory: string
  readonly #reserveBytes: number
  #freeBytes = 0
  #askedMs = -Infinity
  #closedUntilMs = -Infinity
  #closedBecause: Unavailable | undefined

  constructor(world: World, directory: string, reserveBytes: number) {
    this.#world = world
    this.#directory = directory
    this.#reserveBytes = reserveBytes
  }

  /** Why nothing can be written at this moment; undefined when it can, or when it is time to try again. */
  get closed(): Unavailable | undefined {
    return this.#world.clock.monotonicMs() < this.#closedUntilMs ? this.#closedBecause : undefined
  }

  get isClosed(): boolean {
    return this.#closedBecause !== undefined
  }

  /** Takes `bytes` of the free space. @throws Unavailable when they would eat the reserve. */
  async admit(bytes: number): Promise<void> {
    const { clock, disk } = this.#world
    const isStale = clock.monotonicMs() - this.#askedMs >= PROBE_INTERVAL_MS
    if (isStale || this.#freeBytes - bytes < this.#reserveBytes) {
      this.#askedMs = clock.monotonicMs()
      this.#freeBytes = await disk.freeBytes(this.#directory)
    }
    if (this.#freeBytes - bytes < this.#reserveBytes) throw this.close(diskFull(this.#freeBytes, this.#reserveBytes))
    this.#freeBytes -= bytes
  }

  /** A write or sync failed: returns what to tell those who wait. */
  failed(error: unknown): Unavailable {
    if (error instanceof Unavailable) return this.close(error)
    const { code, message } = error as NodeJS.ErrnoException
    const text =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? `the disk of the write-ahead log is full: ${message}`
        : `the write-ahead log cannot be written: ${message}`
    return this.close(new Unavailable(text, { cause: error, retryAfterSeconds: RETRY_AFTER_SECONDS }))
  }

  close(because: Unavailable): Unavailable {
    this.#closedBecause = because
    this.#closedUntilMs = this.#world.clock.monotonicMs() + PROBE_INTERVAL_MS
    return because
  }

  /** A write succeeded. */
  reopen(): void {
    this.#closedBecause = undefined
  }
}

function diskFull(freeBytes: number, reserveBytes: number): Unavailable {
  return new Unavailable(
    `the disk of the write-ahead log is full: ${freeBytes} bytes are free, ${formatByteSize(reserveBytes)} are kept in reserve`,
    { retryAfterSeconds: RETRY_AFTER_SECONDS },
  )
}

/** The snapshots of a running server: makes and removes one at a time, and lists those that are there. */
import { createSnapshot, type SnapshotSource } from './create-snapshot.ts'
import { deleteSnapshot } from './delete-snapshot.ts'
import { listSnapshots } from './list-snapshots.ts'
import { SnapshotFolder } from './snapshot-folder.ts'
import { type EddaError, LimitExceeded } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { DeletedSnapshot, SendSnapshotEvent, SnapshotInfo, Snapshots } from '#/logs/wire/snapshot.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

export type SnapshotKeeperOptions = SnapshotSource & {
  readonly world: World
  readonly logger: Logger
  /** Where snapshots are. */
  readonly directory: string
  /** Why nothing may be written at this moment; undefined when it may. */
  readonly refusal: () => EddaError | undefined
}

export type SnapshotStats = {
  readonly isRunning: boolean
  readonly made: number
  readonly failed: number
  /** When the last one was made, seconds since the epoch; 0 when none was since the start. */
  readonly lastMadeSeconds: number
}

export class SnapshotKeeper implements Snapshots {
  readonly #options: SnapshotKeeperOptions
  readonly #stats = { isRunning: false, made: 0, failed: 0, lastMadeSeconds: 0 }
  readonly #stopping = new AbortController()
  #running: Promise<unknown> = Promise.resolve()

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options
  }

  async create(name: string | undefined, send: SendSnapshotEvent, signal: AbortSignal): Promise<void> {
    const refusal = this.#options.refusal()
    if (refusal !== undefined) throw refusal
    const snapshot = await this.#alone(signal, (both) => this.#create(name, send, both))
    await send({ type: 'done', snapshot })
  }

  async delete(name: string, signal: AbortSignal): Promise<DeletedSnapshot> {
    const { world, logger, directory } = this.#options
    const deleted = await this.#alone(signal, (both) => deleteSnapshot(world, directory, name, both))
    logger.info('removed a snapshot', { snapshot: name, directory, blocks: deleted.blocks, bytes: deleted.bytes })
    return deleted
  }

  /** One at a time: a snapshot that is made shares blocks that one that is removed may not need. */
  async #alone<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#stats.isRunning) throw new LimitExceeded('a snapshot is being made or removed', { retryAfterSeconds: 30 })
    this.#stats.isRunning = true
    const working = work(AbortSignal.any([signal, this.#stopping.signal])).finally(
      () => (this.#stats.isRunning = false),
    )
    this.#running = working.catch(() => undefined)
    return working
  }

  async #create(name: string | undefined, send: SendSnapshotEvent, signal: AbortSignal): Promise<SnapshotInfo> {
    const { world, logger, directory } = this.#options
    const startedMs = world.clock.monotonicMs()
    try {
      const folder = new SnapshotFolder(world, directory)
      const snapshot = await createSnapshot({ ...this.#options, folder, name, send, signal })
      this.#stats.made++
      this.#stats.lastMadeSeconds = Math.floor(world.clock.nowMs() / 1000)
      const { objects, bytes, newBytes } = snapshot
      const ms = Math.round(world.clock.monotonicMs() - startedMs)
      logger.info('made a snapshot', { snapshot: snapshot.name, directory, objects, bytes, newBytes, ms })
      return snapshot
    } catch (error) {
      this.#stats.failed++
      logger.warn('a snapshot was not made', { directory, error: (error as Error).message })
      throw error
    }
  }

  list(signal: AbortSignal): AsyncIterable<SnapshotInfo> {
    return listSnapshots(this.#options.world, this.#options.directory, signal)
  }

  stats(): SnapshotStats {
    return { ...this.#stats }
  }

  /** Gives up what is being made; resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }
}

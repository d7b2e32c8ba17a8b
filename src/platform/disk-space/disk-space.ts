/**
 * Watches the free space of the volumes that data is written to, so that a full disk is announced before it is met.
 *
 *     enough     all is well
 *     low        announced
 *     read-only  nothing new is taken until `writableBytes` are free again; what is in memory is still written
 *
 * Whoever can free space says how much there should be, and is told at every look at which there is less (`onBelow`).
 * The distance between `readOnlyBytes` and `writableBytes` keeps the state from flapping.
 */
import { Unavailable } from '#/kernel/errors.ts'
import { formatByteSize, roundByteSize } from '#/kernel/byte-size.ts'
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

export type SpaceState = 'enough' | 'low' | 'read-only'

/** `name` says what is stored there. */
export type Volume = { readonly name: string; readonly directory: string }

export type VolumeSpace = Volume & { readonly freeBytes: number; readonly state: SpaceState }

export type DiskSpaceOptions = {
  readonly world: Pick<World, 'clock' | 'disk'>
  readonly logger: Logger
  readonly volumes: readonly Volume[]
  readonly lowBytes: number
  readonly readOnlyBytes: number
  readonly writableBytes: number
  readonly intervalMs: number
}

type Follower = { readonly name: string; readonly bytes: number; readonly listener: () => void }

export class DiskSpace {
  readonly #options: DiskSpaceOptions
  readonly #followers = new Set<Follower>()
  #volumes: readonly VolumeSpace[] = []
  #looking: Promise<void> | undefined
  #hasFailed = false
  #stopTimer: (() => void) | undefined

  private constructor(options: DiskSpaceOptions) {
    this.#options = options
  }

  /** Looks once, and from then on at every interval. */
  static async open(options: DiskSpaceOptions): Promise<DiskSpace> {
    const space = new DiskSpace(options)
    await space.look()
    space.#stopTimer = options.world.clock.every(options.intervalMs, () => void space.look())
    return space
  }

  stop(): void {
    this.#stopTimer?.()
  }

  volumes(): readonly VolumeSpace[] {
    return this.#volumes
  }

  /** Why nothing new may be stored; undefined when it may. */
  get refusal(): Unavailable | undefined {
    return this.#refusalOf(this.#volumes.find(({ state }) => state === 'read-only'))
  }

  /** Looks, and says why so many bytes may not be written to the volume `name`: it is read-only, or would be behind them. */
  async refusalOf(name: string, bytes: number): Promise<Unavailable | undefined> {
    await this.look()
    const volume = this.#volumes.find((one) => one.name === name)
    if (volume === undefined || volume.state === 'read-only') return this.#refusalOf(volume)
    const { readOnlyBytes } = this.#options
    if (volume.freeBytes - bytes >= readOnlyBytes) return undefined
    const [size, free] = [roundByteSize(bytes), roundByteSize(volume.freeBytes)]
    return new Unavailable(
      `the disk of ${name} has ${free} free, and ${size} more would leave less than ${formatByteSize(readOnlyBytes)}`,
    )
  }

  #refusalOf(full: VolumeSpace | undefined): Unavailable | undefined {
    if (full === undefined) return undefined
    const { readOnlyBytes, writableBytes } = this.#options
    return new Unavailable(
      `read-only: the disk of ${full.name} has ${roundByteSize(full.freeBytes)} free, less than ${formatByteSize(readOnlyBytes)}; writing goes on when ${formatByteSize(writableBytes)} are free`,
      { retryAfterSeconds: 30 },
    )
  }

  /** Calls `listener` at every look at which the volume `name` has less than `bytes` free, until the returned function is called. */
  onBelow(name: string, bytes: number, listener: () => void): () => void {
    const follower = { name, bytes, listener }
    this.#followers.add(follower)
    return () => void this.#followers.delete(follower)
  }

  /** Looks now; for whoever has just freed or filled space. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async #look(): Promise<void> {
    const { world, volumes, logger } = this.#options
    try {
      const seen = await Promise.all(
        volumes.map(async (volume) => ({ ...volume, freeBytes: await world.disk.freeBytes(volume.directory) })),
      )
      this.#hasFailed = false
      const before = this.#volumes
      this.#volumes = seen.map((one, i) => ({ ...one, state: this.#stateOf(one.freeBytes, before[i]?.state) }))
      for (const [i, volume] of this.#volumes.entries()) this.#announce(volume, before[i]?.state ?? 'enough')
    } catch (error) {
      if (!this.#hasFailed) logger.warn('cannot ask for free disk space', { error: (error as Error).message })
      this.#hasFailed = true
    }
  }

  #stateOf(freeBytes: number, before: SpaceState | undefined): SpaceState {
    const { lowBytes, readOnlyBytes, writableBytes } = this.#options
    if (freeBytes < (before === 'read-only' ? writableBytes : readOnlyBytes)) return 'read-only'
    return freeBytes < lowBytes ? 'low' : 'enough'
  }

  #announce(volume: VolumeSpace, before: SpaceState): void {
    const { logger } = this.#options
    const { name, directory, freeBytes, state } = volume
    if (state !== before) {
      const fields = { disk: name, directory, free: roundByteSize(freeBytes), was: before }
      if (state === 'read-only') logger.error('the disk is nearly full: new entries are refused', fields)
      else if (before === 'read-only') logger.info('the disk has room again: new entries are taken', fields)
      else if (state === 'low') logger.warn('the disk is filling up', fields)
      else logger.info('the disk has room again', fields)
    }
    for (const one of this.#followers) if (one.name === name && freeBytes < one.bytes) one.listener()
  }
}

/** `disk <name> => <state>, <free> free`, for `/ready?verbose`. */
export function spaceLines(volumes: readonly VolumeSpace[]): string {
  return volumes
    .map(({ name, state, freeBytes }) => `disk of ${name} => ${state}, ${roundByteSize(freeBytes)} free\n`)
    .join('')
}

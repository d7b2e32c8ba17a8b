/** A WAL in a simulated world, for tests: open, write texts, lose power, read back. */
import { Wal, type WalOptions } from '#/storage/wal/wal.ts'
import type { Corruption } from '#/kernel/errors.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { type SimWorld, simWorld } from './world/sim-world.ts'

export const walDir = '/data/wal'

export class WalHarness {
  readonly world: SimWorld
  readonly corruptions: Corruption[] = []
  /** Texts in the order of `onDurable`. */
  readonly durable: string[] = []
  found: string[] = []
  sequences: number[] = []
  wal!: Wal
  readonly #options: Partial<WalOptions>

  constructor(seed: number, options: Partial<WalOptions> = {}) {
    this.world = simWorld(seed)
    this.#options = { reserveBytes: 0, ...options }
  }

  async start(): Promise<this> {
    this.found = []
    this.sequences = []
    this.wal = await Wal.open({
      world: { ...this.world, disk: this.world.disk.session() },
      directory: walDir,
      log: silentLogger,
      sync: 'commit',
      onCorruption: (corruption) => this.corruptions.push(corruption),
      ...this.#options,
    })
    await this.wal.replay(({ payload, sequence }) => {
      this.found.push(payload.toString())
      this.sequences.push(sequence)
    })
    return this
  }

  async write(text: string): Promise<number> {
    const half = Math.floor(text.length / 2)
    const parts = [Buffer.from(text.slice(0, half)), Buffer.from(text.slice(half))]
    return this.wal.append(parts, () => this.durable.push(text))
  }

  async crashAndStart(): Promise<this> {
    this.world.clock.clear()
    this.world.disk.crash()
    return this.start()
  }

  segments(): string[] {
    return this.world.disk.paths().filter((path) => path.endsWith('.wal'))
  }
}

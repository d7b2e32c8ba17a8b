/** An ingester with its store and catalog on one simulated disk: push, lose power, start again, read everything back. */
import type { Corruption } from '#/kernel/errors.ts'
import { buildEntryBatch, type PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import type { PushOutcome } from '#/logs/wire/head-view.ts'
import { buildBlockHere } from '#/logs/write/ingester/build-block.ts'
import { Ingester, type IngesterOptions } from '#/logs/write/ingester/ingester.ts'
import type { BuildBlock } from '#/logs/write/ingester/ports.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { Catalog } from '#/storage/catalog/catalog.ts'
import { readView } from './read-rows.ts'
import { type SimWorld, simWorld } from './world/sim-world.ts'

export const walDir = '/data/wal'
export const blockDir = '/data/blocks'

export type HarnessOptions = Partial<Omit<IngesterOptions, 'world' | 'store' | 'catalog' | 'wal'>> & {
  readonly wal?: Partial<IngesterOptions['wal']>
  readonly memoryBytes?: number
}

const noLimits = {
  max_streams_per_user: 0,
  max_global_streams_per_user: 0,
  per_stream_rate_limit: 0,
  per_stream_rate_limit_burst: 0,
}

export class IngesterHarness {
  readonly world: SimWorld
  readonly corruptions: Corruption[] = []
  ingester!: Ingester
  store!: FilesystemStore
  catalog!: Catalog
  /** Replace it to let builds fail or wait. */
  buildBlock: BuildBlock
  readonly #options: HarnessOptions

  constructor(seed: number, options: HarnessOptions = {}) {
    this.world = simWorld(seed)
    this.#options = options
    this.buildBlock = options.buildBlock ?? buildBlockHere
  }

  get walSync(): IngesterOptions['wal']['sync'] {
    return this.#options.wal?.sync ?? 'commit'
  }

  async start(): Promise<this> {
    const world = { ...this.world, disk: this.world.disk.session() }
    const { wal, memoryBytes = 256 * 1024 * 1024, ...rest } = this.#options
    this.store = await FilesystemStore.open({ ...world, root: blockDir })
    this.catalog = await Catalog.open({ store: this.store, logger: silentLogger })
    this.ingester = await Ingester.open({
      log: silentLogger,
      budget: new MemoryBudget(memoryBytes),
      limits: () => noLimits,
      flushBytes: 64 * 1024 * 1024,
      flushAgeMs: 300_000,
      onCorruption: (corruption) => this.corruptions.push(corruption),
      ...rest,
      world,
      store: this.store,
      catalog: this.catalog,
      buildBlock: (input) => this.buildBlock(input),
      wal: { directory: walDir, sync: 'commit', reserveBytes: 0, ...wal },
    })
    return this
  }

  push(entries: readonly PlainEntry[], tenant = 'a'): Promise<PushOutcome> {
    return this.ingester.push(tenant, buildEntryBatch(entries), undefined)
  }

  async crashAndStart(): Promise<this> {
    this.world.clock.clear()
    this.world.disk.crash()
    return this.start()
  }

  /** Everything that queries of a tenant would see, sorted. */
  async rows(tenant = 'a'): Promise<string[]> {
    const view = await this.ingester.view(tenant, -Infinity, Infinity)
    return (await readView(view, this.store)).toSorted()
  }

  async blockCount(tenant = 'a'): Promise<number> {
    return (await this.ingester.view(tenant, -Infinity, Infinity)).blocks.length
  }
}

/** An ingester and a compactor over one simulated disk: push, flush, merge, lose power, start again, read everything back. */
import { Compactor, type CompactorSettings } from '#/logs/compactor/schedule/compactor.ts'
import { everyLease } from '#/logs/compactor/schedule/lease.ts'
import type { CompileErasers, Erasures } from '#/logs/compactor/merge/erase.ts'
import { inlineMergeThreads } from '#/logs/compactor/tasks/inline-merge-threads.ts'
import type { Clock } from '#/kernel/world.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { IngesterHarness } from './ingester-harness.ts'

export const compactionSettings: CompactorSettings = {
  targetBytes: 1000,
  targetStoredBytes: 1e6,
  maxInputs: 4,
  settleMs: 600_000,
  intervalMs: 600_000,
  deleteDelayMs: 3_600_000,
  mergesByItself: true,
}

export type CompactionOptions = {
  readonly settings?: Partial<CompactorSettings>
  readonly erasures?: Erasures
  readonly compile?: CompileErasers
  readonly refusalOf?: (bytes: number) => Promise<Error | undefined>
}

export class CompactionHarness extends IngesterHarness {
  compactor!: Compactor
  /** Set before `start`. */
  compaction: CompactionOptions = {}
  budget = new MemoryBudget(256 * 1024 * 1024)

  #aheadMs = 0

  /** Lets time go on for the compactor alone: nobody else's timers fire. */
  skip(ms: number): void {
    this.#aheadMs += ms
  }

  /** The clock of the compactor. */
  get clock(): Clock {
    const { clock } = this.world
    const ahead = (): number => this.#aheadMs
    return {
      nowNs: () => clock.nowNs() + BigInt(ahead()) * 1_000_000n,
      nowMs: () => clock.nowMs() + ahead(),
      monotonicMs: () => clock.monotonicMs() + ahead(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      every: (ms, tick) => clock.every(ms, tick),
    }
  }

  override async start(): Promise<this> {
    await super.start()
    const { settings, erasures, compile, refusalOf } = this.compaction
    const merged = { ...compactionSettings, ...settings }
    this.budget = new MemoryBudget(256 * 1024 * 1024)
    this.compactor = new Compactor(merged, {
      store: this.store,
      catalog: this.catalog,
      threads: inlineMergeThreads(compile),
      world: { ...this.world, clock: this.clock },
      budget: this.budget,
      buffers: new SharedBuffers({ budget: this.budget, maxIdleBytes: 0 }),
      limits: {
        outputBytes: merged.targetBytes,
        outputStoredBytes: merged.targetStoredBytes,
        sliceBytes: 400,
        sliceRows: 100,
        memoryPart: 0.5,
      },
      leases: everyLease,
      logger: silentLogger,
      limitsOf: () => ({ pattern_mining: false }),
      erasures,
      refusalOf,
    })
    return this
  }

  /** Names of all blocks that are objects in the store. */
  async objects(): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of this.store.list({ prefix: '' })) if (key.endsWith('.edda')) keys.push(key)
    return keys
  }

  /** Names of all blocks that count. */
  blocks(): string[] {
    return this.catalog
      .days()
      .flatMap(({ state }) => [...state.blocks.keys()])
      .sort()
  }
}

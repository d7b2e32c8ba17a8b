/** Ingester, compactor, retention and deletes over one simulated disk, and queries that see what is not hidden. */
import { StoredDeletes } from '#/logs/compactor/deletes/delete-requests.ts'
import { DeleteWork, type DeleteWorkSettings } from '#/logs/compactor/deletes/delete-work.ts'
import { RetentionWork, type RetentionSettings } from '#/logs/compactor/retention/retention-work.ts'
import { compileErasers } from '#/logs/compactor/tasks/compile-erasers.ts'
import { Upkeep } from '#/logs/compactor/upkeep.ts'
import { limits, type Limits } from '#/logs/limits.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { CompactionHarness } from './compaction-harness.ts'
import { readBlock } from './read-rows.ts'
import { walDir } from './ingester-harness.ts'

const hourMs = 3_600_000
const signal = new AbortController().signal

export class EraseHarness extends CompactionHarness {
  deletes!: StoredDeletes
  retention!: RetentionWork
  upkeep!: Upkeep
  deleteWork!: DeleteWork
  querier!: Querier
  limitsOf: (tenant: string) => Limits = () => defaultsOf(limits)
  eraseSettings: DeleteWorkSettings = { waitMs: 0, erasePeriodMs: 24 * hourMs }
  cancelPeriodMs = 24 * hourMs
  upkeepIntervalMs = hourMs
  retentionSettings: RetentionSettings = { isEnabled: true, minFreeBytes: 0 }
  freeBytes = async (): Promise<number> => Infinity

  override async start(): Promise<this> {
    this.compaction = {
      ...this.compaction,
      compile: compileErasers,
      erasures: {
        ordersFor: (block) => this.upkeep.erasures.ordersFor(block),
        cannotWait: (block) => this.upkeep.erasures.cannotWait(block),
        onErased: (done) => this.upkeep.erasures.onErased(done),
      },
    }
    await super.start()
    const { store, catalog, ingester, clock } = this
    const limitsOf = (tenant: string): Limits => this.limitsOf(tenant)
    const world = { ...this.world, clock }
    this.deletes = await StoredDeletes.open(
      { cancelPeriodMs: this.cancelPeriodMs, maxIntervalMs: 24 * hourMs },
      { world, store, logger: silentLogger, limitsOf },
    )
    const openBlock = (meta: Parameters<typeof openLogBlock>[1]): ReturnType<typeof openLogBlock> =>
      openLogBlock(store, meta)
    const shared = { catalog, clock, logger: silentLogger, openBlock }
    this.deleteWork = new DeleteWork(this.eraseSettings, { ...shared, deletes: this.deletes, memory: ingester })
    this.retention = new RetentionWork(this.retentionSettings, {
      ...shared,
      limitsOf,
      freeBytes: () => this.freeBytes(),
      emptyLog: () => ingester.emptyLog(),
      deleteObject: (key) => store.delete(key),
    })
    this.upkeep = new Upkeep({
      deletes: this.deleteWork,
      retention: this.retention,
      clock,
      logger: silentLogger,
      intervalMs: this.upkeepIntervalMs,
    })
    this.querier = new Querier({
      ingesters: [ingester],
      openBlock,
      deletes: this.deletes,
      pool: inlineScanPool(2),
      budget: this.budget,
      clock,
    })
    return this
  }

  /** Looks, merges, and deletes what is buried. */
  async round(): Promise<void> {
    await this.upkeep.look()
    await this.compactor.runOnce()
    this.skip(2 * hourMs)
    await this.compactor.runOnce()
    await this.upkeep.look()
  }

  /** Lines that a query of the tenant sees, sorted. */
  async seen(tenant: string): Promise<string[]> {
    const query = '{app=~".+"}'
    const range = { startNs: 0n, endNs: 2n ** 62n, stepNs: 1n, intervalNs: 0n, limit: 10_000 }
    const asked = { tenant, query, expr: parseExpr(query), maxSeries: 0, direction: 'forward' as const, ...range }
    const { data } = await this.querier.range(asked, signal)
    if (data.kind !== 'streams') throw new TypeError('a log query has streams')
    return data.streams.flatMap(({ entries }) => entries.map(({ line }) => line.toString())).sort()
  }

  /** Everything that is stored, whether it counts or not: rows of all objects, and the bytes of the write-ahead log. */
  async stored(): Promise<string> {
    const rows: string[] = []
    for await (const { key, sizeBytes } of this.store.list({ prefix: '' })) {
      if (!key.endsWith('.edda')) continue
      const block = await openLogBlock(this.store, { key, sizeBytes })
      rows.push(...(await readBlock(block.meta, this.store)))
    }
    const { disk } = this.world
    const files = (await disk.list(walDir)).filter(({ isDirectory }) => !isDirectory)
    const logs = await Promise.all(files.map(({ name }) => disk.readFile(`${walDir}/${name}`)))
    return [...rows, ...logs.map((bytes) => bytes.toString('latin1'))].join('\n')
  }
}

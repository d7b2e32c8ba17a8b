/**
 * Removes what is too old, or too much. It looks from time to time: blocks that go whole are taken out of the catalog at once, and
 * their objects deleted after `compactor.retention_delete_delay`; for blocks in part it gives orders, which merges carry out
 * (../merge/erase.ts). Nothing is kept of its own: after a crash it looks again.
 */
import { FreeSpace } from './free-space.ts'
import {
  BlockInspections,
  msOf,
  oldestFirst,
  planRetention,
  type OpenBlock,
  type RetentionPlan,
} from './retention-plan.ts'
import { ruleName } from './retention-rules.ts'
import { throwIfAborted, Unavailable } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { EraseOrder, Erasures } from '#/logs/compactor/merge/erase.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import type {
  RemovedByRetention,
  Retention,
  RetentionRuleStatus,
  RetentionStatus,
  TenantRetention,
} from '#/logs/wire/retention.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'

/** Of a tenant, what went last. */
const MAX_REMOVED = 100

export type RetentionSettings = {
  readonly isEnabled: boolean
  /** 0: the disk may fill up. */
  readonly minFreeBytes: number
}

export type RetentionNeeds = {
  readonly catalog: Catalog
  readonly openBlock: OpenBlock
  readonly limitsOf: LimitsOf
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  readonly logger: Logger
  /** Of the volume of the blocks. */
  readonly freeBytes: () => Promise<number>
  /** Writes everything in memory as blocks and drops the write-ahead log before that; false when some of it had to stay. */
  readonly emptyLog: () => Promise<boolean>
  /** Deletes an object that does not count any more. */
  readonly deleteObject: (key: string) => Promise<void>
}

type Orders = Map<string, readonly EraseOrder[]>

export class RetentionWork implements Erasures, Retention {
  readonly #settings: RetentionSettings
  readonly #needs: RetentionNeeds
  readonly #inspections: BlockInspections
  readonly #space: FreeSpace
  /** By block, of the last look; one that is under way writes another. */
  #orders: Orders = new Map()
  readonly #removed = new Map<string, RemovedByRetention[]>()
  /** Blocks that were removed here, and whose objects are not deleted yet. */
  readonly #waiting = new Map<string, BlockMeta>()
  readonly counts = { blocks: 0, rows: 0, bytes: 0, looks: 0, failures: 0, lastSeconds: 0, lastDoneMs: 0 }

  constructor(settings: RetentionSettings, needs: RetentionNeeds) {
    this.#settings = settings
    this.#needs = needs
    this.#inspections = new BlockInspections(needs.openBlock)
    this.#space = new FreeSpace({
      ...needs,
      minFreeBytes: settings.minFreeBytes,
      waiting: this.#waiting,
      remove: (meta) => this.#remove([meta], meta.day, 'retention_min_free'),
    })
  }

  ordersFor({ key }: BlockMeta): readonly EraseOrder[] {
    return this.#orders.get(key) ?? []
  }

  /** Each rule makes a block be written once; there is nothing to be saved by waiting. */
  cannotWait({ key }: BlockMeta): boolean {
    return this.#orders.has(key)
  }

  onErased({ tenant, day, inputs, erased }: Parameters<Erasures['onErased']>[0]): void {
    for (const { key } of inputs) this.#orders.delete(key)
    for (const { id, rows, bytes } of erased) {
      if (!id.startsWith('retention') || rows === 0) continue
      this.#note(tenant, { atMs: this.#needs.clock.nowMs(), rule: ruleName(id), day, blocks: 0, rows, bytes })
    }
  }

  /** Removes what has to go now, and orders the rest. A tenant whose rules cannot be read loses nothing. */
  async look(signal?: AbortSignal): Promise<void> {
    if (!this.#settings.isEnabled) return
    const { catalog, logger, clock } = this.#needs
    const ordered: Orders = new Map()
    this.counts.looks++
    for (const tenant of catalog.tenants()) {
      throwIfAborted(signal)
      try {
        await this.#lookAt(tenant, ordered)
      } catch (error) {
        throwIfAborted(signal)
        this.counts.failures++
        logger.error('retention of a tenant failed, nothing more is removed', { tenant, error: messageOf(error) })
      }
    }
    this.#orders = ordered
    await this.#space.keep(signal)
    await this.#clearDays()
    const keys = new Set(this.#all().map(({ key }) => key))
    this.#inspections.keep((key) => keys.has(key))
    this.counts.lastDoneMs = clock.nowMs()
  }

  async #lookAt(tenant: string, ordered: Orders): Promise<void> {
    const { whole, orders } = await this.#plan(tenant)
    for (const [meta, list] of orders) ordered.set(meta.key, list)
    for (const [day, blocks] of Map.groupBy(whole.keys(), (meta) => meta.day)) {
      const byRule = Map.groupBy(blocks, (meta) => ruleName(whole.get(meta)!))
      for (const [rule, ofRule] of byRule) await this.#remove(ofRule, day, rule)
    }
  }

  #plan(tenant: string): Promise<RetentionPlan> {
    const { clock, limitsOf } = this.#needs
    const options = { nowMs: clock.nowMs(), inspections: this.#inspections }
    return planRetention(this.#blocks(tenant), limitsOf(tenant), options)
  }

  /** Blocks of one tenant and day. One that a merge has replaced meanwhile is met again at the next look. */
  async #remove(blocks: readonly BlockMeta[], day: number, rule: string): Promise<boolean> {
    const { catalog, clock, logger } = this.#needs
    const { tenant } = blocks[0]!
    try {
      await catalog.remove(blocks)
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      logger.info('blocks could not be removed and will be looked at again', { tenant, day, error: error.message })
      return false
    }
    for (const meta of blocks) this.#waiting.set(meta.key, meta)
    const rows = blocks.reduce((sum, { rowCount }) => sum + rowCount, 0)
    const bytes = blocks.reduce((sum, { rawBytes }) => sum + rawBytes, 0)
    this.#note(tenant, { atMs: clock.nowMs(), rule, day, blocks: blocks.length, rows, bytes })
    logger.info('removed blocks', { tenant, day, rule, blocks: blocks.length, rows, bytes })
    return true
  }

  #note(tenant: string, removed: RemovedByRetention): void {
    const list = this.#removed.get(tenant) ?? []
    this.#removed.set(tenant, list)
    list.push(removed)
    if (list.length > MAX_REMOVED) list.shift()
    this.counts.blocks += removed.blocks
    this.counts.rows += removed.rows
    this.counts.bytes += removed.bytes
  }

  /** The disk fills up: what retention by space would do at the next look is done now, if need be beside a look. */
  async freeSpace(signal?: AbortSignal): Promise<void> {
    if (this.#settings.isEnabled) await this.#space.keep(signal)
  }

  /**
   * Days of which nothing is left need no file, once the write-ahead log has nothing of them either: the file says what of the log was
   * flushed, and without it a start would bring the entries back.
   */
  async #clearDays(): Promise<void> {
    const { catalog, emptyLog } = this.#needs
    const days = catalog.days()
    const buried = new Set(days.flatMap(({ state }) => [...state.tombstones]))
    for (const key of this.#waiting.keys()) if (!buried.has(key)) this.#waiting.delete(key)
    const empty = days.filter(
      ({ state: { blocks, tombstones, flushed } }) => blocks.size === 0 && tombstones.size === 0 && flushed.size > 0,
    )
    if (empty.length === 0 || !(await emptyLog())) return
    for (const { tenant, day } of empty) await catalog.clearDay(tenant, day)
  }

  // telling

  async status(only: string | undefined): Promise<RetentionStatus> {
    const { catalog } = this.#needs
    const known = new Set([...catalog.tenants(), ...this.#removed.keys()])
    const tenants = only === undefined ? [...known].sort() : [only]
    const { lastDoneMs } = this.counts
    return {
      isEnabled: this.#settings.isEnabled,
      ...(lastDoneMs === 0 ? {} : { lookedMs: lastDoneMs }),
      tenants: await Promise.all(tenants.map((tenant) => this.#statusOf(tenant))),
    }
  }

  async #statusOf(tenant: string): Promise<TenantRetention> {
    const blocks = oldestFirst(this.#blocks(tenant))
    const [oldest] = blocks
    const facts = {
      tenant,
      blocks: blocks.length,
      storedBytes: sizeOf(blocks),
      ...(oldest === undefined ? {} : { oldestMs: msOf(oldest.day, oldest.minTime) }),
      removed: [...(this.#removed.get(tenant) ?? [])],
    }
    try {
      return { ...facts, rules: this.#rulesOf(tenant, await this.#plan(tenant)) }
    } catch (error) {
      return { ...facts, rules: [], problem: messageOf(error) }
    }
  }

  #rulesOf(tenant: string, { rules, whole, orders, nextMs }: RetentionPlan): readonly RetentionRuleStatus[] {
    const going = (id: string): readonly BlockMeta[] => [...whole].filter((one) => one[1] === id).map(([meta]) => meta)
    const byAge = rules.map((rule, i): RetentionRuleStatus => {
      const { id, selector, priority, periodMs } = rule
      const blocks = going(id)
      const inPart = [...orders.values()].filter((list) => list.some((order) => order.id === id)).length
      return {
        rule: ruleName(id),
        ...(selector === undefined ? {} : { selector, priority }),
        periodMs,
        blocks: blocks.length,
        bytes: sizeOf(blocks),
        blocksInPart: inPart,
        ...(Number.isFinite(nextMs[i]) ? { nextMs: nextMs[i]! } : {}),
      }
    })
    const { retention_bytes: limitBytes } = this.#needs.limitsOf(tenant)
    if (limitBytes === 0) return byAge
    const beyond = going('retention_bytes')
    const bySize = { limitBytes, blocks: beyond.length, bytes: sizeOf(beyond), blocksInPart: 0 }
    return [...byAge, { rule: 'retention_bytes', ...bySize }]
  }

  #blocks(tenant: string): readonly BlockMeta[] {
    return this.#needs.catalog.list(tenant, -Infinity, Infinity)
  }

  #all(): readonly BlockMeta[] {
    return this.#needs.catalog.days().flatMap(({ state }) => [...state.blocks.values()])
  }
}

function sizeOf(blocks: readonly BlockMeta[]): number {
  return blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * Erases the lines of delete requests whose time to cancel is over. It looks from time to time:
 *
 *     1. heads of the tenant are written as blocks: what is in memory cannot be erased
 *     2. blocks in the time of the request are looked at: which of them have its streams; these get an order, and the next merges
 *        carry it out (../merge/erase.ts). A block that no merge takes is written anew for its orders alone when `waitMs` have
 *        passed, so that several requests make it be written once
 *     3. no block is left with an order: objects of blocks that merges replaced are remembered, and waited for until they are deleted
 *     4. the write-ahead log is emptied
 *
 * Then the request is erased. What is pushed meanwhile, with times of the request, is hidden and erased like the rest. A crash
 * anywhere begins again with 1; steps that were done find nothing to do.
 */
import type { StoredDeletes } from './delete-requests.ts'
import type { StoredRequest } from './request-file.ts'
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import { throwIfAborted } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { EraseOrder, Erasures } from '#/logs/compactor/merge/erase.ts'
import { streamMatchers } from '#/logs/logql/planner/label-matchers.ts'
import { rowQuery } from '#/logs/logql/planner/row-query.ts'
import { clipToDay, dayOf, type TimeRange } from '#/logs/model/day.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { parseBlockKey } from '#/storage/block/block-key.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'

const OPEN_CONCURRENCY = 4

/** What holds lines that are not in blocks yet. */
export interface LineMemory {
  /** Writes what is in memory of a tenant as blocks. */
  flush(tenant: string): Promise<void>
  /** Writes everything as blocks and drops the log before that; false when some of it had to stay. */
  emptyLog(): Promise<boolean>
}

export type DeleteWorkSettings = {
  /** How long the lines of a due request may wait for merges that take their blocks anyway. */
  readonly waitMs: number
  /** How long it may take in all until they are erased. */
  readonly erasePeriodMs: number
}

export type DeleteWorkNeeds = {
  readonly deletes: StoredDeletes
  readonly catalog: Pick<Catalog, 'list' | 'days'>
  readonly openBlock: (meta: BlockMeta) => Promise<LogBlock>
  readonly memory: LineMemory
  readonly clock: Pick<Clock, 'nowMs'>
  readonly logger: Logger
}

/** Of a block, and from when on they cannot wait any more. */
type Ordered = { readonly orders: readonly EraseOrder[]; readonly untilMs: number }
type Orders = Map<string, Ordered>

export class DeleteWork implements Erasures {
  readonly #settings: DeleteWorkSettings
  readonly #needs: DeleteWorkNeeds
  /** By block, of the last look; one that is under way writes another. */
  #orders: Orders = new Map()

  /** Requests, by tenant and id, that are known to be late. */
  #overdue: ReadonlySet<string> = new Set()

  constructor(settings: DeleteWorkSettings, needs: DeleteWorkNeeds) {
    this.#settings = settings
    this.#needs = needs
  }

  ordersFor({ key }: BlockMeta): readonly EraseOrder[] {
    return this.#orders.get(key)?.orders ?? []
  }

  cannotWait({ key }: BlockMeta): boolean {
    return (this.#orders.get(key)?.untilMs ?? Infinity) <= this.#needs.clock.nowMs()
  }

  /** Requests whose lines should be erased by now, and are not. */
  get overdue(): number {
    return this.#overdue.size
  }

  onErased(done: Parameters<Erasures['onErased']>[0]): void {
    const { deletes, logger } = this.#needs
    const { tenant, inputs, outputs, erased, orders } = done
    for (const { key } of inputs) this.#orders.delete(key)
    for (const { id } of orders) {
      const outKeys = outputs.map(({ key }) => key)
      deletes.setClean(tenant, id, outKeys)
      const { rows = 0, bytes = 0 } = erased.find((one) => one.id === id) ?? {}
      const count = (request: StoredRequest): StoredRequest => ({
        ...request,
        erasedRows: request.erasedRows + rows,
        erasedBytes: request.erasedBytes + bytes,
        blocksDone: request.blocksDone + inputs.length,
      })
      deletes.change(tenant, id, count).catch((error: unknown) => {
        logger.warn('cannot write down what was erased', { tenant, request: id, error: String(error) })
      })
    }
  }

  /** Does what can be done now. */
  async look(signal?: AbortSignal): Promise<void> {
    const orders: Orders = new Map()
    for (const tenant of this.#needs.deletes.tenants()) {
      const due = this.#needs.deletes.due(tenant)
      if (due.length === 0) continue
      await this.#needs.memory.flush(tenant)
      for (const request of due) {
        throwIfAborted(signal)
        await this.#lookAt(request, orders)
      }
    }
    this.#orders = orders
    this.#tellOverdue()
  }

  #tellOverdue(): void {
    const { deletes, clock, logger } = this.#needs
    const late = deletes.tenants().flatMap((tenant) => deletes.due(tenant))
    const nowMs = clock.nowMs()
    const overdue = late.filter((one) => deletes.dueMs(one) + this.#settings.erasePeriodMs < nowMs)
    for (const { tenant, id, blocks, blocksDone } of overdue) {
      if (this.#overdue.has(`${tenant}/${id}`)) continue
      logger.error('the lines of a delete request are not erased in time', { tenant, request: id, blocks, blocksDone })
    }
    this.#overdue = new Set(overdue.map(({ tenant, id }) => `${tenant}/${id}`))
  }

  async #lookAt(request: StoredRequest, orders: Orders): Promise<void> {
    const { deletes } = this.#needs
    const { tenant, id } = request
    const pending = await this.#orderBlocks(request, orders)
    if (request.state === 'masked' || pending > 0) {
      await deletes.change(tenant, id, (now) => ({
        ...now,
        state: 'erasing',
        oldBlocks: [],
        blocks: now.blocksDone + pending,
      }))
    }
    if (pending > 0) return
    const buried = this.#buried(request)
    const waitsFor = request.oldBlocks.length > 0 ? request.oldBlocks.filter((key) => buried.has(key)) : [...buried]
    if (waitsFor.length > 0) {
      await deletes.change(tenant, id, (now) => ({ ...now, oldBlocks: waitsFor }))
      return
    }
    if (!(await this.#needs.memory.emptyLog())) return
    const erasedMs = this.#needs.clock.nowMs()
    // what the log gave up has become blocks, and may be of this request
    if ((await this.#orderBlocks(request, orders)) > 0) return
    await deletes.change(tenant, id, (now) => ({ ...now, state: 'erased', erasedMs, oldBlocks: [] }))
    this.#needs.logger.info('the lines of a delete request are erased', { tenant, request: id })
  }

  /** Orders all blocks that may have lines of the request; returns how many there are. */
  async #orderBlocks(request: StoredRequest, orders: Orders): Promise<number> {
    const { catalog, deletes, openBlock } = this.#needs
    const { tenant, id, query } = request
    const range = rangeOf(request)
    const blocks = catalog
      .list(tenant, dayOf(range.startNs), dayOf(range.endNs - 1n))
      .filter((meta) => isInTime(meta, clipToDay(range, meta.day)))
    const keys = new Set(blocks.map(({ key }) => key))
    deletes.keepClean(tenant, id, (key) => keys.has(key))
    const matchers = streamMatchers(rowQuery(query))
    let pending = 0
    await eachConcurrently(
      blocks.filter(({ key }) => !deletes.isClean(tenant, id, key)),
      OPEN_CONCURRENCY,
      async (meta) => {
        const times = clipToDay(range, meta.day)
        const block = await openBlock(meta)
        if (!hasStreams(block, block.streams.match(matchers), times)) {
          deletes.setClean(tenant, id, [meta.key])
          return
        }
        pending++
        const { orders: known, untilMs } = orders.get(meta.key) ?? { orders: [], untilMs: Infinity }
        const others = known.filter((order) => order.id !== id)
        orders.set(meta.key, {
          orders: [...others, { id, query, ...times }],
          untilMs: Math.min(untilMs, deletes.dueMs(request) + this.#settings.waitMs),
        })
      },
    )
    return pending
  }

  /** Objects in the time of the request that do not count any more and are not deleted yet. */
  #buried({ tenant, ...request }: StoredRequest): ReadonlySet<string> {
    const range = rangeOf(request)
    const [first, last] = [dayOf(range.startNs), dayOf(range.endNs - 1n)]
    const days = this.#needs.catalog
      .days()
      .filter((one) => one.tenant === tenant && one.day >= first && one.day <= last)
    const keys = days.flatMap(({ day, state }) =>
      [...state.tombstones].filter((key) => {
        const name = parseBlockKey(key)
        return name !== undefined && isInTime(name, clipToDay(range, day))
      }),
    )
    return new Set(keys)
  }
}

function rangeOf({ startMs, endMs }: Pick<StoredRequest, 'startMs' | 'endMs'>): TimeRange {
  return { startNs: BigInt(startMs) * 1_000_000n, endNs: BigInt(endMs + 1) * 1_000_000n }
}

type Times = { readonly from: number; readonly to: number }

function isInTime({ minTime, maxTime }: Pick<BlockMeta, 'minTime' | 'maxTime'>, { from, to }: Times): boolean {
  return minTime < to && maxTime >= from
}

function hasStreams({ runs, streams }: LogBlock, ordinals: Uint32Array, { from, to }: Times): boolean {
  if (ordinals.length === 0) return false
  const isMeant = new Uint8Array(streams.count)
  for (const ordinal of ordinals) isMeant[ordinal] = 1
  const { stream, minTime, maxTime } = runs
  return stream.some((ordinal, run) => isMeant[ordinal] === 1 && minTime[run]! < to && maxTime[run]! >= from)
}

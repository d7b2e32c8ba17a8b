/**
 * Which blocks exist. The truth is the complete objects in the store; the catalog keeps their metadata in memory and, per
 * tenant and day, in one small object that makes the next start fast.
 *
 * Order of a publication: the caller has written the block's object, then the day file is written, then, in one synchronous
 * step, the block becomes visible. A crash in between leaves an object that the next start adopts. A publication that failed
 * must be tried again with the same block: its object exists, so the rows written under another key would count twice.
 */
import { DAY_FILE_NAME, emptyDay, encodeDayFile } from './day-file.ts'
import type { DayState } from './day-file.ts'
import { flushedBy, loadDay } from './load-day.ts'
import type { DamagedBlock, DayObjects } from './load-day.ts'
import { assert } from '#/kernel/assert.ts'
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import { Unavailable } from '#/kernel/errors.ts'
import type { ObjectHead, ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { dayPrefix, parseKeyDay } from '#/storage/block/block-key.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

const SIGNAL = 'logs'
const TENANTS_AT_ONCE = 4
const DAYS_AT_ONCE = 4

export type CatalogOptions = { readonly store: ObjectStore; readonly logger: Logger }

type Day = {
  state: DayState
  /** Sorted by least time, then key; made when asked for. */
  sorted: readonly BlockMeta[] | undefined
  /** Ends when the last write of the day file that was begun has ended. */
  writing: Promise<void>
}

type DayChange = {
  readonly tenant: string
  readonly day: number
  readonly entry: Day
  readonly next: (state: DayState) => DayState
  readonly onVisible: () => void
}

export class Catalog {
  readonly #store: ObjectStore
  readonly #logger: Logger
  readonly #tenants = new Map<string, Map<number, Day>>()
  readonly #damaged: DamagedBlock[] = []

  private constructor({ store, logger }: CatalogOptions) {
    this.#store = store
    this.#logger = logger
  }

  /** Reads what is in the store. */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const catalog = new Catalog(options)
    const prefixes = await options.store.listPrefixes('')
    await eachConcurrently(prefixes, TENANTS_AT_ONCE, (prefix) => catalog.#loadTenant(prefix.slice(0, -1)))
    return catalog
  }

  /** Tenants that have blocks, sorted. */
  tenants(): readonly string[] {
    const withBlocks = [...this.#tenants].filter(([, days]) =>
      [...days.values()].some((day) => day.state.blocks.size > 0),
    )
    return withBlocks.map(([tenant]) => tenant).sort()
  }

  /** Blocks of the days [firstDay, lastDay], by day, least time and key. */
  list(tenant: string, firstDay: number, lastDay: number): readonly BlockMeta[] {
    const days = this.#tenants.get(tenant)
    if (days === undefined) return []
    const wanted = [...days.keys()].filter((day) => day >= firstDay && day <= lastDay).sort((a, b) => a - b)
    return wanted.flatMap((day) => sortedBlocks(days.get(day)!))
  }

  /** What is known of a day; its values are never changed. */
  dayState(tenant: string, day: number): DayState | undefined {
    return this.#tenants.get(tenant)?.get(day)?.state
  }

  /** All days as they are at this moment: a consistent view of everything, as the values are never changed. */
  days(): readonly { readonly tenant: string; readonly day: number; readonly state: DayState }[] {
    return [...this.#tenants].flatMap(([tenant, days]) =>
      Array.from(days, ([day, { state }]) => ({ tenant, day, state })),
    )
  }

  /** Blocks that could not be opened at start. */
  damaged(): readonly DamagedBlock[] {
    return this.#damaged
  }

  /**
   * Greatest WAL sequence number that the blocks of this ingester, tenant and day cover; 0 when there is none. Replay skips
   * the tenant's rows of that day in records up to it.
   */
  flushedSequence(ingester: string, tenant: string, day: number): number {
    return this.#tenants.get(tenant)?.get(day)?.state.flushed.get(ingester) ?? 0
  }

  /**
   * Makes a block known whose object has been written. When it is persisted, the block becomes visible in `list` and
   * `onVisible` is called in the same synchronous step. Rejects, and changes nothing, when the store fails; to be called again
   * with the same block then.
   */
  async publish(meta: BlockMeta, onVisible: () => void): Promise<void> {
    await this.#change(meta.tenant, meta.day, (state) => withBlocks(state, [], [meta]), onVisible)
  }

  /**
   * Completes a merge: from one instant to the next, `outs`, whose objects have been written and whose `replaces` names the
   * inputs, stand for `ins`. All are of one tenant and day. The objects of the inputs may be deleted afterwards.
   * @throws Unavailable when an input does not count any more; nothing has changed then.
   */
  async replace(
    ins: readonly BlockMeta[],
    outs: readonly BlockMeta[],
    onVisible: () => void = () => {},
  ): Promise<void> {
    const first = ins[0]
    assert(first !== undefined, 'a merge has inputs')
    const { tenant, day } = first
    for (const meta of [...ins, ...outs]) {
      assert(meta.tenant === tenant && meta.day === day, `block ${meta.key} is of tenant ${tenant} and day ${day}`)
    }
    await this.#change(tenant, day, (state) => withBlocks(state, ins, outs), onVisible)
  }

  /**
   * Objects with these keys, blocks that are about to be written, do not count unless `replace` names them as outputs: after a crash
   * they are found buried.
   */
  async bury(tenant: string, day: number, keys: readonly string[]): Promise<void> {
    const next = (state: DayState): DayState => ({ ...state, tombstones: new Set([...state.tombstones, ...keys]) })
    await this.#change(tenant, day, next, () => {})
  }

  /** Buried objects that have been deleted. The day file forgets them when it is next written; a start does not miss them. */
  forget(tenant: string, day: number, keys: readonly string[]): void {
    const entry = this.#dayOf(tenant, day)
    const tombstones = new Set(entry.state.tombstones)
    for (const key of keys) tombstones.delete(key)
    entry.state = { ...entry.state, tombstones }
  }

  /**
   * Takes blocks out that are not needed any more: from one instant to the next they do not count, and a start does not find them
   * again. All are of one tenant and day. Their objects may be deleted afterwards. @throws as {@link replace}.
   */
  async remove(blocks: readonly BlockMeta[], onVisible: () => void = () => {}): Promise<void> {
    await this.replace(blocks, [], onVisible)
  }

  /**
   * Forgets a day of which nothing is left, neither blocks nor objects to delete, and with it what was flushed of it. The caller has seen
   * to it that no write-ahead log has records of that day: a start would replay them.
   */
  async clearDay(tenant: string, day: number): Promise<void> {
    const entry = this.#tenants.get(tenant)?.get(day)
    if (entry === undefined) return
    const turn = entry.writing.then(async () => {
      if (entry.state.blocks.size > 0 || entry.state.tombstones.size > 0 || entry.state.flushed.size === 0) return
      await this.#store.delete(dayPrefix(tenant, SIGNAL, day) + DAY_FILE_NAME)
      entry.state = emptyDay
      entry.sorted = undefined
      // unless somebody waits to write it
      if (entry.writing === last) this.#tenants.get(tenant)?.delete(day)
    })
    const last = turn.catch(() => undefined)
    entry.writing = last
    await turn
  }

  /** Writes the day file as `next` makes it, then lets it be the state. One at a time per day. */
  async #change(
    tenant: string,
    day: number,
    next: (state: DayState) => DayState,
    onVisible: () => void,
  ): Promise<void> {
    const entry = this.#dayOf(tenant, day)
    const turn = this.#changeAfter(entry.writing, { tenant, day, entry, next, onVisible })
    // the next one waits for this one, and does not care how it ended
    entry.writing = turn.catch(() => undefined)
    await turn
  }

  async #changeAfter(before: Promise<void>, change: DayChange): Promise<void> {
    await before
    const { tenant, day, entry, next, onVisible } = change
    const state = next(entry.state)
    await this.#writeDayFile(tenant, day, state)
    entry.state = state
    entry.sorted = undefined
    onVisible()
  }

  #writeDayFile(tenant: string, day: number, state: DayState): Promise<void> {
    return this.#store.put(dayPrefix(tenant, SIGNAL, day) + DAY_FILE_NAME, [encodeDayFile(state)])
  }

  #dayOf(tenant: string, day: number): Day {
    const days = this.#tenants.get(tenant) ?? new Map<number, Day>()
    this.#tenants.set(tenant, days)
    const entry = days.get(day) ?? { state: emptyDay, sorted: undefined, writing: Promise.resolve() }
    days.set(day, entry)
    return entry
  }

  async #loadTenant(tenant: string): Promise<void> {
    const prefix = `${tenant}/${SIGNAL}/`
    const days = new Map<string, ObjectHead[]>()
    for await (const head of this.#store.list({ prefix })) {
      const [dayText = '', ...rest] = head.key.slice(prefix.length).split('/')
      if (rest.length !== 1) continue
      const objects = days.get(dayText) ?? []
      days.set(dayText, objects)
      objects.push(head)
    }
    await eachConcurrently(days, DAYS_AT_ONCE, async ([dayText, objects]) => {
      const day = parseKeyDay(dayText)
      if (day !== undefined) await this.#loadDay({ tenant, day, prefix: `${prefix}${dayText}/`, objects })
    })
  }

  async #loadDay(found: DayObjects): Promise<void> {
    const { state, damaged, isStale } = await loadDay(found, this.#store, this.#logger)
    this.#damaged.push(...damaged)
    this.#dayOf(found.tenant, found.day).state = state
    if (!isStale || (state.blocks.size === 0 && state.tombstones.size === 0 && state.flushed.size === 0)) return
    try {
      await this.#writeDayFile(found.tenant, found.day, state)
    } catch (error) {
      this.#logger.warn('cannot write a catalog file; the next start will be slower', { file: found.prefix, error })
    }
  }
}

function withBlocks(state: DayState, ins: readonly BlockMeta[], outs: readonly BlockMeta[]): DayState {
  const blocks = new Map(state.blocks)
  const tombstones = new Set(state.tombstones)
  for (const meta of ins) {
    if (!blocks.delete(meta.key)) throw new Unavailable(`block ${meta.key} is not there any more`)
    tombstones.add(meta.key)
  }
  for (const meta of outs) {
    blocks.set(meta.key, meta)
    tombstones.delete(meta.key)
  }
  return { blocks, tombstones, flushed: flushedBy(state.flushed, outs) }
}

function sortedBlocks(day: Day): readonly BlockMeta[] {
  day.sorted ??= [...day.state.blocks.values()].sort((a, b) => a.minTime - b.minTime || (a.key < b.key ? -1 : 1))
  return day.sorted
}

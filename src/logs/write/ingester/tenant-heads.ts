/**
 * Everything that an ingester holds of one tenant: the heads that take rows, and the generation before, if its flush is not
 * finished. There are never more than these two, and blocks of one day come into being in the order of their records: so the
 * last record of the latest block says which records are covered.
 */
import { type AppendCounts, Head } from './head.ts'
import { MetaNames, translateMeta } from './meta-names.ts'
import type { PageMemory } from './page-memory.ts'
import { StreamRegistry } from './stream-registry.ts'
import { assert } from '#/kernel/assert.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import type { Day } from '#/logs/model/day.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { type LabelIndexSize, roomAfter } from '#/storage/index/label-index-builder.ts'

/** One generation: what one flush writes. */
type Generation = {
  readonly names: MetaNames
  readonly heads: Map<Day, Head>
  memoryBytes: number
  /** Monotonic time of the first row. */
  startedMs: number
}

/**
 * A head on its way to become a block. It has the block's ULID from the beginning, so that every attempt writes the same object;
 * `stored` is set when the object is there and only the catalog must learn of it.
 */
export type FlushingHead = { readonly head: Head; readonly ulid: string; stored: BlockMeta | undefined }

export class TenantHeads {
  readonly tenant: string
  readonly registry = new StreamRegistry()
  readonly counts: AppendCounts = { rows: 0, bytes: 0, duplicateRows: 0, duplicateBytes: 0 }
  #live: Generation
  #flushing: FlushingHead[] = []
  #flushingBytes = 0
  #headsMade = 0
  /** Streams that the heads of the generation before had, by day: those that follow will have as many. */
  #sizes: ReadonlyMap<Day, LabelIndexSize> = new Map()

  readonly #memory: PageMemory

  constructor(tenant: string, memory: PageMemory) {
    this.tenant = tenant
    this.#memory = memory
    this.#live = newGeneration()
  }

  get liveBytes(): number {
    return this.#live.memoryBytes
  }

  get memoryBytes(): number {
    return this.#live.memoryBytes + this.#flushingBytes
  }

  get rowCount(): number {
    return this.#allHeads().reduce((sum, head) => sum + head.rowCount, 0)
  }

  get hasHeads(): boolean {
    return this.#live.heads.size + this.#flushing.length > 0
  }

  get isLiveEmpty(): boolean {
    return this.#live.heads.size === 0
  }

  /** Monotonic time of the oldest row that no flush took. */
  get startedMs(): number {
    return this.#live.startedMs
  }

  /** Heads whose flush began, in the order of days. */
  get flushing(): readonly FlushingHead[] {
    return this.#flushing
  }

  /** The first WAL record that a head here still needs. */
  get leastSequence(): number {
    return this.#allHeads().reduce((least, { firstSequence }) => Math.min(least, firstSequence), Infinity)
  }

  #allHeads(): Head[] {
    return [...this.#flushing.map(({ head }) => head), ...this.#live.heads.values()]
  }

  /**
   * Takes a compact batch, which is WAL record `sequence`, but for rows of days that `skips` says. Returns the rows that were
   * dropped as duplicates, ascending.
   */
  append(
    batch: EntryBatch,
    sequence: number,
    nowMs: number,
    skips: (day: Day) => boolean = () => false,
  ): readonly number[] {
    const { names, heads } = this.#live
    const meta = translateMeta(batch, names)
    const lineView = asDataView(batch.bytes)
    const metaView = asDataView(meta.meta)
    const ordinalsOf = new Map<Day, Int32Array>()
    const duplicates: number[] = []
    for (let from = 0; from < batch.rowCount;) {
      const day = batch.day[from]!
      let to = from + 1
      while (to < batch.rowCount && batch.day[to] === day) to++
      if (!skips(day)) {
        let head = heads.get(day)
        if (head === undefined) heads.set(day, (head = this.#newHead(day, names, sequence)))
        let ordinals = ordinalsOf.get(day)
        if (ordinals === undefined) ordinalsOf.set(day, (ordinals = new Int32Array(batch.streams.length).fill(-1)))
        if (this.#live.startedMs === Infinity) this.#live.startedMs = nowMs
        head.append({ batch, meta, lineView, metaView, ordinals, duplicates }, { from, to }, sequence, this.counts)
      }
      from = to
    }
    this.#live.memoryBytes = sumMemory(heads.values())
    return duplicates
  }

  #newHead(day: Day, names: MetaNames, sequence: number): Head {
    const id = `${this.tenant}/${day}/${++this.#headsMade}`
    const size = this.#sizes.get(day)
    const room = size && roomAfter(size)
    return new Head({ id, day, names, memory: this.#memory, firstSequence: sequence, room })
  }

  /** Sets everything aside for a flush; new rows go to new heads. */
  cut(makeUlid: () => string): void {
    assert(this.#flushing.length === 0, `the last flush of tenant ${this.tenant} is finished`)
    const heads = [...this.#live.heads.values()].toSorted((a, b) => a.day - b.day)
    this.#sizes = new Map(heads.map(({ day, streams }) => [day, streams.size]))
    this.#flushing = heads.map((head) => ({ head, ulid: makeUlid(), stored: undefined }))
    this.#flushingBytes = this.#live.memoryBytes
    this.#live = newGeneration()
  }

  /** Forgets a head whose block is visible. */
  drop(head: Head): void {
    this.#flushing = this.#flushing.filter((one) => one.head !== head)
    this.#flushingBytes = sumMemory(this.#flushing.map((one) => one.head))
    head.drop()
  }

  /** Snapshots of the heads of these days, and how to say that nobody reads them any more. */
  snapshots(firstDay: Day, lastDay: Day): { readonly heads: HeadSnapshot[]; readonly release: () => void } {
    const heads = this.#allHeads().filter(({ day, rowCount }) => day >= firstDay && day <= lastDay && rowCount > 0)
    const releases = heads.map((head) => head.retain())
    const release = (): void => releases.forEach((done) => done())
    return { heads: heads.map((head) => head.snapshot()), release }
  }
}

function newGeneration(): Generation {
  return { names: new MetaNames(), heads: new Map(), memoryBytes: 0, startedMs: Infinity }
}

function sumMemory(heads: Iterable<Head>): number {
  let sum = 0
  for (const head of heads) sum += head.memoryBytes
  return sum
}

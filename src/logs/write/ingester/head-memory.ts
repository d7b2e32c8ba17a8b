/**
 * The heads' part of the memory budget. A batch is let in when there is room for it; what its rows then really take is
 * accounted after the fact, as they are durable already and cannot be sent back.
 */
import { PageMemory } from './page-memory.ts'
import { Unavailable } from '#/kernel/errors.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { MemoryBudget, Reservation } from '#/platform/memory/memory-budget.ts'

/** Heads beyond this part of the budget are flushed before their time. */
const CROWDED_SHARE = 0.4
/** Between these parts of the budget pushes wait, at most so long at the end: clients slow down to what blocks take away. */
const PACED_SHARE = 0.45
const FULL_SHARE = 0.85
const MAX_PACE_MS = 250
/** Most of the budget that lies idle between two heads. */
const FREE_SHARE = 0.25
/** Bytes of a row beside its line and metadata: columns in the head. */
const BYTES_PER_ROW = 32
const BYTES_PER_STREAM = 256
const RETRY_AFTER_SECONDS = 1

export class HeadMemory {
  /** What heads are made of. */
  readonly pages: PageMemory
  readonly #heads: Reservation
  readonly #inFlight: Reservation
  readonly #limitBytes: number
  readonly #relieve: () => void
  #bytes = 0
  rejections = 0

  /** `relieve` begins to make room; it is called when a batch was refused, and when anybody else needs memory. */
  constructor(budget: MemoryBudget, relieve: () => void) {
    this.#heads = budget.reserve('heads')
    this.#inFlight = budget.reserve('pushes in flight')
    this.#limitBytes = budget.limitBytes
    this.#relieve = relieve
    this.pages = new PageMemory(budget.reserve('free head pages'), budget.limitBytes * FREE_SHARE)
    budget.onPressure(() => {
      this.pages.clear()
      relieve()
    })
  }

  get bytes(): number {
    return this.#bytes
  }

  get isCrowded(): boolean {
    return this.#bytes > this.#limitBytes * CROWDED_SHARE
  }

  /** How long the next push should wait: not at all while there is room. */
  get paceMs(): number {
    const part = (this.#bytes / this.#limitBytes - PACED_SHARE) / (FULL_SHARE - PACED_SHARE)
    return Math.min(1, Math.max(0, part)) * MAX_PACE_MS
  }

  /** Why no batch is taken at this moment, whatever its size; room is being made then. */
  refusal(size = 0): Unavailable | undefined {
    if (this.#bytes <= this.#heads.bytes) return undefined
    this.#relieve()
    return this.#reject(size)
  }

  #reject(size: number): Unavailable {
    this.rejections++
    const push = size === 0 ? 'pushes' : `a push of ${size} bytes`
    return new Unavailable(`no memory for ${push}: ${this.#bytes} bytes wait to be flushed`, {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  }

  /** Takes room for a batch until `done`. @throws Unavailable when there is none; a flush has begun then. */
  admit({ rowCount, streams, bytes, meta }: EntryBatch): { readonly done: () => void } {
    const size = bytes.length + meta.length + rowCount * BYTES_PER_ROW + streams.length * BYTES_PER_STREAM
    const refusal = this.refusal(size)
    if (refusal !== undefined) throw refusal
    if (!this.#inFlight.grow(size)) throw this.#reject(size)
    let isDone = false
    const done = (): void => {
      if (!isDone) this.#inFlight.shrink(size)
      isDone = true
    }
    return { done }
  }

  change(delta: number): void {
    this.set(this.#bytes + delta)
  }

  /** Heads take `bytes` now. What the budget refuses is overdrawn, and no batch is let in until it is covered. */
  set(bytes: number): void {
    this.#bytes = bytes
    if (bytes < this.#heads.bytes) this.#heads.shrink(this.#heads.bytes - bytes)
    else this.#heads.grow(bytes - this.#heads.bytes)
  }
}

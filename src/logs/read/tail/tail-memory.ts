/**
 * The memory of all live tails together: a part of the budget, taken in steps so that not every entry asks. Who gets none drops
 * what it has and tells its reader.
 */
import { assert } from '#/kernel/assert.ts'
import type { Clock } from '#/kernel/world.ts'
import type { MemoryBudget, Reservation } from '#/platform/memory/memory-budget.ts'

const STEP_BYTES = 256 * 1024
/** After a refusal the budget is not asked again for so long: each refusal makes others flush and evict. */
const REFUSAL_MS = 500

export class TailMemory {
  readonly maxBytes: number
  readonly #clock: Clock
  readonly #reservation: Reservation
  #usedBytes = 0
  #refusedMs = -Infinity

  constructor(budget: MemoryBudget, maxBytes: number, clock: Clock) {
    this.maxBytes = maxBytes
    this.#clock = clock
    this.#reservation = budget.reserve('tails')
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** False, and nothing taken, when there is no room. */
  take(bytes: number): boolean {
    const used = this.#usedBytes + bytes
    if (used > this.maxBytes) return false
    const missing = used - this.#reservation.bytes
    if (missing > 0 && !this.#grow(Math.ceil(missing / STEP_BYTES) * STEP_BYTES)) return false
    this.#usedBytes = used
    return true
  }

  give(bytes: number): void {
    this.#usedBytes -= bytes
    assert(this.#usedBytes >= 0, `memory of tails ${this.#usedBytes} is not negative`)
    const spare = this.#reservation.bytes - this.#usedBytes
    // a step is kept, unless there is nothing left to hold
    if (this.#usedBytes === 0) this.#reservation.release()
    else if (spare >= 2 * STEP_BYTES) this.#reservation.shrink(spare - STEP_BYTES)
  }

  #grow(bytes: number): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#refusedMs < REFUSAL_MS) return false
    if (this.#reservation.grow(bytes)) return true
    this.#refusedMs = nowMs
    return false
  }
}

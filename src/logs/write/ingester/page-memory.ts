/**
 * Shared memory for head pages, used again and again. The engine does not count SharedArrayBuffers as garbage pressure, so what
 * heads let go of would pile up to gigabytes before a collection; pages come back here instead when nobody reads them.
 *
 * Memory that comes back holds old bytes: whoever takes it reads only what it wrote.
 */
import type { Reservation } from '#/platform/memory/memory-budget.ts'

/** Smaller pieces are left to the garbage collector. */
const LEAST_POOLED_BYTES = 32 * 1024
/** Sizes are rounded up to an eighth of a power of two, so that pieces fit each other. */
const STEPS_PER_DOUBLING = 8

export class PageMemory {
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  readonly #reservation: Reservation | undefined
  readonly #maxFreeBytes: number
  #freeBytes = 0

  /** Free memory is accounted in `reservation` and never more than `maxFreeBytes`. Without one nothing is kept. */
  constructor(reservation: Reservation | undefined, maxFreeBytes: number) {
    this.#reservation = reservation
    this.#maxFreeBytes = maxFreeBytes
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** At least `bytes`; not zeroed. */
  take(bytes: number): SharedArrayBuffer {
    if (bytes < LEAST_POOLED_BYTES) return new SharedArrayBuffer(bytes)
    const size = roundUp(bytes)
    const found = this.#free.get(size)?.pop()
    if (found === undefined) return new SharedArrayBuffer(size)
    this.#freeBytes -= size
    this.#reservation?.shrink(size)
    return found
  }

  /** Takes memory back that nobody reads or writes any more. */
  give(memory: SharedArrayBuffer): void {
    const size = memory.byteLength
    if (size < LEAST_POOLED_BYTES || size !== roundUp(size)) return
    if (this.#freeBytes + size > this.#maxFreeBytes || this.#reservation?.grow(size) !== true) return
    this.#freeBytes += size
    const pieces = this.#free.get(size)
    if (pieces === undefined) this.#free.set(size, [memory])
    else pieces.push(memory)
  }

  /** Leaves all free memory to the garbage collector. */
  clear(): void {
    this.#free.clear()
    this.#reservation?.shrink(this.#freeBytes)
    this.#freeBytes = 0
  }
}

/** For tests and tools: nothing is kept. */
export const unpooledMemory = new PageMemory(undefined, 0)

function roundUp(bytes: number): number {
  const step = Math.max(4096, 2 ** Math.floor(Math.log2(bytes)) / STEPS_PER_DOUBLING)
  return Math.ceil(bytes / step) * step
}

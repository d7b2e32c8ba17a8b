/**
 * Shared memory that is used again. The collector does not see the size of SharedArrayBuffers (see ./shared-garbage.ts), so those
 * that come and go with every job are not left to it: a job takes them on a lease and gives them back when it is done, and the next
 * job gets the same, already paged in.
 *
 * Invariant: idle memory is at most `maxIdleBytes` and counted in the budget; what finds no room there is dropped.
 */
import { assert } from '#/kernel/assert.ts'
import type { MemoryBudget, Reservation } from './memory-budget.ts'
import { dropShared } from './shared-garbage.ts'

/** The smallest buffer. Sizes are rounded up to it, or to 1 or 1.5 times a power of two, so that buffers can stand for each other. */
const MIN_BYTES = 64 * 1024
/** A buffer is not used for less than this part of it. */
const MIN_USE = 0.25

export class SharedBuffers {
  readonly #maxIdleBytes: number
  readonly #reserved: Reservation
  /** Longest idle first. */
  readonly #idle: SharedArrayBuffer[] = []
  #droppedBytes = 0

  constructor({ budget, maxIdleBytes }: { readonly budget: MemoryBudget; readonly maxIdleBytes: number }) {
    this.#maxIdleBytes = maxIdleBytes
    this.#reserved = budget.reserve('idle page buffers')
    budget.onShortage((missingBytes) => this.#dropTo(Math.max(0, this.#reserved.bytes - missingBytes)))
  }

  get idleBytes(): number {
    return this.#reserved.bytes
  }

  /** Bytes that were given up so far: threads that have seen them are the last to hold them. */
  get droppedBytes(): number {
    return this.#droppedBytes
  }

  lease(): SharedLease {
    return new SharedLease({ take: (sizeBytes) => this.#take(sizeBytes), giveBack: (memory) => this.#giveBack(memory) })
  }

  #take(sizeBytes: number): SharedArrayBuffer {
    let best = -1
    let bestBytes = Infinity
    for (const [position, { byteLength }] of this.#idle.entries()) {
      if (byteLength < sizeBytes || sizeBytes < byteLength * MIN_USE || byteLength >= bestBytes) continue
      best = position
      bestBytes = byteLength
    }
    if (best < 0) return new SharedArrayBuffer(roundedUp(sizeBytes))
    const [memory] = this.#idle.splice(best, 1) as [SharedArrayBuffer]
    this.#reserved.shrink(memory.byteLength)
    return memory
  }

  #giveBack(memory: SharedArrayBuffer): void {
    const { byteLength } = memory
    if (byteLength > this.#maxIdleBytes) return this.#drop(byteLength)
    this.#dropTo(this.#maxIdleBytes - byteLength)
    if (this.#reserved.growIfFree(byteLength)) this.#idle.push(memory)
    else this.#drop(byteLength)
  }

  #drop(bytes: number): void {
    this.#droppedBytes += bytes
    dropShared(bytes)
  }

  #dropTo(bytes: number): void {
    while (this.#reserved.bytes > bytes) {
      const memory = this.#idle.shift()
      assert(memory !== undefined, 'idle memory is made of buffers')
      this.#reserved.shrink(memory.byteLength)
      this.#drop(memory.byteLength)
    }
  }
}

function roundedUp(sizeBytes: number): number {
  if (sizeBytes <= MIN_BYTES) return MIN_BYTES
  const power = 2 ** Math.ceil(Math.log2(sizeBytes))
  return sizeBytes <= power * 0.75 ? power * 0.75 : power
}

/** The buffers of one job. Nobody may look at them after `release`. */
export class SharedLease {
  readonly #pool: { take(sizeBytes: number): SharedArrayBuffer; giveBack(memory: SharedArrayBuffer): void }
  readonly #taken: SharedArrayBuffer[] = []

  constructor(pool: { take(sizeBytes: number): SharedArrayBuffer; giveBack(memory: SharedArrayBuffer): void }) {
    this.#pool = pool
  }

  /** At least `sizeBytes`, with whatever was in it before. */
  take(sizeBytes: number): SharedArrayBuffer {
    const memory = this.#pool.take(sizeBytes)
    this.#taken.push(memory)
    return memory
  }

  release(): void {
    for (const memory of this.#taken.splice(0)) this.#pool.giveBack(memory)
  }
}

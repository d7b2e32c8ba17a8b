/**
 * Memory for decoded columns of a page. Of a query that reads hundreds of pages, arrays that come and go with each of them would
 * have the collector at work once per query and thread; pages that are done give theirs to the next ones.
 */

/** Where decoders put what they make. What they take holds whatever was in it before. */
export interface ColumnMemory {
  bytes(count: number): Buffer
  u32(count: number): Uint32Array
  f64(count: number): Float64Array
}

/** Memory that is left to the collector. */
export const newMemory: ColumnMemory = {
  bytes: (count) => Buffer.allocUnsafeSlow(count),
  u32: (count) => new Uint32Array(count),
  f64: (count) => new Float64Array(count),
}

/** Idle memory of a thread. */
const MAX_IDLE_BYTES = 4 * 1024 * 1024
/** Sizes are powers of two from this on. */
const MIN_BYTES = 4096
const MIN_LEVEL = Math.log2(MIN_BYTES)

/** By size: buffers of MIN_BYTES, of twice that, … */
const idle: ArrayBuffer[][] = []
let idleBytes = 0

export function idleColumnBytes(): number {
  return idleBytes
}

/** The memory of one page. */
export class LentMemory implements ColumnMemory {
  #lent: ArrayBuffer[] = []

  bytes(count: number): Buffer {
    return Buffer.from(this.#take(count), 0, count)
  }

  u32(count: number): Uint32Array {
    return new Uint32Array(this.#take(count * 4), 0, count)
  }

  f64(count: number): Float64Array {
    return new Float64Array(this.#take(count * 8), 0, count)
  }

  /** Nobody may look at what was taken any more. */
  giveBack(): void {
    for (const buffer of this.#lent) {
      if (idleBytes + buffer.byteLength > MAX_IDLE_BYTES) continue
      idleBytes += buffer.byteLength
      ;(idle[levelOf(buffer.byteLength)] ??= []).push(buffer)
    }
    this.#lent = []
  }

  #take(sizeBytes: number): ArrayBuffer {
    const level = levelOf(sizeBytes)
    const known = idle[level]?.pop()
    if (known !== undefined) idleBytes -= known.byteLength
    const buffer = known ?? new ArrayBuffer(MIN_BYTES << level)
    this.#lent.push(buffer)
    return buffer
  }
}

function levelOf(sizeBytes: number): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(1, sizeBytes))) - MIN_LEVEL)
}

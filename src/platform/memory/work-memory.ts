/**
 * Memory that a piece of work needs while it runs, used again by the next. Buffers that live for milliseconds are cheap to make,
 * but V8 counts their bytes: at 50 MB/s of pushes it would mark its whole heap ten times a second, only to find them dead.
 */

export interface WorkMemory {
  /** `size` bytes of any content, at a multiple of 8 of an ArrayBuffer; good until the work ends. */
  bytes(size: number): Buffer<ArrayBuffer>
}

/** Memory of nobody's: the collector's when it is dropped. */
export const freshMemory: WorkMemory = { bytes: (size) => Buffer.allocUnsafeSlow(size) }

const CHUNK_BYTES = 1024 * 1024
const ALIGNMENT = 8

export class WorkMemoryPool {
  readonly #maxIdleBytes: number
  /** Longest unused first. */
  readonly #idle: Buffer<ArrayBuffer>[] = []
  #idleBytes = 0

  /** @param maxIdleBytes What is kept for the next work; more than that goes to the collector. */
  constructor(maxIdleBytes: number) {
    this.#maxIdleBytes = maxIdleBytes
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  lease(): LeasedMemory {
    return new LeasedMemory(this)
  }

  /** A chunk of at least `size` bytes. */
  take(size: number): Buffer<ArrayBuffer> {
    const length = Math.max(1, Math.ceil(size / CHUNK_BYTES)) * CHUNK_BYTES
    const at = this.#idle.findLastIndex((chunk) => chunk.length === length)
    const [chunk] = at < 0 ? [] : this.#idle.splice(at, 1)
    if (chunk === undefined) return Buffer.allocUnsafeSlow(length)
    this.#idleBytes -= length
    return chunk
  }

  giveBack(chunk: Buffer<ArrayBuffer>): void {
    this.#idle.push(chunk)
    this.#idleBytes += chunk.length
    // what has lain longest goes first, as sizes that nobody asks for any more do
    while (this.#idleBytes > this.#maxIdleBytes) this.#idleBytes -= this.#idle.shift()?.length ?? 0
  }
}

/** Who leases memory gives it back when nothing refers to it any more; when that is not known, he lets it go to the collector. */
export class LeasedMemory implements WorkMemory {
  readonly #pool: WorkMemoryPool
  readonly #chunks: Buffer<ArrayBuffer>[] = []
  /** Bytes of the last chunk that are in use. */
  #used = 0

  constructor(pool: WorkMemoryPool) {
    this.#pool = pool
  }

  bytes(size: number): Buffer<ArrayBuffer> {
    let chunk = this.#chunks.at(-1)
    if (chunk === undefined || this.#used + size > chunk.length) {
      this.#chunks.push((chunk = this.#pool.take(size)))
      this.#used = 0
    }
    const start = this.#used
    this.#used = Math.ceil((start + size) / ALIGNMENT) * ALIGNMENT
    return chunk.subarray(start, start + size)
  }

  /** Nothing that came out of this memory may be used from here on. */
  release(): void {
    for (const chunk of this.#chunks.splice(0)) this.#pool.giveBack(chunk)
    this.#used = 0
  }
}

/** Memory for decompressed bytes that is used again, page after page, within one thread. */

/** Sizes are rounded up to this. */
const GRAIN_BYTES = 256 * 1024

export class ScratchBuffers {
  readonly #maxIdleBytes: number
  readonly #idle: Buffer[] = []
  #idleBytes = 0

  constructor(maxIdleBytes: number) {
    this.#maxIdleBytes = maxIdleBytes
  }

  get idleBytes(): number {
    return this.#idleBytes
  }

  /** At least `sizeBytes`, with whatever was in it before. The caller may give it back, or keep it. */
  take(sizeBytes: number): Buffer {
    const position = this.#idle.findIndex(({ length }) => length >= sizeBytes)
    if (position < 0) return Buffer.allocUnsafeSlow(Math.ceil(sizeBytes / GRAIN_BYTES) * GRAIN_BYTES)
    const [buffer] = this.#idle.splice(position, 1) as [Buffer]
    this.#idleBytes -= buffer.length
    return buffer
  }

  giveBack(buffer: Buffer): void {
    if (this.#idleBytes + buffer.length > this.#maxIdleBytes) return
    this.#idle.push(buffer)
    this.#idleBytes += buffer.length
  }
}

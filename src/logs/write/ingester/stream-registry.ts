/**
 * The active streams of a tenant: what the stream limits count and where the rate of each stream is kept. A stream is active
 * from its first accepted entry until it was idle for `STREAM_IDLE_MS`. A stream is known by the hash of its text (53 bits); were two
 * to have the same one, they would count as one and share a rate, and nothing else.
 */
/** As long as Loki keeps an idle stream (`chunk_idle_period`). */
export const STREAM_IDLE_MS = 30 * 60_000

export class StreamRegistry {
  /** By hash, open addressing: 1 + the slot of a stream; 0: nothing. At most half are taken. */
  #table = new Uint32Array(128)
  /** Slots were given out up to this one. */
  #end = 0
  readonly #free: number[] = []
  /** By slot; NaN where it is free. */
  #hashes = new Float64Array(64)
  #tokens = new Float64Array(64)
  #refilledMs = new Float64Array(64)
  #seenMs = new Float64Array(64)
  created = 0
  removed = 0

  get count(): number {
    return this.#end - this.#free.length
  }

  /** Slot of the stream; -1 when it is not active. */
  find(hash: number): number {
    const table = this.#table
    const mask = table.length - 1
    for (let at = (hash >>> 0) & mask; ; at = (at + 1) & mask) {
      const slot = table[at]! - 1
      if (slot < 0 || this.#hashes[slot] === hash) return slot
    }
  }

  /** Adds a stream that is not active, with a full bucket. */
  add(hash: number, nowMs: number): number {
    const slot = this.#free.pop() ?? this.#end++
    if (slot >= this.#tokens.length) this.#grow()
    this.#hashes[slot] = hash
    this.#place(slot)
    this.#tokens[slot] = Infinity
    this.#refilledMs[slot] = nowMs
    this.#seenMs[slot] = nowMs
    this.created++
    return slot
  }

  /** Notes that the stream is in use. */
  touch(slot: number, nowMs: number): void {
    this.#seenMs[slot] = nowMs
  }

  /** Notes that the stream is in use, and returns what its bucket holds now. */
  refill(slot: number, nowMs: number, bytesPerSecond: number, burstBytes: number): number {
    const grown = this.#tokens[slot]! + (Math.max(0, nowMs - this.#refilledMs[slot]!) / 1000) * bytesPerSecond
    this.#refilledMs[slot] = nowMs
    this.#seenMs[slot] = nowMs
    return (this.#tokens[slot] = Math.min(burstBytes, grown))
  }

  take(slot: number, bytes: number): void {
    this.#tokens[slot]! -= bytes
  }

  /** Forgets streams that were idle for long. */
  purge(nowMs: number): void {
    const before = this.removed
    for (let slot = 0; slot < this.#end; slot++) {
      if (Number.isNaN(this.#hashes[slot]) || nowMs - this.#seenMs[slot]! < STREAM_IDLE_MS) continue
      this.#hashes[slot] = Number.NaN
      this.#free.push(slot)
      this.removed++
    }
    if (this.removed > before) this.#placeAll()
  }

  #place(slot: number): void {
    const mask = this.#table.length - 1
    let at = (this.#hashes[slot]! >>> 0) & mask
    while (this.#table[at] !== 0) at = (at + 1) & mask
    this.#table[at] = slot + 1
  }

  #placeAll(): void {
    this.#table.fill(0)
    for (let slot = 0; slot < this.#end; slot++) if (!Number.isNaN(this.#hashes[slot])) this.#place(slot)
  }

  #grow(): void {
    const grown = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const column = new Float64Array(old.length * 2)
      column.set(old)
      return column
    }
    this.#hashes = grown(this.#hashes)
    this.#hashes.fill(Number.NaN, this.#tokens.length)
    this.#table = new Uint32Array(this.#hashes.length * 2)
    this.#placeAll()
    this.#tokens = grown(this.#tokens)
    this.#refilledMs = grown(this.#refilledMs)
    this.#seenMs = grown(this.#seenMs)
  }
}

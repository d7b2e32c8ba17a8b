/**
 * The active streams of a tenant: what the stream limits count and where the rate of each stream is kept. A stream is active
 * from its first accepted entry until it was idle for `STREAM_IDLE_MS`. A stream is known by the hash of its text (53 bits); were two
 * to have the same one, they would count as one and share a rate, and nothing else.
 */
/** As long as Loki keeps an idle stream (`chunk_idle_period`). */
export const STREAM_IDLE_MS = 30 * 60_000

/** What is kept of a stream, side by side, as one look reads all of it; the hash is NaN where a slot is free. */
const HASH = 0
const TOKENS = 1
const REFILLED_MS = 2
const SEEN_MS = 3
const FIELDS = 4

/** Streams that are read ahead in one go. */
const FETCHED_STREAMS = 256

export class StreamRegistry {
  /** By hash, open addressing: 1 + the slot of a stream; 0: nothing. At most half are taken. */
  #table = new Uint32Array(128)
  /** Slots were given out up to this one. */
  #end = 0
  readonly #free: number[] = []
  /** By slot. */
  #streams = new Float64Array(64 * FIELDS)
  readonly #fetched = new Uint32Array(FETCHED_STREAMS)
  created = 0
  removed = 0
  /** What was read ahead: without a use, reading would be left out. */
  fetchedMs = 0

  get count(): number {
    return this.#end - this.#free.length
  }

  /**
   * Brings what is known of the streams with the hashes from `from` on into the processor's caches, in loops that wait for many places
   * of memory at a time. Returns the first that is left.
   */
  fetch(hashes: Float64Array, from: number, count: number): number {
    const to = Math.min(from + FETCHED_STREAMS, count)
    const slots = this.#fetched
    const table = this.#table
    const mask = table.length - 1
    for (let i = from; i < to; i++) slots[i - from] = table[(hashes[i]! >>> 0) & mask]!
    let latest = 0
    for (let i = 0; i < to - from; i++) {
      const slot = slots[i]!
      if (slot > 0) latest = Math.max(latest, this.#streams[(slot - 1) * FIELDS + SEEN_MS]!)
    }
    this.fetchedMs = latest
    return to
  }

  /** Slot of the stream; -1 when it is not active. */
  find(hash: number): number {
    const table = this.#table
    const mask = table.length - 1
    for (let at = (hash >>> 0) & mask; ; at = (at + 1) & mask) {
      const slot = table[at]! - 1
      if (slot < 0 || this.#streams[slot * FIELDS + HASH] === hash) return slot
    }
  }

  /** Adds a stream that is not active, with a full bucket. */
  add(hash: number, nowMs: number): number {
    const slot = this.#free.pop() ?? this.#end++
    const at = slot * FIELDS
    if (at === this.#streams.length) this.#grow()
    const streams = this.#streams
    streams[at + HASH] = hash
    this.#place(slot)
    streams[at + TOKENS] = Infinity
    streams[at + REFILLED_MS] = nowMs
    streams[at + SEEN_MS] = nowMs
    this.created++
    return slot
  }

  /** Notes that the stream is in use. */
  touch(slot: number, nowMs: number): void {
    this.#streams[slot * FIELDS + SEEN_MS] = nowMs
  }

  /** Notes that the stream is in use, and returns what its bucket holds now. */
  refill(slot: number, nowMs: number, bytesPerSecond: number, burstBytes: number): number {
    const streams = this.#streams
    const at = slot * FIELDS
    const grown = streams[at + TOKENS]! + (Math.max(0, nowMs - streams[at + REFILLED_MS]!) / 1000) * bytesPerSecond
    streams[at + REFILLED_MS] = nowMs
    streams[at + SEEN_MS] = nowMs
    return (streams[at + TOKENS] = Math.min(burstBytes, grown))
  }

  take(slot: number, bytes: number): void {
    this.#streams[slot * FIELDS + TOKENS]! -= bytes
  }

  /** Forgets streams that were idle for long. */
  purge(nowMs: number): void {
    const before = this.removed
    const streams = this.#streams
    for (let slot = 0; slot < this.#end; slot++) {
      const at = slot * FIELDS
      if (Number.isNaN(streams[at + HASH]) || nowMs - streams[at + SEEN_MS]! < STREAM_IDLE_MS) continue
      streams[at + HASH] = Number.NaN
      this.#free.push(slot)
      this.removed++
    }
    if (this.removed > before) this.#placeAll()
  }

  #place(slot: number): void {
    const mask = this.#table.length - 1
    let at = (this.#streams[slot * FIELDS + HASH]! >>> 0) & mask
    while (this.#table[at] !== 0) at = (at + 1) & mask
    this.#table[at] = slot + 1
  }

  /** Places all streams but those of free slots. */
  #placeAll(): void {
    this.#table.fill(0)
    for (let slot = 0; slot < this.#end; slot++) {
      if (!Number.isNaN(this.#streams[slot * FIELDS + HASH])) this.#place(slot)
    }
  }

  /** When all slots are taken but the one that was given out last. */
  #grow(): void {
    const slots = this.#streams.length / FIELDS
    const larger = new Float64Array(this.#streams.length * 2)
    larger.set(this.#streams)
    this.#streams = larger
    this.#table = new Uint32Array(slots * 4)
    for (let slot = 0; slot < slots; slot++) this.#place(slot)
  }
}

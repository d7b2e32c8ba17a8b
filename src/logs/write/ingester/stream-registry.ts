/**
 * The active streams of a tenant: what the stream limits count and where the rate of each stream is kept. A stream is active
 * from its first accepted entry until it was idle for `STREAM_IDLE_MS`.
 */
import { parseLabels } from '#/logs/model/labels.ts'

/** As long as Loki keeps an idle stream (`chunk_idle_period`). */
export const STREAM_IDLE_MS = 30 * 60_000

export class StreamRegistry {
  readonly #slots = new Map<string, number>()
  readonly #free: number[] = []
  #tokens = new Float64Array(64)
  #refilledMs = new Float64Array(64)
  #seenMs = new Float64Array(64)
  created = 0
  removed = 0

  get count(): number {
    return this.#slots.size
  }

  find(text: string): number | undefined {
    return this.#slots.get(text)
  }

  /** Adds a stream with a full bucket. @throws BadRequest when `text` is no label set. */
  add(text: string, nowMs: number): number {
    parseLabels(text)
    const slot = this.#free.pop() ?? this.#slots.size
    if (slot >= this.#tokens.length) this.#grow()
    this.#slots.set(text, slot)
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
    for (const [text, slot] of this.#slots) {
      if (nowMs - this.#seenMs[slot]! < STREAM_IDLE_MS) continue
      this.#slots.delete(text)
      this.#free.push(slot)
      this.removed++
    }
  }

  #grow(): void {
    const grown = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const column = new Float64Array(old.length * 2)
      column.set(old)
      return column
    }
    this.#tokens = grown(this.#tokens)
    this.#refilledMs = grown(this.#refilledMs)
    this.#seenMs = grown(this.#seenMs)
  }
}

/**
 * The queue of one reader.
 *
 *     offer → waiting, by time → ready, in order → frames
 *
 * An entry is ready once it is `delayMs` old. Ten frames are ready at most; when the reader has not come back for a second, what
 * becomes due beyond them is dropped, and told in the next frame. While it reads, the queue behind is larger, so that a burst
 * costs a fast reader nothing.
 *
 * The seam between history and live entries. The session is registered first, then the history is queried: so every entry is in
 * one of the two, and those that were pushed in between are in both. Until the history is there, live entries wait; then those
 * that it has too are taken out, also of batches that were queued before that moment. What comes behind them cannot be in the
 * history. Entries with equal time, line and labels count as one here, as they do in the answer of a query.
 */
import { formatLabels } from '#/logs/model/labels.ts'
import { absoluteNs, dayOf, timeInDay } from '#/logs/model/day.ts'
import type { DroppedEntry, TailFrame, TailLabels } from '#/logs/wire/tail.ts'
import { EntryHeap, isNotAfter, type EntryTime, type LiveEntry } from './live-entry.ts'
import type { TailMemory } from './tail-memory.ts'

export const MAX_FRAME_ENTRIES = 100
/** Bytes of a frame, unless a single entry has more. */
const MAX_FRAME_BYTES = 256 * 1024
const MAX_READY_ENTRIES = 10 * MAX_FRAME_ENTRIES
export const MAX_WAITING_ENTRIES = 10_000
export const MAX_DROPPED_ENTRIES = 1000
/** A reader that takes longer for a frame is slow. */
export const SLOW_MS = 1000
/** Part of the memory of all tails that one may take. */
const SESSION_SHARE = 0.125

export type SessionOptions = {
  readonly memory: TailMemory
  readonly delayMs: number
  readonly nowNs: () => bigint
  readonly nowMs: () => number
  /** Batches of the tenant up to this one are not new to it. */
  readonly sinceBatch: number
  /** Told of each dropped entry. */
  readonly onDropped: () => void
}

export class TailSession {
  readonly sinceBatch: number
  readonly #options: SessionOptions
  readonly #maxBytes: number
  readonly #waiting = new EntryHeap()
  #ready: LiveEntry[] = []
  /** Entries at the front of `ready` that are of the seam and do not count there. */
  #seamCount = 0
  #inFlight: readonly LiveEntry[] = []
  #inFlightMs = Infinity
  #bytes = 0
  #dropped: DroppedEntry[] = []
  #isHolding = true
  /** Entries of the history, and how often, that may come once more. */
  #known: Map<string, number> | undefined
  #wake: (() => void) | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    this.sinceBatch = options.sinceBatch
    this.#maxBytes = options.memory.maxBytes * SESSION_SHARE
  }

  get isDeaf(): boolean {
    return this.#dropped.length >= MAX_DROPPED_ENTRIES && !this.#hasRoom(0)
  }

  #hasRoom(bytes: number): boolean {
    return this.#waiting.size < MAX_WAITING_ENTRIES && this.#bytes + bytes <= this.#maxBytes
  }

  offer(entry: LiveEntry): void {
    if (this.#known !== undefined && this.#isKnown(entry)) return
    if (this.#hasRoom(entry.bytes) && this.#hold(entry)) this.#waiting.push(entry)
    else this.drop(entry.labels, entry)
  }

  drop(labels: TailLabels, { day, time }: EntryTime): void {
    this.#options.onDropped()
    if (this.#dropped.length < MAX_DROPPED_ENTRIES) this.#dropped.push({ timeNs: absoluteNs(day, time), labels })
  }

  /** Moves what is due to `ready`, and wakes the reader. */
  release(): void {
    if (this.#isHolding || this.#waiting.size + this.#ready.length + this.#dropped.length === 0) return
    const due = this.#dueTime()
    this.#moveDue(due)
    const { first } = this.#waiting
    if (first !== undefined && isNotAfter(first, due) && this.#options.nowMs() - this.#inFlightMs > SLOW_MS) {
      this.#dropDue(due)
    }
    if (this.#ready.length + this.#dropped.length > 0) this.wake()
  }

  /** Entries at this time and before are due. */
  #dueTime(): EntryTime {
    const ns = this.#options.nowNs() - BigInt(this.#options.delayMs) * 1_000_000n - 1n
    return { day: dayOf(ns), time: timeInDay(ns) }
  }

  #moveDue(due: EntryTime): void {
    while (this.#ready.length - this.#seamCount < MAX_READY_ENTRIES) {
      const { first } = this.#waiting
      if (first === undefined || !isNotAfter(first, due)) return
      this.#ready.push(first)
      this.#waiting.pop()
    }
  }

  #dropDue(due: EntryTime): void {
    for (let { first } = this.#waiting; first !== undefined && isNotAfter(first, due); { first } = this.#waiting) {
      this.#waiting.pop()
      this.#letGo(first)
      this.drop(first.labels, first)
    }
  }

  /** The history is there, oldest first: it is due before everything else. */
  beginLive(history: readonly LiveEntry[]): void {
    const known = new Map<string, number>()
    for (const entry of history) {
      const key = keyOf(entry)
      known.set(key, (known.get(key) ?? 0) + 1)
    }
    this.#known = known
    for (const entry of this.#waiting.drain()) {
      if (this.#isKnown(entry)) this.#letGo(entry)
      else this.#waiting.push(entry)
    }
    for (const entry of history) {
      if (this.#hold(entry)) this.#waiting.push(entry)
      else this.drop(entry.labels, entry)
    }
    const due = this.#dueTime()
    for (let { first } = this.#waiting; first !== undefined && isNotAfter(first, due); { first } = this.#waiting) {
      this.#ready.push(first)
      this.#waiting.pop()
    }
    this.#seamCount = this.#ready.length
    this.#isHolding = false
  }

  /** Nothing that comes from now on can be in the history. */
  endSeam(): void {
    this.#known = undefined
  }

  #isKnown(entry: LiveEntry): boolean {
    const key = keyOf(entry)
    const count = this.#known?.get(key) ?? 0
    if (count === 0) return false
    this.#known?.set(key, count - 1)
    return true
  }

  /** What the reader gets now; it is done with the frame before. Undefined when there is nothing to tell. */
  takeFrame(): TailFrame | undefined {
    this.#endFlight()
    if (this.#ready.length === 0 && !this.#isHolding) this.#moveDue(this.#dueTime())
    if (this.#ready.length === 0 && this.#dropped.length === 0) return undefined
    let count = 0
    for (let bytes = 0; count < Math.min(MAX_FRAME_ENTRIES, this.#ready.length); count++) {
      bytes += this.#ready[count]!.bytes
      if (count > 0 && bytes > MAX_FRAME_BYTES) break
    }
    const entries = this.#ready.splice(0, count)
    this.#seamCount = Math.max(0, this.#seamCount - count)
    this.#inFlight = entries
    this.#inFlightMs = this.#options.nowMs()
    const dropped = this.#dropped
    this.#dropped = []
    return { entries, dropped }
  }

  #endFlight(): void {
    for (const entry of this.#inFlight) this.#letGo(entry)
    this.#inFlight = []
    this.#inFlightMs = Infinity
  }

  /** Resolves when `takeFrame` may have something. */
  wait(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  wake(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  get isWaitedFor(): boolean {
    return this.#wake !== undefined
  }

  /** Gives all memory back. */
  end(): void {
    this.#endFlight()
    for (const entry of this.#ready.splice(0)) this.#letGo(entry)
    for (const entry of this.#waiting.drain()) this.#letGo(entry)
    this.#dropped = []
    this.#known = undefined
  }

  #hold(entry: LiveEntry): boolean {
    if (entry.holders === 0 && !this.#options.memory.take(entry.bytes)) return false
    entry.holders++
    this.#bytes += entry.bytes
    return true
  }

  #letGo(entry: LiveEntry): void {
    entry.holders--
    this.#bytes -= entry.bytes
    if (entry.holders === 0) this.#options.memory.give(entry.bytes)
  }
}

function keyOf({ day, time, line, labels }: LiveEntry): string {
  return `${day} ${time} ${formatLabels(labels.all)} ${line}`
}

/**
 * One number bounds the memory of heads, caches and queries. Whoever holds memory that grows with data accounts for it here.
 *
 * Invariant: `usedBytes` is the sum of all open reservations; a reservation never makes it pass `limitBytes`.
 */
import { assert } from '#/kernel/assert.ts'

export class MemoryBudget {
  readonly limitBytes: number
  #usedBytes = 0
  readonly #pressed: (() => void)[] = []
  readonly #caches: ((missingBytes: number) => void)[] = []

  constructor(limitBytes: number) {
    assert(limitBytes > 0, `memory limit ${limitBytes} is positive`)
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** A part of the budget under its own name, starting with nothing. */
  reserve(name: string): Reservation {
    return new Reservation(name, (delta, mayPress) => this.#change(delta, mayPress))
  }

  /**
   * Called with the bytes that a reservation lacks, before anybody else is asked for room: for holders of what is only kept to
   * save work. They are asked in the order in which they came, until there is room.
   */
  onShortage(callback: (missingBytes: number) => void): void {
    this.#caches.push(callback)
  }

  /** Called when a reservation is about to be refused and caches gave all they could, so that holders can flush. */
  onPressure(callback: () => void): void {
    this.#pressed.push(callback)
  }

  #change(delta: number, mayPress: boolean): boolean {
    if (delta > 0 && this.#missing(delta) > 0 && !(mayPress && this.#makeRoom(delta))) return false
    this.#usedBytes += delta
    assert(this.#usedBytes >= 0, `memory in use ${this.#usedBytes} is not negative`)
    return true
  }

  #makeRoom(bytes: number): boolean {
    for (const callback of this.#caches) {
      callback(this.#missing(bytes))
      if (this.#missing(bytes) <= 0) return true
    }
    for (const callback of this.#pressed) callback()
    return this.#missing(bytes) <= 0
  }

  #missing(bytes: number): number {
    return this.#usedBytes + bytes - this.limitBytes
  }
}

export class Reservation {
  readonly name: string
  readonly #change: (delta: number, mayPress: boolean) => boolean
  #bytes = 0

  constructor(name: string, change: (delta: number, mayPress: boolean) => boolean) {
    this.name = name
    this.#change = change
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes `bytes` more; false, and nothing taken, when the budget has no room. */
  grow(bytes: number): boolean {
    return this.#grow(bytes, true)
  }

  /** As {@link grow}, without asking others to make room: for what is nice to have. */
  growIfFree(bytes: number): boolean {
    return this.#grow(bytes, false)
  }

  #grow(bytes: number, mayPress: boolean): boolean {
    assert(bytes >= 0, `growth ${bytes} is not negative`)
    if (!this.#change(bytes, mayPress)) return false
    this.#bytes += bytes
    return true
  }

  shrink(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#bytes, `shrinking ${this.name} by ${bytes} of ${this.#bytes}`)
    this.#change(-bytes, false)
    this.#bytes -= bytes
  }

  /** Gives everything back; the reservation can be used again. */
  release(): void {
    this.shrink(this.#bytes)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/**
 * One number bounds the memory of heads, caches and queries. Whoever holds memory that grows with data accounts for it here.
 *
 * Invariant: `usedBytes` is the sum of all open reservations; a reservation never makes it pass `limitBytes`.
 */
import { assert } from '#/kernel/assert.ts'

export class MemoryBudget {
  readonly limitBytes: number
  #usedBytes = 0
  #pressed: (() => void)[] = []

  constructor(limitBytes: number) {
    assert(limitBytes > 0, `memory limit ${limitBytes} is positive`)
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** A part of the budget under its own name, starting with nothing. */
  reserve(name: string): Reservation {
    return new Reservation(name, (delta) => this.#change(delta))
  }

  /** Called whenever a reservation was refused, so that holders can flush or evict. */
  onPressure(callback: () => void): void {
    this.#pressed.push(callback)
  }

  #change(delta: number): boolean {
    if (delta > 0 && this.#usedBytes + delta > this.limitBytes) {
      for (const callback of this.#pressed) callback()
      if (this.#usedBytes + delta > this.limitBytes) return false
    }
    this.#usedBytes += delta
    assert(this.#usedBytes >= 0, `memory in use ${this.#usedBytes} is not negative`)
    return true
  }
}

export class Reservation {
  readonly name: string
  readonly #change: (delta: number) => boolean
  #bytes = 0

  constructor(name: string, change: (delta: number) => boolean) {
    this.name = name
    this.#change = change
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes `bytes` more; false, and nothing taken, when the budget has no room. */
  grow(bytes: number): boolean {
    assert(bytes >= 0, `growth ${bytes} is not negative`)
    if (!this.#change(bytes)) return false
    this.#bytes += bytes
    return true
  }

  shrink(bytes: number): void {
    assert(bytes >= 0 && bytes <= this.#bytes, `shrinking ${this.name} by ${bytes} of ${this.#bytes}`)
    this.#change(-bytes)
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

/**
 * Parts of a thing that are decoded when they are first asked for, and kept one by one for as long as there is room: of the index of
 * a block a question needs the column of one label, or the sizes of runs, and hardly ever all.
 */
import type { CachePart } from './caches.ts'
import { dropShared } from './shared-garbage.ts'

/** Where all places are taken, one new part of so many gets one: of what is asked for in turns and does not fit, most then stays. */
const ADMITTED = 4

/** A part, and the memory that it holds; `isShared`: in SharedArrayBuffers, of which the collector sees nothing. */
export type MadePart<T extends object> = { readonly value: T; readonly bytes: number; readonly isShared?: boolean }

/** The parts of all things that share a cache. */
export class PartCache {
  readonly #cache: CachePart<object>
  readonly #admitted: number
  #refused = 0

  /** One of `admitted` new parts gets a place when all are taken. */
  constructor(cache: CachePart<object>, admitted = ADMITTED) {
    this.#cache = cache
    this.#admitted = admitted
  }

  get(id: string): object | undefined {
    return this.#cache.get(id)
  }

  set(id: string, { value, bytes, isShared = false }: MadePart<object>): void {
    const { evicted } = this.#cache
    const isKept = this.#admits(bytes) && this.#cache.set(id, value, bytes)
    if (isShared && (!isKept || this.#cache.evicted > evicted)) dropShared(bytes)
  }

  /** As {@link set} with something in shared memory, which is made only when it is let in. */
  offer(id: string, bytes: number, make: () => object): void {
    if (!this.#admits(bytes)) return
    const { evicted } = this.#cache
    const isKept = this.#cache.set(id, make(), bytes)
    if (!isKept || this.#cache.evicted > evicted) dropShared(bytes)
  }

  #admits(bytes: number): boolean {
    const { sizeBytes, maxBytes } = this.#cache
    if (sizeBytes + bytes <= maxBytes) return true
    this.#refused = (this.#refused + 1) % this.#admitted
    return this.#refused === 0
  }
}

/** The parts of one thing. */
export class KeptParts {
  readonly #cache: PartCache | undefined
  readonly #owner: string
  /** Without a cache parts stay as long as the thing does. */
  readonly #own = new Map<string, object>()
  /** Parts that were asked for in this turn of the event loop: loops ask for the same ones again and again. */
  readonly #held = new Map<string, object>()

  /** `owner` is the name of the thing among all that share the cache. */
  constructor(owner = '', cache?: PartCache) {
    this.#owner = owner
    this.#cache = cache
  }

  /** The part of this name, as `make` makes it. Not to be changed by anybody. */
  get<T extends object>(name: string, make: () => MadePart<T>): T {
    return this.hold(name, () =>
      this.#cache === undefined ? this.#getOwn(name, make) : this.#getKept(this.#cache, name, make),
    )
  }

  /** What takes but a moment to make, and is kept for this moment only: until whoever asks waits for something. */
  hold<T extends object>(name: string, make: () => T): T {
    let part = this.#held.get(name) as T | undefined
    if (part === undefined) {
      part = make()
      if (this.#held.size === 0) queueMicrotask(() => this.#held.clear())
      this.#held.set(name, part)
    }
    return part
  }

  #getOwn<T extends object>(name: string, make: () => MadePart<T>): T {
    let part = this.#own.get(name) as T | undefined
    if (part === undefined) this.#own.set(name, (part = make().value))
    return part
  }

  #getKept<T extends object>(cache: PartCache, name: string, make: () => MadePart<T>): T {
    const id = `${this.#owner} ${name}`
    const known = cache.get(id)
    if (known !== undefined) return known as T
    const made = make()
    cache.set(id, made)
    return made.value
  }
}

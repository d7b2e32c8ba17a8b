/**
 * All caches of a process under one roof: each part has its own limit, and all of them together are a reservation of the memory
 * budget. Caches take only memory that is free, and give it back when somebody who needs it finds none: the parts in the order in
 * which they were made, so that what is cheap to get again is made first.
 *
 * Invariant: the reservation is the sum of the sizes of all entries of all parts.
 */
import { LRUCache } from 'lru-cache'
import type { MemoryBudget, Reservation } from './memory-budget.ts'

/** What an entry costs beside its value and its key: its places in the tables of the cache. */
const ENTRY_BYTES = 160
/** An entry is kept only when it is at most this part of its cache: one that is larger would drive out all others. */
const MAX_SHARE = 0.5

export class Caches {
  readonly #budget: MemoryBudget
  readonly #reserved: Reservation
  readonly #parts: AnyPart[] = []

  constructor(budget: MemoryBudget) {
    this.#budget = budget
    this.#reserved = budget.reserve('caches')
    budget.onShortage((missingBytes) => this.#giveBack(missingBytes))
  }

  get limitBytes(): number {
    return this.#budget.limitBytes
  }

  get sizeBytes(): number {
    return this.#reserved.bytes
  }

  get parts(): readonly AnyPart[] {
    return this.#parts
  }

  /** A cache of at most `maxBytes`; `name` is its label in metrics. */
  part<V extends object>(name: string, maxBytes: number): CachePart<V> {
    const part = new CachePart<V>({ name, maxBytes, reserved: this.#reserved })
    this.#parts.push(part)
    return part
  }

  #giveBack(missingBytes: number): void {
    let missing = missingBytes
    for (const part of this.#parts) if (missing > 0) missing -= part.shrink(missing)
  }
}

/** A part, whatever it keeps. */
export type AnyPart = Omit<CachePart<object>, 'get' | 'peek' | 'set'>

type PartOptions = { readonly name: string; readonly maxBytes: number; readonly reserved: Reservation }

/** Least recently used entries go first. */
export class CachePart<V extends object> {
  readonly name: string
  readonly maxBytes: number
  readonly #reserved: Reservation
  readonly #entries: LRUCache<string, V>
  #hits = 0
  #misses = 0
  #added = 0
  #evicted = 0

  constructor({ name, maxBytes, reserved }: PartOptions) {
    this.name = name
    this.maxBytes = Math.max(1, Math.floor(maxBytes))
    this.#reserved = reserved
    this.#entries = new LRUCache({ maxSize: this.maxBytes })
  }

  get sizeBytes(): number {
    return this.#entries.calculatedSize
  }

  get entryCount(): number {
    return this.#entries.size
  }

  get hits(): number {
    return this.#hits
  }

  get misses(): number {
    return this.#misses
  }

  get added(): number {
    return this.#added
  }

  /** Entries that had to go for others, or for memory. */
  get evicted(): number {
    return this.#evicted
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key)
    if (value === undefined) this.#misses++
    else this.#hits++
    return value
  }

  /** As {@link get}, without counting, and without making the entry a recent one. */
  peek(key: string): V | undefined {
    return this.#entries.peek(key)
  }

  /** Keeps `value`, which holds `valueBytes` of memory, where there is room; whether it did. It takes the place of an older one. */
  set(key: string, value: V, valueBytes: number): boolean {
    const size = Math.ceil(valueBytes) + key.length + ENTRY_BYTES
    this.delete(key)
    if (size > this.maxBytes * MAX_SHARE) return false
    while (this.sizeBytes + size > this.maxBytes) this.#evict()
    while (!this.#reserved.growIfFree(size)) if (this.#evict() === 0) return false
    this.#entries.set(key, value, { size })
    this.#added++
    return true
  }

  delete(key: string): void {
    const before = this.sizeBytes
    this.#entries.delete(key)
    this.#reserved.shrink(before - this.sizeBytes)
  }

  /** Drops entries until `bytes` are free or none is left; returns how many bytes that made. */
  shrink(bytes: number): number {
    let freed = 0
    while (freed < bytes) {
      const size = this.#evict()
      if (size === 0) break
      freed += size
    }
    return freed
  }

  /** The bytes of the entry that went; 0 when there was none. */
  #evict(): number {
    const before = this.sizeBytes
    if (this.#entries.pop() === undefined) return 0
    const size = before - this.sizeBytes
    this.#evicted++
    this.#reserved.shrink(size)
    return size
  }
}

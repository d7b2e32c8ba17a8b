/**
 * Texts by number, as UTF-8 back to back with a hash each, and a table that finds the number of a text by its bytes. There is no
 * object and no string for a text: a hundred thousand of them are a handful of arrays, which the collector does not look into.
 */
import { hashText, isSameText } from './text-hash.ts'
import { asBuffer, asDataView } from '#/kernel/byte-reader.ts'
import type { WorkMemory } from '#/platform/memory/work-memory.ts'

/** Texts to be read. Text i ends at `ends[i]` and begins where the one before ends; arrays may be longer than `length`. */
export type HashedTexts = {
  readonly length: number
  readonly bytes: Uint8Array
  /** The same bytes. */
  readonly view: DataView
  readonly ends: Uint32Array
  /** By {@link hashText}. */
  readonly hashes: Float64Array
}

export function textStart({ ends }: Pick<HashedTexts, 'ends'>, number: number): number {
  return number === 0 ? 0 : ends[number - 1]!
}

export function textAt(texts: Pick<HashedTexts, 'bytes' | 'ends'>, number: number): string {
  return asBuffer(texts.bytes).toString('utf8', textStart(texts, number), texts.ends[number])
}

export function textsOf(texts: HashedTexts): string[] {
  return Array.from({ length: texts.length }, (_, number) => textAt(texts, number))
}

export function hashTexts(texts: readonly string[]): HashedTexts {
  const list = new TextList({ texts: texts.length, bytes: 64 * texts.length })
  for (const text of texts) list.addText(text)
  return list
}

/** Hashes of texts that lie back to back in `bytes`. */
export function hashesOf(view: DataView, ends: Uint32Array): Float64Array {
  const hashes = new Float64Array(ends.length)
  for (let number = 0; number < ends.length; number++) {
    hashes[number] = hashText(view, textStart({ ends }, number), ends[number]!)
  }
  return hashes
}

/** The same texts in memory of their own. */
export function copyTexts(texts: HashedTexts): HashedTexts {
  const { length } = texts
  const bytes = Uint8Array.from(texts.bytes.subarray(0, textStart(texts, length)))
  const [ends, hashes] = [texts.ends.slice(0, length), texts.hashes.slice(0, length)]
  return { length, bytes, view: asDataView(bytes), ends, hashes }
}

type Room = {
  readonly texts?: number
  readonly bytes?: number
  /** Whether texts lie in shared memory. What was handed out stays as it was when the list grows. */
  readonly isShared?: boolean
  /** Where a list lies that lives no longer than a piece of work; without it, in memory of its own. */
  readonly memory?: WorkMemory | undefined
}

/** A list that grows. Equal texts may be in it several times. */
export class TextList implements HashedTexts {
  length = 0
  bytes: Uint8Array
  view: DataView
  ends: Uint32Array
  hashes: Float64Array
  readonly #isShared: boolean
  readonly #memory: WorkMemory | undefined

  constructor({ texts = 16, bytes = 1024, isShared = false, memory }: Room = {}) {
    this.#isShared = isShared
    this.#memory = memory
    this.bytes = this.#take(bytes)
    this.view = asDataView(this.bytes)
    this.ends = this.#takeEnds(texts)
    this.hashes = this.#takeHashes(texts)
  }

  get memoryBytes(): number {
    return this.bytes.length + this.ends.length * 12
  }

  /** Bytes of all texts. */
  get size(): number {
    return textStart(this, this.length)
  }

  /** Takes `source[from, to)`, whose hash is `hash`. Returns its number. */
  add(hash: number, source: DataView, from: number, to: number): number {
    const number = this.length
    const start = this.size
    const end = start + to - from
    this.#reserve(end)
    const { view } = this
    let at = start
    for (const last = end - 3; at < last; at += 4) view.setInt32(at, source.getInt32(from + at - start, true), true)
    for (; at < end; at++) view.setUint8(at, source.getUint8(from + at - start))
    this.ends[number] = end
    this.hashes[number] = hash
    this.length = number + 1
    return number
  }

  addText(text: string): number {
    const bytes = Buffer.from(text)
    const view = asDataView(bytes)
    return this.add(hashText(view, 0, bytes.length), view, 0, bytes.length)
  }

  #reserve(end: number): void {
    if (end > this.bytes.length) {
      const bytes = this.#take(Math.max(end, this.bytes.length * 2))
      bytes.set(this.bytes)
      this.bytes = bytes
      this.view = asDataView(bytes)
    }
    if (this.length < this.ends.length) return
    const texts = Math.max(16, this.ends.length * 2)
    const ends = this.#takeEnds(texts)
    ends.set(this.ends)
    this.ends = ends
    const hashes = this.#takeHashes(texts)
    hashes.set(this.hashes)
    this.hashes = hashes
  }

  #take(size: number): Uint8Array {
    if (this.#memory !== undefined) return this.#memory.bytes(size)
    return new Uint8Array(this.#isShared ? new SharedArrayBuffer(size) : new ArrayBuffer(size))
  }

  #takeEnds(texts: number): Uint32Array {
    const { buffer, byteOffset } = this.#take(texts * 4)
    return new Uint32Array(buffer, byteOffset, texts)
  }

  #takeHashes(texts: number): Float64Array {
    if (this.#memory === undefined) return new Float64Array(texts)
    const { buffer, byteOffset } = this.#take(texts * 8)
    return new Float64Array(buffer, byteOffset, texts)
  }
}

const FIRST_SLOTS = 64
/** Texts that are read ahead in one go: few enough to be still there when they are compared. */
export const FETCHED_TEXTS = 256
const CACHE_LINE_BYTES = 64
/** What was read ahead: without a use, reading would be left out. */
const fetched = { bits: 0 }
const likely = new Uint32Array(FETCHED_TEXTS)

/** Reads texts `numbers[0, count)` ahead, where a number is one too large and 0 says nothing. */
export function fetchTexts({ bytes, ends }: HashedTexts, numbers: Uint32Array, count: number): void {
  let bits = 0
  for (let i = 0; i < count; i++) {
    const number = numbers[i]! - 1
    if (number < 0) continue
    const end = ends[number]!
    for (let at = number === 0 ? 0 : ends[number - 1]!; at < end; at += CACHE_LINE_BYTES) bits ^= bytes[at]!
  }
  fetched.bits ^= bits
}

/** Texts that are different, with their numbers by their bytes: open addressing, two words a slot. */
export class TextTable {
  readonly texts: TextList
  /** Lower word of the hash, and 1 + the number; 0 where the slot is free. At most three quarters are taken. */
  #slots: Uint32Array

  constructor(room: Room = {}) {
    this.texts = new TextList(room)
    const slots = Math.max(FIRST_SLOTS, 2 ** Math.ceil(Math.log2(((room.texts ?? 0) * 4) / 3 + 1)))
    this.#slots = new Uint32Array(slots * 2)
  }

  get memoryBytes(): number {
    return this.texts.memoryBytes + this.#slots.byteLength
  }

  /** The number of the text `source[from, to)` with this hash; -1 when it is not here. */
  find(hash: number, source: DataView, from: number, to: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    const low = hash >>> 0
    for (let at = (low * 2) & mask; ; at = (at + 2) & mask) {
      const number = slots[at + 1]! - 1
      if (number < 0) return -1
      if (slots[at] === low && this.#isText(number, source, from, to)) return number
    }
  }

  /**
   * Brings what looking for texts with the hashes from `from` on reads into the processor's caches, in loops that wait for many places of
   * memory at a time; a look-up by itself waits for one after the other. Returns for each text 1 + the number that it probably has, 0:
   * probably none; `FETCHED_TEXTS` at most, good until the next call.
   */
  fetch(hashes: Float64Array, from: number, to: number): Uint32Array {
    const slots = this.#slots
    const mask = slots.length - 1
    const count = Math.min(to - from, FETCHED_TEXTS)
    for (let i = 0; i < count; i++) {
      const low = hashes[from + i]! >>> 0
      const at = (low * 2) & mask
      likely[i] = slots[at] === low ? slots[at + 1]! : 0
    }
    fetchTexts(this.texts, likely, count)
    return likely
  }

  /** Takes a text that is not here. Returns its number. */
  add(hash: number, source: DataView, from: number, to: number): number {
    const number = this.texts.add(hash, source, from, to)
    if ((number + 1) * 8 > this.#slots.length * 3) this.#grow()
    else place(this.#slots, hash, number)
    return number
  }

  findText(text: string): number {
    const bytes = Buffer.from(text)
    const view = asDataView(bytes)
    return this.find(hashText(view, 0, bytes.length), view, 0, bytes.length)
  }

  #isText(number: number, source: DataView, from: number, to: number): boolean {
    const { texts } = this
    const start = textStart(texts, number)
    return texts.ends[number]! - start === to - from && isSameText(texts.view, start, source, from, to - from)
  }

  #grow(): void {
    const { hashes, length } = this.texts
    const slots = new Uint32Array(this.#slots.length * 2)
    for (let number = 0; number < length; number++) place(slots, hashes[number]!, number)
    this.#slots = slots
  }
}

function place(slots: Uint32Array, hash: number, number: number): void {
  const mask = slots.length - 1
  const low = hash >>> 0
  let at = (low * 2) & mask
  while (slots[at + 1] !== 0) at = (at + 2) & mask
  slots[at] = low
  slots[at + 1] = number + 1
}

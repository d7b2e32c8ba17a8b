/**
 * Distinct (name, value) pairs that grow in number, in shared memory and in the form of ./coded-labels.ts, so that handing them to a
 * worker thread copies nothing. A pair is found by the bytes of its value.
 */
import { hashName, hashPair, sharedU32, type CodedLabels, type NameHash } from './coded-labels.ts'
import { isSameText } from './text-hash.ts'
import { asBuffer, asDataView } from '#/kernel/byte-reader.ts'

const FIRST_PAIRS = 64

/** A name that has been seen. */
type Name = {
  readonly text: string
  readonly bytes: Buffer
  readonly hash: NameHash
  /** Pairs in order of arrival. */
  readonly pairs: number[]
}

export class PairTable {
  count = 0
  readonly #names: Name[] = []
  readonly #positions = new Map<string, number>()
  #nameTexts: readonly string[] = []
  #values: Uint8Array<SharedArrayBuffer>
  #view: DataView
  #buffer: Buffer
  #valueEnds: Uint32Array<SharedArrayBuffer>
  #nameOfPair: Uint32Array<SharedArrayBuffer>
  #hashes: Uint32Array<SharedArrayBuffer>
  /** 1 + the pair, 0 where the slot is free. At most half are taken. */
  #slots: Uint32Array
  /** Hash of the pair that is looked for. */
  readonly #words = new Uint32Array(2)

  /** With room for so many pairs and bytes of their values. */
  constructor(pairs = FIRST_PAIRS, valueBytes = FIRST_PAIRS * 16) {
    this.#values = new Uint8Array(new SharedArrayBuffer(valueBytes))
    this.#view = asDataView(this.#values)
    this.#buffer = asBuffer(this.#values)
    this.#valueEnds = sharedU32(pairs)
    this.#nameOfPair = sharedU32(pairs)
    this.#hashes = sharedU32(pairs * 2)
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(pairs * 2)))
  }

  /** Bytes of all values. */
  get valueBytes(): number {
    return this.#start(this.count)
  }

  get memoryBytes(): number {
    return this.#values.length + this.#nameOfPair.length * 16 + this.#slots.byteLength + this.count * 8
  }

  /** Names in order of arrival. */
  get names(): readonly string[] {
    if (this.#nameTexts.length !== this.#names.length) this.#nameTexts = this.#names.map(({ text }) => text)
    return this.#nameTexts
  }

  /** What there is now; it stays as it is when more comes. */
  coded(): Omit<CodedLabels, 'pairs' | 'ends'> {
    const { count } = this
    return {
      names: this.names,
      nameOfPair: this.#nameOfPair.subarray(0, count),
      values: this.#values.subarray(0, this.#start(count)),
      valueEnds: this.#valueEnds.subarray(0, count),
      pairHashes: this.#hashes.subarray(0, count * 2),
    }
  }

  positionOf(name: string): number | undefined {
    return this.#positions.get(name)
  }

  addName(text: string): number {
    const known = this.#positions.get(text)
    if (known !== undefined) return known
    const bytes = Buffer.from(text)
    const position = this.#names.push({ text, bytes, hash: hashName(text), pairs: [] }) - 1
    this.#positions.set(text, position)
    return position
  }

  /** Whether name `position` is `bytes[from, to)`. */
  isName(position: number, bytes: Uint8Array, from: number, to: number): boolean {
    const own = this.#names[position]?.bytes
    if (own === undefined || own.length !== to - from) return false
    for (let i = 0; i < own.length; i++) if (own[i] !== bytes[from + i]) return false
    return true
  }

  pairsOfName(position: number): readonly number[] {
    return this.#names[position]!.pairs
  }

  nameOf(pair: number): string {
    return this.#names[this.#nameOfPair[pair]!]!.text
  }

  valueOf(pair: number): string {
    return this.#buffer.toString('utf8', this.#start(pair), this.#valueEnds[pair])
  }

  /** The pair of name `position` and the value `bytes[from, to)`, of which `view` is a view; -1 when it is not here. */
  find(position: number, { view }: Source, from: number, to: number): number {
    hashPair(this.#names[position]!.hash, view, from, to, this.#words)
    return this.#find(position, view, from, to)
  }

  /** As {@link find}; a new one when it is new. */
  add(position: number, { view }: Source, from: number, to: number): number {
    const name = this.#names[position]!
    hashPair(name.hash, view, from, to, this.#words)
    const known = this.#find(position, view, from, to)
    if (known >= 0) return known
    const pair = this.count++
    if (pair === this.#nameOfPair.length) this.#growPairs()
    const start = this.#start(pair)
    const end = start + to - from
    if (end > this.#values.length) this.#growValues(end)
    const values = this.#view
    let at = start
    for (const last = end - 3; at < last; at += 4) values.setInt32(at, view.getInt32(from + at - start, true), true)
    for (; at < end; at++) values.setUint8(at, view.getUint8(from + at - start))
    this.#valueEnds[pair] = end
    this.#nameOfPair[pair] = position
    this.#hashes.set(this.#words, pair * 2)
    name.pairs.push(pair)
    place(this.#slots, this.#words[0]!, pair)
    return pair
  }

  /** The pair with the hash in `#words`. */
  #find(position: number, view: DataView, from: number, to: number): number {
    const slots = this.#slots
    const low = this.#words[0]!
    const high = this.#words[1]!
    const mask = slots.length - 1
    for (let at = low & mask; ; at = (at + 1) & mask) {
      const pair = slots[at]! - 1
      if (pair < 0) return -1
      if (this.#hashes[pair * 2] !== low || this.#hashes[pair * 2 + 1] !== high) continue
      const start = this.#start(pair)
      const isSameLength = this.#valueEnds[pair]! - start === to - from
      if (isSameLength && this.#nameOfPair[pair] === position && isSameText(this.#view, start, view, from, to - from))
        return pair
    }
  }

  #start(pair: number): number {
    return pair === 0 ? 0 : this.#valueEnds[pair - 1]!
  }

  #growPairs(): void {
    const count = this.#nameOfPair.length
    this.#valueEnds = grown(this.#valueEnds)
    this.#nameOfPair = grown(this.#nameOfPair)
    this.#hashes = grown(this.#hashes)
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(count * 4)))
    for (let pair = 0; pair < count; pair++) place(this.#slots, this.#hashes[pair * 2]!, pair)
  }

  #growValues(needed: number): void {
    const values = new Uint8Array(new SharedArrayBuffer(Math.max(needed, this.#values.length * 2)))
    values.set(this.#values)
    this.#values = values
    this.#view = asDataView(values)
    this.#buffer = asBuffer(values)
  }
}

/** Bytes and a view of them. */
export type Source = { readonly bytes: Uint8Array; readonly view: DataView }

function place(slots: Uint32Array, low: number, pair: number): void {
  const mask = slots.length - 1
  let at = low & mask
  while (slots[at] !== 0) at = (at + 1) & mask
  slots[at] = pair + 1
}

/** Twice as long. Who has the old array keeps what was in it. */
export function grown(array: Uint32Array): Uint32Array<SharedArrayBuffer> {
  const larger = sharedU32(array.length * 2)
  larger.set(array)
  return larger
}

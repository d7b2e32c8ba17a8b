/**
 * What filters look for in lines, and its hashes; all of it is stored, docs/formats/block-v1.md says it in words.
 *
 * A token is a maximal run of [A-Za-z0-9_], taken in lower case. A key is up to eight bytes of it, as two words of 32 bits: the
 * bytes are shifted in from the right, so that shorter keys have zeros before them and every key is exact.
 */

import { asDataView } from '#/kernel/byte-reader.ts'

/** Bytes of the longest key. Longer tokens have two: their first and their last eight bytes. */
export const KEY_BYTES = 8
/** Shorter tokens with digits have no key: most pages hold most of them. */
export const MIN_KEY_BYTES = 5
/** Keys of this size are parts of tokens that have a byte outside of [0-9a-f]. */
export const GRAM_BYTES = 3

/** Class of a byte: its lower case and flags; at most {@link LEAD_OF_FOLDING} where it is no part of a token. */
export const CLASS_DIGIT = 0x100
/** Not a hexadecimal digit. */
export const CLASS_OTHER = 0x200
/** First byte of the UTF-8 of U+017F or U+212A, the only runes beyond ASCII that fold to a letter of ASCII. */
export const LEAD_OF_FOLDING = 1
export const FOLDING_RUNES: readonly string[] = ['\u017f', '\u212a']

export const byteClasses = makeClasses()

function makeClasses(): Uint16Array {
  const classes = new Uint16Array(256)
  for (const rune of FOLDING_RUNES) classes[Buffer.from(rune)[0]!] = LEAD_OF_FOLDING
  for (const char of '0123456789abcdefghijklmnopqrstuvwxyz_') {
    const lower = char.charCodeAt(0)
    const flags = char <= '9' ? CLASS_DIGIT : char >= 'a' && char <= 'f' ? 0 : CLASS_OTHER
    classes[lower] = lower | flags
    classes[char.toUpperCase().charCodeAt(0)] = lower | flags
  }
  return classes
}

/** Whether a byte is part of a token. */
export function isTokenByte(byte: number): boolean {
  return byteClasses[byte]! > LEAD_OF_FOLDING
}

/** The key of `bytes[start, end)`, at most {@link KEY_BYTES} bytes of a token, into `pairs` at `at` and `at + 1`. */
export function writeKey(bytes: Uint8Array, start: number, end: number, pairs: Int32Array, at: number): void {
  let high = 0
  let low = 0
  for (let i = start; i < end; i++) {
    high = (high << 8) | (low >>> 24)
    low = (low << 8) | (byteClasses[bytes[i]!]! & 0xff)
  }
  pairs[at] = high
  pairs[at + 1] = low
}

const C1 = 0xcc9e2d51
const C2 = 0x1b873593
const SEED_FIRST = 0x45646461
const SEED_SECOND = 0x626c6d31

/** Replaces `count` keys by their hashes: MurmurHash3 (x86, 32 bits) of the two words under two seeds. */
export function hashKeys(pairs: Int32Array, count: number): void {
  for (let i = 0; i < 2 * count; i += 2) {
    const first = scrambled(pairs[i]!)
    const second = scrambled(pairs[i + 1]!)
    pairs[i] = finished(round(round(SEED_FIRST, first), second), KEY_BYTES)
    pairs[i + 1] = finished(round(round(SEED_SECOND, first), second), KEY_BYTES)
  }
}

/** A hash of 64 bits of a value of structured metadata, never (0, 0), which is (0, 1): its seeds are the hashes of the name. */
export class ValueHasher {
  #first = 0
  #second = 0
  /** The hash of the latest {@link hash}. */
  readonly pair = new Int32Array(2)

  setName(name: string): void {
    const bytes = asDataView(Buffer.from(name))
    this.#first = SEED_FIRST
    this.#second = SEED_SECOND
    this.hash(bytes, 0, bytes.byteLength)
    this.#first = this.pair[0]!
    this.#second = this.pair[1]!
  }

  hash(bytes: DataView, start: number, end: number): void {
    let first = this.#first
    let second = this.#second
    let i = start
    for (; i + 4 <= end; i += 4) {
      const word = scrambled(bytes.getInt32(i, true))
      first = round(first, word)
      second = round(second, word)
    }
    if (i < end) {
      let word = 0
      for (let last = end - 1; last >= i; last--) word = (word << 8) | bytes.getUint8(last)
      word = scrambled(word)
      first ^= word
      second ^= word
    }
    this.pair[0] = finished(first, end - start)
    this.pair[1] = finished(second, end - start)
    if ((this.pair[0] | this.pair[1]) === 0) this.pair[1] = 1
  }
}

function scrambled(word: number): number {
  const k = Math.imul(word, C1)
  return Math.imul((k << 15) | (k >>> 17), C2)
}

function round(hash: number, word: number): number {
  const h = hash ^ word
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}

function finished(hash: number, sizeBytes: number): number {
  let h = hash ^ sizeBytes
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

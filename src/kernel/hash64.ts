/**
 * A 64-bit hash of texts as two words of 32 bits, without BigInt: the first half of MurmurHash3 (x86, 128 bits) over UTF-16 code
 * units. For sketches and tables in memory; never stored, not safe against chosen input.
 */
const C1 = 0x239b961b
const C2 = 0xab0e9789 | 0
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93 | 0

/** The words of the latest {@link hash64}, each from 0 to 2^32 - 1. */
export const hashWords = { high: 0, low: 0 }

/** Leaves the hash of `text` in {@link hashWords}. */
export function hash64(text: string): void {
  const { length } = text
  let [h1, h2, h3, h4] = [0, 0, 0, 0]
  let i = 0
  for (; i + 8 <= length; i += 8) {
    h1 = rotated(h1 ^ Math.imul(rotated(Math.imul(word(text, i), C1), 15), C2), 19) + h2
    h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0
    h2 = rotated(h2 ^ Math.imul(rotated(Math.imul(word(text, i + 2), C2), 16), C3), 17) + h3
    h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0
    h3 = rotated(h3 ^ Math.imul(rotated(Math.imul(word(text, i + 4), C3), 17), C4), 15) + h4
    h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0
    h4 = rotated(h4 ^ Math.imul(rotated(Math.imul(word(text, i + 6), C4), 18), C1), 13) + h1
    h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0
  }
  if (i + 6 < length) h4 ^= Math.imul(rotated(Math.imul(word(text, i + 6), C4), 18), C1)
  if (i + 4 < length) h3 ^= Math.imul(rotated(Math.imul(word(text, i + 4), C3), 17), C4)
  if (i + 2 < length) h2 ^= Math.imul(rotated(Math.imul(word(text, i + 2), C2), 16), C3)
  if (i < length) h1 ^= Math.imul(rotated(Math.imul(word(text, i), C1), 15), C2)
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  const sum = h1 + h2 + h3 + h4
  const mixed1 = mixed(sum)
  const mixed2 = mixed(h2 + sum)
  const total = mixed1 + mixed2 + mixed(h3 + sum) + mixed(h4 + sum)
  hashWords.high = total >>> 0
  hashWords.low = (mixed2 + total) >>> 0
}

/** The upper 53 bits of the hash, as a whole number. */
export function hash53(text: string): number {
  hash64(text)
  return hashWords.high * 0x20_0000 + (hashWords.low >>> 11)
}

/** Two code units; 0 behind the end. */
function word(text: string, at: number): number {
  const second = at + 1 < text.length ? text.charCodeAt(at + 1) : 0
  return text.charCodeAt(at) | (second << 16)
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function mixed(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/**
 * What a text says about the tokens of a line that holds it: inside the text tokens are whole, at its ends they may go on in
 * the line. A text without tokens says nothing.
 */
import { CLASS_DIGIT, CLASS_OTHER, GRAM_BYTES, KEY_BYTES, MIN_KEY_BYTES, byteClasses, isTokenByte } from './keys.ts'
import { hashKeys, writeKey } from './keys.ts'

/** A part of a token, or a whole one where neither end is open. */
export type Fragment = {
  /** Lower case. */
  readonly bytes: Buffer
  /** The token may begin before. */
  readonly isOpenLeft: boolean
  /** The token may go on. */
  readonly isOpenRight: boolean
  readonly hasDigit: boolean
}

export type Needle = {
  readonly fragments: readonly Fragment[]
  /** A line may hold it with a rune beyond ASCII where the text has a letter of ASCII. */
  readonly canFold: boolean
}

const LONG_S = '\u017f'
const KELVIN = '\u212a'

export function parseNeedle(text: string, anyCase: boolean): Needle {
  // in any case these two match a letter; otherwise they are bytes like others, between tokens
  const folded = anyCase ? text.replaceAll(LONG_S, 's').replaceAll(KELVIN, 'k') : text
  const bytes = Buffer.from(folded)
  const fragments: Fragment[] = []
  for (let at = 0; at < bytes.length;) {
    if (!isTokenByte(bytes[at]!)) {
      at++
      continue
    }
    const from = at
    while (at < bytes.length && isTokenByte(bytes[at]!)) at++
    const lower = bytes.subarray(from, at).map((byte) => byteClasses[byte]! & 0xff)
    fragments.push({
      bytes: Buffer.from(lower),
      isOpenLeft: from === 0,
      isOpenRight: at === bytes.length,
      hasDigit: lower.some((byte) => (byteClasses[byte]! & CLASS_DIGIT) !== 0),
    })
  }
  return { fragments, canFold: anyCase && /[ks]/i.test(folded) }
}

/** Hashes of keys, two words each; a page that holds the token has all of them. */
export type Probes = Int32Array

/** When the token is the fragment and nothing else. */
export function wholeProbes({ bytes }: Fragment): Probes {
  if (bytes.length < MIN_KEY_BYTES) return new Int32Array(0)
  return bytes.length <= KEY_BYTES ? probesOf(bytes, [0]) : probesOf(bytes, [0, bytes.length - KEY_BYTES])
}

/** When the token may go on at the open ends. */
export function partProbes(fragment: Fragment): Probes {
  const { bytes, isOpenLeft, isOpenRight } = fragment
  if (!isOpenLeft && !isOpenRight) return wholeProbes(fragment)
  if (bytes.length < KEY_BYTES || (isOpenLeft && isOpenRight)) return new Int32Array(0)
  return probesOf(bytes, [isOpenLeft ? bytes.length - KEY_BYTES : 0])
}

/** Grams of the fragment that pages keep. */
export function gramProbes({ bytes }: Fragment): Probes {
  const starts: number[] = []
  for (let i = 0; i + GRAM_BYTES <= bytes.length; i++) {
    const gram = bytes.subarray(i, i + GRAM_BYTES)
    if (gram.some((byte) => (byteClasses[byte]! & CLASS_OTHER) !== 0)) starts.push(i)
  }
  return probesOf(bytes, starts, GRAM_BYTES)
}

function probesOf(bytes: Buffer, starts: readonly number[], size = KEY_BYTES): Probes {
  const pairs = new Int32Array(2 * starts.length)
  for (const [i, start] of starts.entries()) writeKey(bytes, start, Math.min(bytes.length, start + size), pairs, 2 * i)
  hashKeys(pairs, starts.length)
  return pairs
}

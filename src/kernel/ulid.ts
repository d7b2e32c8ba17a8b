/** ULIDs: 48 bits of milliseconds and 80 random bits in 26 characters that sort by time (Crockford's base 32). */
import { assert } from './assert.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const TIME_CHARACTERS = 10
const RANDOM_BYTES = 10
const PATTERN = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

/** `random` gives the 80 random bits: exactly 10 bytes. */
export function makeUlid(nowMs: number, random: Uint8Array): string {
  assert(random.length === RANDOM_BYTES, `a ULID takes ${RANDOM_BYTES} random bytes, not ${random.length}`)
  assert(nowMs >= 0 && nowMs < 2 ** 48, `${nowMs} ms fits 48 bits`)
  let time = ''
  for (let rest = Math.floor(nowMs), i = 0; i < TIME_CHARACTERS; i++) {
    time = ALPHABET[rest % 32]! + time
    rest = Math.floor(rest / 32)
  }
  let tail = ''
  let bits = 0
  let held = 0
  for (const byte of random) {
    bits = ((bits << 8) | byte) & 0xfff
    for (held += 8; held >= 5; held -= 5) tail += ALPHABET[(bits >>> (held - 5)) & 31]!
  }
  return time + tail
}

export function isUlid(text: string): boolean {
  return PATTERN.test(text)
}

/** UTF-8 where strings and bytes meet. */
import { isUtf8 } from 'node:buffer'

/** Order of the UTF-8 bytes of two texts, which is the order of their code points; JavaScript's `<` compares UTF-16 units. */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at)
    const b = right.charCodeAt(at)
    if (a === b) continue
    // a surrogate stands for a code point above every other unit
    const aIsSurrogate = (a & 0xf800) === 0xd800
    const bIsSurrogate = (b & 0xf800) === 0xd800
    return aIsSurrogate === bIsSurrogate ? a - b : aIsSurrogate ? 1 : -1
  }
  return left.length - right.length
}

/** Writes `codePoint` as UTF-8 at `at`; returns the position behind it. Surrogates and values out of range become U+FFFD. */
export function writeCodePoint(target: Uint8Array, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    target[at] = codePoint
    return at + 1
  }
  if (codePoint < 0x800) {
    target[at] = 0xc0 | (codePoint >> 6)
    target[at + 1] = 0x80 | (codePoint & 0x3f)
    return at + 2
  }
  const point = codePoint > 0x10ffff || (codePoint & 0xfffff800) === 0xd800 ? 0xfffd : codePoint
  if (point < 0x10000) {
    target[at] = 0xe0 | (point >> 12)
    target[at + 1] = 0x80 | ((point >> 6) & 0x3f)
    target[at + 2] = 0x80 | (point & 0x3f)
    return at + 3
  }
  target[at] = 0xf0 | (point >> 18)
  target[at + 1] = 0x80 | ((point >> 12) & 0x3f)
  target[at + 2] = 0x80 | ((point >> 6) & 0x3f)
  target[at + 3] = 0x80 | (point & 0x3f)
  return at + 4
}

/** Overwrites every byte of [start, end) that is not part of valid UTF-8 with `replacement`, an ASCII byte. */
export function replaceInvalidUtf8(bytes: Buffer, start: number, end: number, replacement: number): void {
  if (isUtf8(bytes.subarray(start, end))) return
  for (let at = start; at < end;) {
    const size = sequenceLength(bytes, at, end)
    if (size === 0) bytes[at] = replacement
    at += size === 0 ? 1 : size
  }
}

/** Length of the valid sequence that begins at `at`, or 0 when none does. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!
  if (lead < 0x80) return 1
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
  if (lead < 0xc2 || lead > 0xf4 || at + size > end) return 0
  // overlong forms, surrogates and values above U+10FFFF are ruled out by the range of the second byte
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  const second = bytes[at + 1]!
  if (second < low || second > high) return 0
  for (let rest = 2; rest < size; rest++) if ((bytes[at + rest]! & 0xc0) !== 0x80) return 0
  return size
}

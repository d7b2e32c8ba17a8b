/**
 * Bit packing: `count` unsigned integers of `width` bits each, low bits first, in little-endian 32-bit words. The last word
 * is padded with zeros.
 */
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const WORD_BITS = 32

export function packedBytes(count: number, width: number): number {
  return Math.ceil((count * width) / WORD_BITS) * 4
}

/** Bits that `max` needs: 0 for 0, 32 for anything from 2^31. */
export function bitWidth(max: number): number {
  return WORD_BITS - Math.clz32(max)
}

/** Packs `values[0, count)`, each below 2^width. */
export function packBits(values: Uint32Array, count: number, width: number, out: ByteWriter): void {
  if (width === 0) return
  const bytes = out.reserve(packedBytes(count, width))
  let at = 0
  let word = 0
  let used = 0
  for (let i = 0; i < count; i++) {
    const value = values[i]!
    word |= value << used
    used += width
    if (used < WORD_BITS) continue
    at = putWord(bytes, at, word)
    used -= WORD_BITS
    word = used === 0 ? 0 : value >>> (width - used)
  }
  if (used > 0) putWord(bytes, at, word)
}

/** Reads `count` values into `target` from `at`. `bytes` has {@link packedBytes} bytes. */
export function unpackBits(
  bytes: Uint8Array,
  width: number,
  target: Uint32Array,
  range: { readonly at: number; readonly count: number },
): void {
  const { at, count } = range
  if (width === 0) {
    target.fill(0, at, at + count)
    return
  }
  const mask = width === WORD_BITS ? -1 : (1 << width) - 1
  let position = 0
  let word = 0
  let held = 0
  for (let i = at; i < at + count; i++) {
    if (held >= width) {
      target[i] = word & mask
      word = width === WORD_BITS ? 0 : word >>> width
      held -= width
      continue
    }
    const next =
      bytes[position]! | (bytes[position + 1]! << 8) | (bytes[position + 2]! << 16) | (bytes[position + 3]! << 24)
    position += 4
    target[i] = (held === 0 ? next : word | (next << held)) & mask
    const taken = width - held
    word = taken === WORD_BITS ? 0 : next >>> taken
    held = WORD_BITS - taken
  }
}

function putWord(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = word
  bytes[at + 1] = word >>> 8
  bytes[at + 2] = word >>> 16
  bytes[at + 3] = word >>> 24
  return at + 4
}

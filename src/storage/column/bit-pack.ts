/**
 * Bit packing: `count` unsigned integers of `width` bits each, low bits first, in little-endian 32-bit words. The last word
 * is padded with zeros.
 */
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const WORD_BITS = 32
/** A value of so many bits lies in the four bytes from the one in which it begins. */
const MAX_LOAD_BITS = 25

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

type UnpackRange = { readonly at: number; readonly count: number }
/** Packed values from `start` of a view, each to be increased by `least`. */
type Packed = { readonly start: number; readonly width: number; readonly least: number }

/** Reads `count` values into `target` from `at`. `bytes` has {@link packedBytes} bytes. */
export function unpackBits(bytes: Uint8Array, width: number, target: Uint32Array, range: UnpackRange): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  unpackFrom(view, { start: 0, width, least: 0 }, target, range)
}

/**
 * As {@link unpackBits}, from the middle of a view. Sums with `least` are taken modulo 2^32: whoever packed the values saw to it
 * that they fit.
 */
export function unpackFrom(view: DataView, packed: Packed, target: Uint32Array, { at, count }: UnpackRange): void {
  const { start, width } = packed
  const least = packed.least | 0
  if (width === 0) {
    target.fill(packed.least, at, at + count)
  } else if (width === WORD_BITS) {
    for (let i = 0; i < count; i++) target[at + i] = (view.getInt32(start + i * 4, true) + least) | 0
  } else {
    // loads of four bytes may reach beyond these values, but not beyond the view
    const loads = width <= MAX_LOAD_BITS ? Math.max(0, Math.floor(((view.byteLength - start - 4) * 8) / width)) : 0
    const blocks = Math.min(count, loads) >>> 3
    if (blocks > 0) unpackBlocks(view, packed, target, { at, count: blocks * 8 })
    unpackWords(view, packed, target, { at, count, done: blocks * 8 })
  }
}

/** One of the values that are packed with `width` bits, which are not 0, from `start` of a view. */
export function unpackOne(
  view: DataView,
  { start, width, position }: { readonly start: number; readonly width: number; readonly position: number },
): number {
  const bit = position * width
  const word = start + (bit >>> 5) * 4
  const shift = bit & 31
  let value = view.getInt32(word, true) >>> shift
  if (shift + width > WORD_BITS) value |= view.getInt32(word + 4, true) << (WORD_BITS - shift)
  return (width === WORD_BITS ? value : value & ((1 << width) - 1)) >>> 0
}

/** Eight values take `width` whole bytes, so their places in these bytes are the same in each block of eight. */
function unpackBlocks(
  view: DataView,
  { start, width, least: leastNumber }: Packed,
  target: Uint32Array,
  { at, count }: UnpackRange,
): void {
  const mask = (1 << width) - 1
  const least = leastNumber | 0
  const [byte1, byte2, byte3] = [width >>> 3, (2 * width) >>> 3, (3 * width) >>> 3]
  const [byte4, byte5, byte6, byte7] = [width >>> 1, (5 * width) >>> 3, (6 * width) >>> 3, (7 * width) >>> 3]
  const [bit1, bit2, bit3] = [width & 7, (2 * width) & 7, (3 * width) & 7]
  const [bit4, bit5, bit6, bit7] = [(4 * width) & 7, (5 * width) & 7, (6 * width) & 7, (7 * width) & 7]
  const end = at + count
  for (let i = at, byte = start; i < end; i += 8, byte += width) {
    target[i] = ((view.getInt32(byte, true) & mask) + least) | 0
    target[i + 1] = (((view.getInt32(byte + byte1, true) >>> bit1) & mask) + least) | 0
    target[i + 2] = (((view.getInt32(byte + byte2, true) >>> bit2) & mask) + least) | 0
    target[i + 3] = (((view.getInt32(byte + byte3, true) >>> bit3) & mask) + least) | 0
    target[i + 4] = (((view.getInt32(byte + byte4, true) >>> bit4) & mask) + least) | 0
    target[i + 5] = (((view.getInt32(byte + byte5, true) >>> bit5) & mask) + least) | 0
    target[i + 6] = (((view.getInt32(byte + byte6, true) >>> bit6) & mask) + least) | 0
    target[i + 7] = (((view.getInt32(byte + byte7, true) >>> bit7) & mask) + least) | 0
  }
}

/** Value by value, from the one at `done`; each lies in one word or two. */
function unpackWords(
  view: DataView,
  { start, width, least: leastNumber }: Packed,
  target: Uint32Array,
  { at, count, done }: UnpackRange & { readonly done: number },
): void {
  const mask = (1 << width) - 1
  const least = leastNumber | 0
  for (let i = done, bit = done * width; i < count; i++, bit += width) {
    const word = start + (bit >>> 5) * 4
    const shift = bit & 31
    let value = view.getInt32(word, true) >>> shift
    if (shift + width > WORD_BITS) value |= view.getInt32(word + 4, true) << (WORD_BITS - shift)
    target[at + i] = ((value & mask) + least) | 0
  }
}

function putWord(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = word
  bytes[at + 1] = word >>> 8
  bytes[at + 2] = word >>> 16
  bytes[at + 3] = word >>> 24
  return at + 4
}

/**
 * Unsigned 32-bit integers, bit-packed in groups of 128 so that one outlier widens its own group only.
 *
 *     group: width u8 · least value uvarint · (value - least) packed with `width` bits
 */
import { bitWidth, packBits, packedBytes, unpackFrom } from './bit-pack.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

const GROUP = 128
const group = new Uint32Array(GROUP)

export function encodePackedU32(values: Uint32Array, out: ByteWriter): void {
  for (let from = 0; from < values.length; from += GROUP) {
    const count = Math.min(GROUP, values.length - from)
    let least = values[from]!
    let greatest = least
    for (let i = from + 1; i < from + count; i++) {
      const value = values[i]!
      if (value < least) least = value
      else if (value > greatest) greatest = value
    }
    for (let i = 0; i < count; i++) group[i] = values[from + i]! - least
    const width = bitWidth(greatest - least)
    out.u8(width)
    out.uvarint(least)
    packBits(group, count, width, out)
  }
}

export function decodePackedU32(reader: ByteReader, count: number): Uint32Array {
  const values = new Uint32Array(count)
  decodePackedU32Into(reader, values, { at: 0, count })
  return values
}

/** The same into the middle of `values`. */
export function decodePackedU32Into(
  reader: ByteReader,
  values: Uint32Array,
  { at: first, count }: { readonly at: number; readonly count: number },
): void {
  const { view } = reader
  const end = first + count
  for (let at = first; at < end; at += GROUP) {
    const size = Math.min(GROUP, end - at)
    const width = reader.u8()
    if (width > 32) throw reader.corruption(`bit width ${width} exceeds 32`)
    const least = reader.count(0xffff_ffff, 'least value')
    const start = reader.skip(packedBytes(size, width))
    unpackFrom(view, { start, width, least }, values, { at, count: size })
  }
}

/** Passes over the same. */
export function skipPackedU32(reader: ByteReader, count: number): void {
  for (let left = count; left > 0; left -= GROUP) {
    const width = reader.u8()
    if (width > 32) throw reader.corruption(`bit width ${width} exceeds 32`)
    reader.uvarint()
    reader.skip(packedBytes(Math.min(GROUP, left), width))
  }
}

/**
 * Unsigned 32-bit integers, bit-packed in groups of 128 so that one outlier widens its own group only.
 *
 *     group: width u8 · least value uvarint · (value - least) packed with `width` bits
 */
import { newMemory, type ColumnMemory } from './column-memory.ts'
import { bitWidth, packBits, packedBytes, unpackFrom, unpackOne } from './bit-pack.ts'
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

export function decodePackedU32(reader: ByteReader, count: number, memory: ColumnMemory = newMemory): Uint32Array {
  const values = memory.u32(count)
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

/** Packed values of which perhaps only a few are wanted: none is unpacked before it is asked for. */
export class PackedU32 {
  readonly #view: DataView
  readonly #count: number
  /** By group: where its packed values begin, their width, what is to be added to them. */
  readonly #starts: Uint32Array
  readonly #widths: Uint8Array
  readonly #least: Uint32Array

  /** Passes over `count` values. */
  constructor(reader: ByteReader, count: number) {
    const groups = Math.ceil(count / GROUP)
    this.#view = reader.view
    this.#count = count
    this.#starts = new Uint32Array(groups)
    this.#widths = new Uint8Array(groups)
    this.#least = new Uint32Array(groups)
    for (let i = 0; i < groups; i++) {
      const width = reader.u8()
      if (width > 32) throw reader.corruption(`bit width ${width} exceeds 32`)
      this.#widths[i] = width
      this.#least[i] = reader.count(0xffff_ffff, 'least value')
      this.#starts[i] = reader.skip(packedBytes(Math.min(GROUP, count - i * GROUP), width))
    }
  }

  /** The value at `position`, which is below the count. */
  at(position: number): number {
    const i = Math.floor(position / GROUP)
    const width = this.#widths[i]!
    if (width === 0) return this.#least[i]!
    const packed = { start: this.#starts[i]!, width, position: position % GROUP }
    return (unpackOne(this.#view, packed) + this.#least[i]!) >>> 0
  }

  all(memory: ColumnMemory = newMemory): Uint32Array {
    const values = memory.u32(this.#count)
    for (let i = 0; i < this.#starts.length; i++) {
      const packed = { start: this.#starts[i]!, width: this.#widths[i]!, least: this.#least[i]! }
      unpackFrom(this.#view, packed, values, { at: i * GROUP, count: Math.min(GROUP, this.#count - i * GROUP) })
    }
    return values
  }
}

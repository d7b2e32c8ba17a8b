/**
 * Bloom filters of pages, side by side: a hash chooses one of a few hundred groups, and a group holds a slice of the filter of
 * each page. So one short read answers for all pages, pages of few keys have short slices, and each group has a checksum.
 *
 *     group: for each page its slice · CRC u32
 *
 * A hash (first, second) is in group `(first >>> 16) * groups >>> 16`; its probes are the bits `x * bits >>> 16` of a slice,
 * where x are the upper 16 bits of second, second + step, second + 2 * step … and step is first rotated by 16 bits, made odd.
 */
import { crc32 } from '#/kernel/crc32.ts'

export const PROBES = 6
/** More are never stored. */
export const MAX_PROBES = 16
export const MAX_GROUPS = 1024
/** So that bit positions have 16 bits. */
export const MAX_SLICE_BYTES = 8191
const BITS_PER_KEY = 12
const CRC_BYTES = 4
/** Bytes of lines for each group. */
const LINE_BYTES_PER_GROUP = 64 * 1024

export type BloomShape = {
  readonly groups: number
  readonly probes: number
  /** Bytes of each page in every group; 0 for a page without keys. */
  readonly sliceBytes: Uint32Array
}

/** Groups of a block with so many bytes of lines: more bytes, more groups, so that a group stays a few kilobytes. */
export function groupsFor(lineBytes: number): number {
  return Math.max(1, Math.min(MAX_GROUPS, Math.ceil(lineBytes / LINE_BYTES_PER_GROUP)))
}

/** Bytes of a slice for so many keys. */
export function sliceBytesFor(keys: number, groups: number): number {
  return Math.min(MAX_SLICE_BYTES, Math.ceil((keys * BITS_PER_KEY) / 8 / groups))
}

export function groupBytesOf({ sliceBytes }: Pick<BloomShape, 'sliceBytes'>): number {
  let size = CRC_BYTES
  for (const bytes of sliceBytes) size += bytes
  return size
}

export function groupOf(first: number, groups: number): number {
  return ((first >>> 16) * groups) >>> 16
}

/** The filter of one page, its slices one after the other, with the first `count` hashes of `pairs`. */
export function fillFilter(pairs: Int32Array, count: number, groups: number): Uint8Array {
  const size = sliceBytesFor(count, groups)
  const bits = size * 8
  const filter = new Uint8Array(size * groups)
  for (let i = 0; i < 2 * count; i += 2) {
    const first = pairs[i]!
    let second = pairs[i + 1]!
    const step = (first << 16) | (first >>> 16) | 1
    const start = groupOf(first, groups) * size
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = Math.imul(second >>> 16, bits) >>> 16
      filter[start + (bit >>> 3)]! |= 1 << (bit & 7)
      second = (second + step) | 0
    }
  }
  return filter
}

/** Whether `slice`, `bytes[start, start + size)`, may hold the hash. */
export function sliceHolds(
  bytes: Uint8Array,
  { start, size, probes }: { readonly start: number; readonly size: number; readonly probes: number },
  first: number,
  second: number,
): boolean {
  if (size === 0) return false
  const bits = size * 8
  const step = (first << 16) | (first >>> 16) | 1
  let position = second
  for (let probe = 0; probe < probes; probe++) {
    const bit = Math.imul(position >>> 16, bits) >>> 16
    if (((bytes[start + (bit >>> 3)]! >>> (bit & 7)) & 1) === 0) return false
    position = (position + step) | 0
  }
  return true
}

/** The section `bloom` of the filters of all pages. */
export function encodeBloom(filters: readonly Uint8Array[], groups: number): Uint8Array<ArrayBuffer> {
  const sliceBytes = Uint32Array.from(filters, (filter) => filter.length / groups)
  const groupBytes = groupBytesOf({ sliceBytes })
  const section = new Uint8Array(groups * groupBytes)
  const view = new DataView(section.buffer)
  for (let group = 0; group < groups; group++) {
    const start = group * groupBytes
    let at = start
    for (const [page, filter] of filters.entries()) {
      const size = sliceBytes[page]!
      section.set(filter.subarray(group * size, (group + 1) * size), at)
      at += size
    }
    view.setUint32(at, crc32(section.subarray(start, at)), true)
  }
  return section
}

/** Whether the checksum at the end of a group is that of its slices. */
export function isSoundGroup(group: Uint8Array): boolean {
  const end = group.length - CRC_BYTES
  const view = new DataView(group.buffer, group.byteOffset, group.length)
  return end >= 0 && view.getUint32(end, true) === crc32(group.subarray(0, end))
}

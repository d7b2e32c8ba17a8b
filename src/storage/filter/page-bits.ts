/** Sets of pages as bits: page `p` is bit `p & 7` of byte `p >> 3`. */
import type { PageBits } from './filter.ts'

export function allPages(pageCount: number): PageBits {
  const bits = new Uint8Array((pageCount + 7) >>> 3).fill(0xff)
  if ((pageCount & 7) !== 0) bits[bits.length - 1] = (1 << (pageCount & 7)) - 1
  return bits
}

export function hasPage(bits: PageBits, page: number): boolean {
  return ((bits[page >>> 3]! >>> (page & 7)) & 1) === 1
}

export function addPage(bits: PageBits, page: number): void {
  bits[page >>> 3]! |= 1 << (page & 7)
}

export function removePage(bits: PageBits, page: number): void {
  bits[page >>> 3]! &= ~(1 << (page & 7))
}

export function isEmpty(bits: PageBits): boolean {
  return bits.every((byte) => byte === 0)
}

/** Keeps what is in `other` too. */
export function intersect(bits: PageBits, other: PageBits): void {
  for (let i = 0; i < bits.length; i++) bits[i]! &= other[i]!
}

/** Adds what is in `other`. */
export function unite(bits: PageBits, other: PageBits): void {
  for (let i = 0; i < bits.length; i++) bits[i]! |= other[i]!
}

/** What is in `bits` and not in `other`. */
export function without(bits: PageBits, other: PageBits): PageBits {
  return bits.map((byte, i) => byte & ~other[i]!)
}

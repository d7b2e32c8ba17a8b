/** Searching a few bytes near by, where calling the runtime's own search costs more than it saves. */

/** Bytes that are looked at one by one before the runtime's search takes over. */
const NEAR = 128

/** The first place of `needle` in `bytes[from, end)`, or -1. The needle is not empty. */
export function findBytes(bytes: Buffer, needle: Buffer, from: number, end: number): number {
  const first = needle[0]!
  const { length } = needle
  const last = end - length
  const near = Math.min(last, from + NEAR)
  let at = from
  for (; at <= near; at++) {
    if (bytes[at] !== first) continue
    let i = 1
    while (i < length && bytes[at + i] === needle[i]) i++
    if (i === length) return at
  }
  if (at > last) return -1
  const found = bytes.subarray(at, end).indexOf(needle)
  return found < 0 ? -1 : at + found
}

export function startsWithBytes(bytes: Buffer, needle: Buffer, from: number, end: number): boolean {
  const { length } = needle
  if (end - from < length) return false
  for (let i = 0; i < length; i++) if (bytes[from + i] !== needle[i]) return false
  return true
}

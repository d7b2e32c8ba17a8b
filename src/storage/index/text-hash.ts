/** A hash of bytes, read by words: 53 bits, the same everywhere, not safe against chosen input. Whoever finds by it compares. */

/** Hash of `view[from, to)`. */
export function hashText(view: DataView, from: number, to: number): number {
  let low = 0x9e3779b9 ^ (to - from)
  let high = 0x85ebca6b
  let at = from
  for (const end = to - 3; at < end; at += 4) {
    const word = view.getInt32(at, true)
    low = Math.imul(low ^ word, 0x2c1b3c6d)
    low ^= low >>> 15
    high = Math.imul((high ^ (high >>> 13)) + word, 0x297a2d39)
  }
  let rest = 0
  for (; at < to; at++) rest = (rest << 8) | view.getUint8(at)
  low = mixed(Math.imul(low ^ rest, 0x2c1b3c6d))
  high = mixed((high ^ low) + rest)
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}

/** A word whose bits all depend on all bits of `word`. */
export function mixed(word: number): number {
  let bits = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}

export function isSameText(a: DataView, aFrom: number, b: DataView, bFrom: number, length: number): boolean {
  let at = 0
  for (const end = length - 3; at < end; at += 4) {
    if (a.getInt32(aFrom + at, true) !== b.getInt32(bFrom + at, true)) return false
  }
  for (; at < length; at++) if (a.getUint8(aFrom + at) !== b.getUint8(bFrom + at)) return false
  return true
}

/**
 * Unsigned LEB128 integers ("uvarint") up to 2^53 - 1: seven bits a byte, low bits first, high bit set on all but the last.
 */

/** Bytes that the longest value takes. */
export const MAX_UVARINT_BYTES = 8

export function uvarintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** Writes `value` at `at` and returns the position behind it. The caller has seen to the room. */
export function writeUvarint(target: Uint8Array, at: number, value: number): number {
  let rest = value
  let position = at
  while (rest > 0x7fff_ffff) {
    target[position++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  while (rest >= 128) {
    target[position++] = (rest & 127) | 128
    rest >>>= 7
  }
  target[position++] = rest
  return position
}

/** Maps signed to unsigned so that small magnitudes stay small: 0, -1, 1, -2 … → 0, 1, 2, 3 … Exact for |value| < 2^52. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

export function unzigzag(value: number): number {
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2
}

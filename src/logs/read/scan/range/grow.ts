/** Typed arrays that grow, and their way into shared memory. */

type Column = Float64Array | Uint32Array | Int32Array | Uint8Array

/** `array` itself when it has `needed` entries, else a copy at least twice as long. */
export function grown<T extends Column>(array: T, needed: number): T {
  if (needed <= array.length) return array
  const larger = new (array.constructor as new (length: number) => T)(Math.max(needed, array.length * 2))
  larger.set(array)
  return larger
}

/** The first `size` entries in shared memory, so that posting them copies nothing. */
export function sharedCopy<T extends Column>(array: T, size: number): T {
  const make = array.constructor as new (buffer: SharedArrayBuffer) => T
  const copy = new make(new SharedArrayBuffer(size * array.BYTES_PER_ELEMENT))
  copy.set(array.subarray(0, size))
  return copy
}

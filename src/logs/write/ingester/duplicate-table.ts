/**
 * Finds rows of a head by their content: open addressing over hashes of (stream, time, line, metadata), in flat arrays. The
 * table only proposes; whoever asks compares the bytes.
 */
const INITIAL_SLOTS = 1024

export class DuplicateTable {
  /** 1 + the row, 0 for an empty slot. */
  #rows = new Uint32Array(INITIAL_SLOTS)
  #hashes = new Uint32Array(INITIAL_SLOTS)
  #mask = INITIAL_SLOTS - 1
  #count = 0

  constructor(expectedRows: number) {
    while (this.#mask < expectedRows * 2) this.#resize()
  }

  get memoryBytes(): number {
    return this.#rows.byteLength + this.#hashes.byteLength
  }

  add(hash: number, row: number): void {
    if (this.#count * 2 > this.#mask) this.#resize()
    this.#put(hash, row)
    this.#count++
  }

  #put(hash: number, row: number): void {
    let slot = hash & this.#mask
    while (this.#rows[slot] !== 0) slot = (slot + 1) & this.#mask
    this.#rows[slot] = row + 1
    this.#hashes[slot] = hash
  }

  /** The slot of a row with this hash, at or behind `from` (`firstSlot(hash)` to begin with); -1 when there is no other. */
  next(hash: number, from: number): number {
    for (let slot = from & this.#mask; this.#rows[slot] !== 0; slot = (slot + 1) & this.#mask) {
      if (this.#hashes[slot] === hash) return slot
    }
    return -1
  }

  firstSlot(hash: number): number {
    return hash & this.#mask
  }

  rowAt(slot: number): number {
    return this.#rows[slot]! - 1
  }

  #resize(): void {
    const rows = this.#rows
    const hashes = this.#hashes
    const size = rows.length * 2
    this.#rows = new Uint32Array(size)
    this.#hashes = new Uint32Array(size)
    this.#mask = size - 1
    for (let slot = 0; slot < rows.length; slot++) if (rows[slot] !== 0) this.#put(hashes[slot]!, rows[slot]! - 1)
  }
}

/** Mixes the bytes from `start` to `end` into `hash`, four bytes a step. */
export function hashBytes(hash: number, bytes: DataView, start: number, end: number): number {
  let h = hash
  let at = start
  for (; at + 4 <= end; at += 4) {
    h = Math.imul(h ^ bytes.getInt32(at, true), 0x9e3779b1)
    h ^= h >>> 15
  }
  let tail = end - start
  for (; at < end; at++) tail = (tail << 8) | bytes.getUint8(at)
  return Math.imul(h ^ tail, 0x85ebca77)
}

/** Start of a row's hash: its stream and time. */
export function hashRow(stream: number, time: number): number {
  const high = Math.floor(time / 2 ** 32)
  return Math.imul(Math.imul(stream + 1, 0x9e3779b1) ^ (time - high * 2 ** 32), 0x85ebca77) ^ high
}

export function finishHash(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  return (h ^ (h >>> 13)) >>> 0
}

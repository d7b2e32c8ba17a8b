/** Walks encoded structured metadata, (uvarint position in the name table, uvarint length, value) …, without allocating. */
import { assert } from '#/kernel/assert.ts'

export class MetaCursor {
  readonly bytes: Uint8Array
  /** Of the pair that `next` found. */
  name = 0
  valueStart = 0
  valueEnd = 0
  #position = 0
  #end = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Goes to the front of `bytes[start, end)`, the metadata of one row. */
  seek(start: number, end: number): void {
    this.#position = start
    this.#end = end
  }

  /** Moves to the next pair; false at the end of the row. */
  next(): boolean {
    if (this.#position >= this.#end) return false
    this.name = this.#uvarint()
    const length = this.#uvarint()
    this.valueStart = this.#position
    this.valueEnd = this.#position = this.#position + length
    // the text of an assertion would be made for every pair
    if (this.valueEnd > this.#end) assert(false, `metadata value ends at ${this.valueEnd}, its row at ${this.#end}`)
    return true
  }

  /** Moves to the pair called `name`; false when the row has none. */
  find(name: number): boolean {
    while (this.next()) if (this.name === name) return true
    return false
  }

  #uvarint(): number {
    const first = this.bytes[this.#position++]!
    if (first < 128) return first
    let value = first & 127
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.bytes[this.#position++]!
      value |= (byte & 127) << shift
      if (byte < 128) return value >>> 0
    }
    assert(false, `metadata holds a uvarint beyond 32 bits at ${this.#position}`)
    return 0
  }
}

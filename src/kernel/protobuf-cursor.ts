/**
 * Reads protobuf's wire format in place. The caller walks the fields of a message itself:
 *
 *     for (const cursor = new ProtobufCursor(bytes); cursor.at < cursor.end; ) {
 *       const tag = cursor.tag()
 *       if (tag === 0x0a) { const end = cursor.enter(); … } else cursor.skip(tag)
 *     }
 *
 * Nothing is copied and nothing is allocated. Every method throws BadRequest on bytes that are not protobuf; positions never
 * pass `end`, which is the end of the message that is being read, not of the bytes.
 */
import { BadRequest } from './errors.ts'

/** A group in a group in a group … beyond this is an attack. */
const maxGroupDepth = 64

export class ProtobufCursor {
  readonly bytes: Uint8Array
  at: number
  end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Field number and wire type of the next field, as they are encoded: `number << 3 | type`. */
  tag(): number {
    const tag = this.uint()
    if (tag >>> 3 === 0) throw new BadRequest(`protobuf: illegal tag ${tag} at byte ${this.at}`)
    return tag
  }

  /** A length, checked to lie in the current message. Returns where the bytes end; they begin at `at`. */
  enter(): number {
    const length = this.uint()
    const end = this.at + length
    if (end > this.end) throw truncated(this.end)
    return end
  }

  /** An unsigned varint, exact below 2^53. One and two bytes, which are nearly all, are read without a loop. */
  uint(): number {
    const { bytes, at } = this
    if (at + 2 <= this.end) {
      const first = bytes[at]!
      if (first < 0x80) {
        this.at = at + 1
        return first
      }
      const second = bytes[at + 1]!
      if (second < 0x80) {
        this.at = at + 2
        return (first & 0x7f) | (second << 7)
      }
    }
    return this.#longVarint()
  }

  #longVarint(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      if (this.at >= this.end) throw truncated(this.end)
      const byte = this.bytes[this.at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new BadRequest(`protobuf: varint of more than 10 bytes at byte ${this.at}`)
  }

  /** An int64 or int32; exact for |value| < 2^53. */
  int64(): number {
    const low = this.#group()
    if (!this.#hasMore) return low
    const middle = this.#group()
    if (!this.#hasMore) return middle * 2 ** 28 + low
    const top = this.#group()
    if (this.#hasMore || top > 0xff) throw new BadRequest(`protobuf: varint of more than 64 bits at byte ${this.at}`)
    // 64 bits are 28 + 28 + 8, and the topmost is the sign
    return ((top >= 0x80 ? top - 0x100 : top) * 2 ** 28 + middle) * 2 ** 28 + low
  }

  /** Whether the last byte that `#group` has read says that another one follows. */
  #hasMore = false

  /** Up to four bytes of a varint: 28 bits. */
  #group(): number {
    const { bytes, end } = this
    let { at } = this
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) throw truncated(end)
      const byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.at = at
        this.#hasMore = false
        return value
      }
    }
    this.at = at
    this.#hasMore = true
    return value
  }

  /** Four bytes, little-endian, unsigned: half of a fixed64, or a fixed32. */
  fixed32(): number {
    const { bytes, at } = this
    if (at + 4 > this.end) throw truncated(this.end)
    this.at = at + 4
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  }

  /** Passes over the field whose tag was just read. */
  skip(tag: number): void {
    let depth = 0
    for (let current = tag; ; current = this.tag()) {
      const type = current & 7
      if (type === 0) this.int64()
      else if (type === 1) this.#advance(8)
      else if (type === 2) this.at = this.enter()
      else if (type === 5) this.#advance(4)
      else if (type === 3) depth++
      else if (type === 4) depth--
      else throw new BadRequest(`protobuf: illegal wire type ${type} at byte ${this.at}`)
      if (depth < 0 || depth > maxGroupDepth) throw new BadRequest(`protobuf: unbalanced groups at byte ${this.at}`)
      if (depth === 0) return
    }
  }

  #advance(size: number): void {
    if (this.at + size > this.end) throw truncated(this.end)
    this.at += size
  }
}

function truncated(end: number): BadRequest {
  return new BadRequest(`protobuf: unexpected end of message at byte ${end}`)
}

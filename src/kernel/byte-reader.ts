/**
 * Reads stored bytes. Nothing is trusted: whatever would leave the range or overflow is a `Corruption` that names the file
 * and the offset in it.
 */
import { Corruption } from './errors.ts'
import { unzigzag } from './varint.ts'

const TWO_32 = 2 ** 32
const MAX_HIGH_WORD = 2 ** 21

/** Where a range of bytes lies: `offset` is the position of its first byte in `file`. */
export type ByteOrigin = { readonly file: string; readonly offset: number }

export class ByteReader {
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #origin: ByteOrigin
  #position = 0

  constructor(bytes: Uint8Array, origin: ByteOrigin) {
    this.#bytes = asBuffer(bytes)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#origin = origin
  }

  get position(): number {
    return this.#position
  }

  get remaining(): number {
    return this.#bytes.length - this.#position
  }

  /** The error for bytes that make no sense at the current position. */
  corruption(what: string, cause?: unknown): Corruption {
    return new Corruption({ file: this.#origin.file, offset: this.#origin.offset + this.#position }, what, { cause })
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  u64(): number {
    const low = this.u32()
    const high = this.u32()
    if (high >= MAX_HIGH_WORD) throw this.corruption(`integer beyond 2^53 (high word ${high})`)
    return high * TWO_32 + low
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  uvarint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.u8()
      value += (byte & 127) * scale
      if (value > Number.MAX_SAFE_INTEGER) throw this.corruption('uvarint beyond 2^53')
      if (byte < 128) return value
      scale *= 128
      if (scale > Number.MAX_SAFE_INTEGER) throw this.corruption('uvarint longer than 8 bytes')
    }
  }

  svarint(): number {
    return unzigzag(this.uvarint())
  }

  /** A uvarint that must not exceed `max`. */
  count(max: number, what: string): number {
    const value = this.uvarint()
    if (value > max) throw this.corruption(`${what} ${value} exceeds ${max}`)
    return value
  }

  /** All bytes, for hot loops that read at positions which {@link skip} has checked. */
  get view(): DataView {
    return this.#view
  }

  /** Passes over `size` bytes; returns the position of the first. */
  skip(size: number): number {
    return this.#take(size)
  }

  /** The next `size` bytes, in place. */
  bytes(size: number): Buffer {
    const start = this.#take(size)
    return this.#bytes.subarray(start, start + size)
  }

  /** Size as uvarint, then UTF-8. */
  text(): string {
    const size = this.uvarint()
    const start = this.#take(size)
    return this.#bytes.toString('utf8', start, start + size)
  }

  /** To be called when everything should have been read. */
  end(): void {
    if (this.remaining > 0) throw this.corruption(`${this.remaining} bytes too many`)
  }

  #take(size: number): number {
    const start = this.#position
    if (size > this.#bytes.length - start) {
      throw this.corruption(`${size} bytes expected, ${this.#bytes.length - start} left`)
    }
    this.#position = start + size
    return start
  }
}

/** The same memory, for loops that read more than a byte at a time. */
export function asDataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A growing byte buffer for stored formats. Numbers are little-endian, counts and sizes are uvarints. */
import { MAX_UVARINT_BYTES, writeUvarint, zigzag } from './varint.ts'

const TWO_32 = 2 ** 32

export class ByteWriter {
  #bytes: Buffer
  #view: DataView
  #size = 0

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get size(): number {
    return this.#size
  }

  /** What has been written, in place: valid until the next write. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#size)
  }

  /** A copy of what has been written. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#size)
    this.#bytes.copy(copy, 0, 0, this.#size)
    return copy
  }

  clear(): void {
    this.#size = 0
  }

  u8(value: number): void {
    this.#room(1)
    this.#bytes[this.#size++] = value
  }

  u16(value: number): void {
    this.#room(2)
    this.#view.setUint16(this.#size, value, true)
    this.#size += 2
  }

  u32(value: number): void {
    this.#room(4)
    this.#view.setUint32(this.#size, value, true)
    this.#size += 4
  }

  /** An integer in [0, 2^53) as eight bytes. */
  u64(value: number): void {
    this.u32(value % TWO_32)
    this.u32(Math.floor(value / TWO_32))
  }

  f64(value: number): void {
    this.#room(8)
    this.#view.setFloat64(this.#size, value, true)
    this.#size += 8
  }

  uvarint(value: number): void {
    this.#room(MAX_UVARINT_BYTES)
    this.#size = writeUvarint(this.#bytes, this.#size, value)
  }

  /** A signed integer, |value| < 2^52. */
  svarint(value: number): void {
    this.uvarint(zigzag(value))
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length)
    this.#bytes.set(value, this.#size)
    this.#size += value.length
  }

  /** Size as uvarint, then UTF-8. */
  text(value: string): void {
    const size = Buffer.byteLength(value)
    this.uvarint(size)
    this.#room(size)
    this.#size += this.#bytes.write(value, this.#size)
  }

  /** Reserves `size` bytes and returns them for the caller to fill at once. */
  reserve(size: number): Buffer {
    this.#room(size)
    const part = this.#bytes.subarray(this.#size, this.#size + size)
    this.#size += size
    return part
  }

  #room(size: number): void {
    const needed = this.#size + size
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

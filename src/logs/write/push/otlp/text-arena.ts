/** Texts that stand nowhere in a body, such as numbers in decimal: they are put behind it, so that they are ranges as well. */
import { TooLarge } from '#/kernel/errors.ts'

const maxArenaBytes = 512 * 1024 * 1024
const hexDigits = Buffer.from('0123456789abcdef')

export class TextArena {
  /** Range of the text that was added last. */
  start = 0
  end = 0
  readonly #origin: number
  #bytes = Buffer.allocUnsafeSlow(1024)
  #size = 0

  /** @param origin Size of the body. */
  constructor(origin: number) {
    this.#origin = origin
  }

  /** The body with all texts behind it. */
  appendTo(body: Buffer): Buffer {
    return this.#size === 0 ? body : Buffer.concat([body, this.#bytes.subarray(0, this.#size)])
  }

  addText(text: string): void {
    this.#reserve(text.length * 3)
    this.#added(this.#bytes.write(text, this.#size, 'utf8'))
  }

  addHex(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve((end - start) * 2)
    let at = this.#size
    for (let index = start; index < end; index++) {
      const byte = bytes[index]!
      this.#bytes[at++] = hexDigits[byte >> 4]!
      this.#bytes[at++] = hexDigits[byte & 15]!
    }
    this.#added(at - this.#size)
  }

  #added(length: number): void {
    this.start = this.#origin + this.#size
    this.#size += length
    this.end = this.#origin + this.#size
  }

  #reserve(size: number): void {
    const needed = this.#size + size
    if (needed <= this.#bytes.length) return
    if (needed > maxArenaBytes) throw new TooLarge(`push of more than ${maxArenaBytes} bytes of attribute text`)
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, needed))
    this.#bytes.copy(larger, 0, 0, this.#size)
    this.#bytes = larger
  }
}

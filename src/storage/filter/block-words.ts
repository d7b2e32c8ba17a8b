/** The words of a block while it is written: each text once, in the kernel's memory, and the pages that hold it. */
import type { ScanKernel } from './scan-kernel.ts'
import { at } from './scan-memory.ts'

const WORD = 4
const FIRST_HELD = 4096

export class BlockWords {
  readonly #kernel: ScanKernel
  /** Words of each page, one page after the other. */
  #held = new Uint16Array(FIRST_HELD)
  #heldCount = 0
  readonly #heldEnds: number[] = []

  constructor(kernel: ScanKernel) {
    this.#kernel = kernel
  }

  get count(): number {
    return this.#kernel.words[at.wordCount / WORD]!
  }

  endPage(): void {
    const { bytes, words } = this.#kernel
    const held = new Uint16Array(bytes.buffer, at.held, words[at.heldCount / WORD])
    if (this.#heldCount + held.length > this.#held.length) {
      const larger = new Uint16Array(2 * (this.#heldCount + held.length))
      larger.set(this.#held)
      this.#held = larger
    }
    this.#held.set(held, this.#heldCount)
    this.#heldCount += held.length
    this.#heldEnds.push(this.#heldCount)
  }

  /** Every word behind a `separator`, and one more of it at the end. */
  texts(separator: number): Uint8Array {
    const { bytes, words } = this.#kernel
    const starts = words.subarray(at.wordStarts / WORD, at.wordStarts / WORD + this.count + 1)
    const out = new Uint8Array(starts[this.count]! + this.count + 1)
    let to = 0
    for (let word = 0; word < this.count; word++) {
      out[to++] = separator
      for (let from = starts[word]!; from < starts[word + 1]!; from++) out[to++] = bytes[at.wordText + from]!
    }
    out[to] = separator
    return out
  }

  /** For each word a row of one bit per page. */
  pageBits(rowBytes: number): Uint8Array {
    const bits = new Uint8Array(this.count * rowBytes)
    let i = 0
    for (const [page, end] of this.#heldEnds.entries()) {
      for (; i < end; i++) bits[this.#held[i]! * rowBytes + (page >>> 3)]! |= 1 << (page & 7)
    }
    return bits
  }
}

/** Bytes of the rows of a head page, counted as blocks count theirs: the line, and names and values of its metadata. */
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import { MetaCursor } from '#/logs/store/meta-cursor.ts'

export class HeadSizes {
  readonly #page: HeadPageColumns
  readonly #nameBytes: Uint32Array
  readonly #cursor: MetaCursor

  constructor(page: HeadPageColumns) {
    this.#page = page
    this.#nameBytes = Uint32Array.from(page.metaNames, (name) => Buffer.byteLength(name))
    this.#cursor = new MetaCursor(page.meta)
  }

  of(row: number): number {
    const { lineStart, metaStart } = this.#page
    let bytes = lineStart[row + 1]! - lineStart[row]!
    this.#cursor.seek(metaStart[row]!, metaStart[row + 1]!)
    while (this.#cursor.next()) {
      bytes += this.#nameBytes[this.#cursor.name]! + this.#cursor.valueEnd - this.#cursor.valueStart
    }
    return bytes
  }
}

/**
 * Gathers the structured metadata of a page's rows and hands it out name by name, as ranges of one buffer. All memory is
 * reused from page to page, and what it costs is in proportion to the values, however many names there are.
 */
import { MetaCursor } from './meta-cursor.ts'
import { countingSort } from '#/kernel/sort-by-key.ts'
import type { TextRanges } from '#/storage/column/text-values.ts'

const INITIAL_ENTRIES = 1024

export class MetaCollector {
  readonly #names: string[] = []
  readonly #nameBytes: number[] = []
  readonly #idOfName = new Map<string, number>()
  #bytes = Buffer.allocUnsafeSlow(64 * 1024)
  #size = 0
  #count = 0
  #name = new Uint32Array(INITIAL_ENTRIES)
  #row = new Uint32Array(INITIAL_ENTRIES)
  #start = new Uint32Array(INITIAL_ENTRIES)
  #end = new Uint32Array(INITIAL_ENTRIES)
  #cursor = new MetaCursor(this.#bytes)

  /** Numbers that stand for the names of a head page. */
  idsOf(names: readonly string[]): Uint32Array {
    return Uint32Array.from(names, (name) => {
      const known = this.#idOfName.get(name)
      if (known !== undefined) return known
      this.#idOfName.set(name, this.#names.length)
      this.#nameBytes.push(Buffer.byteLength(name))
      return this.#names.push(name) - 1
    })
  }

  /** Forgets the rows of the last page. */
  clear(): void {
    this.#size = 0
    this.#count = 0
  }

  /** Takes the metadata of `row`, encoded in `source[start, end)`; returns the bytes of its names and values. */
  add(row: number, source: Buffer, start: number, end: number, ids: Uint32Array): number {
    const from = this.#size
    const length = end - start
    this.#reserve(length)
    const bytes = this.#bytes
    // for short ranges a loop is cheaper than a call out of JavaScript
    if (length > 96) source.copy(bytes, from, start, end)
    else for (let i = 0; i < length; i++) bytes[from + i] = source[start + i]!
    this.#size += length
    let rawBytes = 0
    let count = this.#count
    const cursor = this.#cursor
    cursor.seek(from, this.#size)
    while (cursor.next()) {
      const id = ids[cursor.name]!
      if (count === this.#row.length) this.#growEntries()
      this.#name[count] = id
      this.#row[count] = row
      this.#start[count] = cursor.valueStart
      this.#end[count++] = cursor.valueEnd
      rawBytes += this.#nameBytes[id]! + cursor.valueEnd - cursor.valueStart
    }
    this.#count = count
    return rawBytes
  }

  /** Calls `visit` for each name that a row has; the ranges are valid during the call. */
  eachName(rowCount: number, visit: (name: string, ranges: TextRanges) => void): void {
    const order = countingSort(undefined, this.#name, { count: this.#count, keyCount: this.#names.length })
    const rows = new Uint32Array(rowCount)
    const starts = new Uint32Array(rowCount)
    const ends = new Uint32Array(rowCount)
    for (let i = 0; i < order.length;) {
      const name = this.#name[order[i]!]!
      let count = 0
      for (; i < order.length && this.#name[order[i]!] === name; i++) {
        const entry = order[i]!
        // a name that a row has twice counts once
        if (count > 0 && rows[count - 1] === this.#row[entry]) continue
        rows[count] = this.#row[entry]!
        starts[count] = this.#start[entry]!
        ends[count] = this.#end[entry]!
        count++
      }
      visit(this.#names[name]!, { rowCount, count, source: this.#bytes, rows, starts, ends })
    }
  }

  #reserve(length: number): void {
    if (this.#size + length <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#size + length, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
    this.#cursor = new MetaCursor(grown)
  }

  #growEntries(): void {
    const size = this.#row.length * 2
    this.#name = grown(this.#name, size)
    this.#row = grown(this.#row, size)
    this.#start = grown(this.#start, size)
    this.#end = grown(this.#end, size)
  }
}

function grown(array: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(size)
  larger.set(array)
  return larger
}

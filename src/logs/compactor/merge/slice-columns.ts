/**
 * The rows of one slice of a merge, from all inputs, in columns that are used again for slice after slice. Rows come input by input,
 * each input in its order. Structured metadata is encoded as in head pages, with the names of a row in the order of one table for
 * the whole output: so rows with the same metadata have the same bytes.
 */
import type { RawPageColumns } from '#/logs/store/log-page.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { MAX_UVARINT_BYTES, writeUvarint } from '#/kernel/varint.ts'
import { NO_VALUE, type ValueBytes } from './value-bytes.ts'

const FIRST_ROWS = 4096
/** Fewer are copied faster one by one. */
const MANY_BYTES = 48

/** A name of a page's metadata: its number in the table of names, and its values. */
export type NamedValues = { readonly name: number; readonly values: ValueBytes }

/** Rows of a page that follow each other: what they are copied from. */
export type RowSource = {
  readonly input: number
  readonly time: Float64Array
  readonly lineStart: Uint32Array
  readonly lines: Uint8Array
  /** Ascending by name. */
  readonly meta: readonly NamedValues[]
}

export class SliceColumns {
  rowCount = 0
  time = new Float64Array(FIRST_ROWS)
  stream = new Uint32Array(FIRST_ROWS)
  input = new Uint16Array(FIRST_ROWS)
  lineStart = new Uint32Array(FIRST_ROWS + 1)
  metaStart = new Uint32Array(FIRST_ROWS + 1)
  readonly #lines = new ByteWriter(64 * 1024)
  #meta = Buffer.allocUnsafeSlow(16 * 1024)
  #metaSize = 0

  clear(): void {
    this.rowCount = 0
    this.#lines.clear()
    this.#metaSize = 0
  }

  get lines(): Buffer {
    return this.#lines.written
  }

  get meta(): Buffer {
    return this.#meta.subarray(0, this.#metaSize)
  }

  /** Takes the rows `[from, to)` of a page, all of the stream with this ordinal. */
  add(source: RowSource, stream: number, from: number, to: number): void {
    const { time, lineStart, lines, meta, input } = source
    this.#reserveRows(to - from)
    const first = this.rowCount
    this.time.set(time.subarray(from, to), first)
    this.stream.fill(stream, first, first + to - from)
    this.input.fill(input, first, first + to - from)
    const shift = this.#lines.size - lineStart[from]!
    for (let row = from; row < to; row++) this.lineStart[first + row - from + 1] = lineStart[row + 1]! + shift
    this.#lines.bytes(lines.subarray(lineStart[from]!, lineStart[to]!))
    for (let row = from; row < to; row++) {
      if (meta.length > 0) this.#addMeta(meta, row)
      this.metaStart[first + row - from + 1] = this.#metaSize
    }
    this.rowCount = first + to - from
  }

  /** Takes one row of another slice with the same table of names. */
  addRow(other: SliceColumns, row: number): void {
    this.#reserveRows(1)
    const at = this.rowCount++
    this.time[at] = other.time[row]!
    this.stream[at] = other.stream[row]!
    this.input[at] = other.input[row]!
    this.#lines.bytes(other.lines.subarray(other.lineStart[row]!, other.lineStart[row + 1]!))
    const [start, end] = [other.metaStart[row]!, other.metaStart[row + 1]!]
    this.#reserveMeta(end - start)
    this.#metaSize += other.#meta.copy(this.#meta, this.#metaSize, start, end)
    this.lineStart[at + 1] = this.#lines.size
    this.metaStart[at + 1] = this.#metaSize
  }

  /** In place: valid until the next change. */
  page(metaNames: readonly string[]): RawPageColumns {
    const { rowCount, stream, time, lineStart, lines, metaStart, meta } = this
    return { rowCount, stream, time, lineStart, lines, metaStart, meta, metaNames }
  }

  #addMeta(meta: readonly NamedValues[], row: number): void {
    for (let i = 0; i < meta.length; i++) {
      const { name, values } = meta[i]!
      const start = values.starts[row]!
      if (start === NO_VALUE) continue
      const end = values.ends[row]!
      this.#reserveMeta(end - start + 2 * MAX_UVARINT_BYTES)
      const at = writeUvarint(this.#meta, this.#metaSize, name)
      const from = writeUvarint(this.#meta, at, end - start)
      this.#metaSize = from + end - start
      if (end - start > MANY_BYTES) values.bytes.copy(this.#meta, from, start, end)
      else for (let i = start; i < end; i++) this.#meta[from + i - start] = values.bytes[i]!
    }
  }

  #reserveMeta(size: number): void {
    if (this.#metaSize + size <= this.#meta.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#metaSize + size, this.#meta.length * 2))
    this.#meta.copy(larger, 0, 0, this.#metaSize)
    this.#meta = larger
  }

  #reserveRows(count: number): void {
    const needed = this.rowCount + count
    if (needed <= this.time.length) return
    const size = Math.max(needed, this.time.length * 2)
    this.time = grown(new Float64Array(size), this.time)
    this.stream = grown(new Uint32Array(size), this.stream)
    this.input = grown(new Uint16Array(size), this.input)
    this.lineStart = grown(new Uint32Array(size + 1), this.lineStart)
    this.metaStart = grown(new Uint32Array(size + 1), this.metaStart)
  }
}

function grown<T extends Float64Array | Uint32Array | Uint16Array>(target: T, old: T): T {
  target.set(old)
  return target
}

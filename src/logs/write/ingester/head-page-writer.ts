/**
 * One page of a head while it is filled: columns in shared memory that start small and double. Rows below a snapshot's count
 * never change; when a column outgrows its memory, older snapshots keep the old memory.
 *
 * Row columns are written at once, line and metadata bytes follow in `copyLines` and `copyMeta`, so that neighbouring rows of a
 * batch cost one copy together.
 */
import type { PageMemory } from './page-memory.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'

/** A page that holds as much is sealed. */
export const PAGE_LINE_BYTES = 2 * 1024 * 1024
export const PAGE_META_BYTES = 2 * 1024 * 1024
export const PAGE_ROWS = 65_536

const FIRST_ROWS = 64
const FIRST_LINE_BYTES = 8 * 1024
const FIRST_META_BYTES = 1024

/** Room to begin with. */
export type PageRoom = { readonly rows: number; readonly lineBytes: number; readonly metaBytes: number }

export class HeadPageWriter {
  rowCount = 0
  lineBytes = 0
  metaBytes = 0
  minTime = Infinity
  maxTime = -Infinity
  stream: Uint32Array<SharedArrayBuffer>
  time: Float64Array<SharedArrayBuffer>
  lineStart: Uint32Array<SharedArrayBuffer>
  metaStart: Uint32Array<SharedArrayBuffer>
  lines: Uint8Array<SharedArrayBuffer>
  meta: Uint8Array<SharedArrayBuffer>
  #sealed: HeadPageColumns | undefined

  readonly #memory: PageMemory

  /** `room` is what the page will probably need, see {@link HeadPageWriter.likely}. */
  constructor(memory: PageMemory, room: PageRoom | undefined) {
    this.#memory = memory
    const rows = Math.min(PAGE_ROWS, room?.rows ?? FIRST_ROWS)
    this.stream = new Uint32Array(memory.take(rows * 4), 0, rows)
    this.time = new Float64Array(memory.take(rows * 8), 0, rows)
    this.lineStart = firstZero(new Uint32Array(memory.take((rows + 1) * 4), 0, rows + 1))
    this.metaStart = firstZero(new Uint32Array(memory.take((rows + 1) * 4), 0, rows + 1))
    this.lines = new Uint8Array(memory.take(Math.min(PAGE_LINE_BYTES, room?.lineBytes ?? FIRST_LINE_BYTES)))
    this.meta = new Uint8Array(memory.take(Math.min(PAGE_META_BYTES, room?.metaBytes ?? FIRST_META_BYTES)))
  }

  get allocatedBytes(): number {
    return this.#columns().reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
  }

  /** Whether one more row with such a line and metadata belongs here. An empty page takes any row. */
  fits(lineLength: number, metaLength: number): boolean {
    if (this.rowCount === 0) return true
    return (
      this.rowCount < PAGE_ROWS &&
      this.lineBytes + lineLength <= PAGE_LINE_BYTES &&
      this.metaBytes + metaLength <= PAGE_META_BYTES
    )
  }

  /** Writes the row's fixed columns; its bytes are promised. */
  addRow(stream: number, time: number, lineLength: number, metaLength: number): void {
    const row = this.rowCount
    if (row === this.stream.length) this.#growRows()
    this.stream[row] = stream
    this.time[row] = time
    this.lineBytes += lineLength
    this.metaBytes += metaLength
    this.lineStart[row + 1] = this.lineBytes
    this.metaStart[row + 1] = this.metaBytes
    if (time < this.minTime) this.minTime = time
    if (time > this.maxTime) this.maxTime = time
    this.rowCount = row + 1
  }

  /** Puts the lines of the latest rows in place, `lineBytes - at` bytes of `source` from `from`. */
  copyLines(at: number, source: Uint8Array, from: number): void {
    if (this.lineBytes > this.lines.length) {
      this.lines = this.#grownBytes(this.lines, at, this.lineBytes, PAGE_LINE_BYTES)
    }
    this.lines.set(source.subarray(from, from + this.lineBytes - at), at)
  }

  copyMeta(at: number, source: Uint8Array, from: number): void {
    if (this.metaBytes === at) return
    if (this.metaBytes > this.meta.length) {
      this.meta = this.#grownBytes(this.meta, at, this.metaBytes, PAGE_META_BYTES)
    }
    this.meta.set(source.subarray(from, from + this.metaBytes - at), at)
  }

  #growRows(): void {
    const rows = Math.min(PAGE_ROWS, this.stream.length * 2)
    const memory = this.#memory
    this.stream = grownInto(new Uint32Array(memory.take(rows * 4), 0, rows), this.stream)
    this.time = grownInto(new Float64Array(memory.take(rows * 8), 0, rows), this.time)
    this.lineStart = grownInto(new Uint32Array(memory.take((rows + 1) * 4), 0, rows + 1), this.lineStart)
    this.metaStart = grownInto(new Uint32Array(memory.take((rows + 1) * 4), 0, rows + 1), this.metaStart)
  }

  /** Twice the room, at least `needed`, at most `limit` unless one row needs more; the first `used` bytes are kept. */
  #grownBytes(
    old: Uint8Array<SharedArrayBuffer>,
    used: number,
    needed: number,
    limit: number,
  ): Uint8Array<SharedArrayBuffer> {
    let size = old.length
    while (size < needed) size *= 2
    const target = new Uint8Array(this.#memory.take(Math.max(needed, Math.min(size, limit))))
    target.set(old.subarray(0, used))
    return target
  }

  /** Gives the memory back; nobody may read the page any more, nor any snapshot of it. */
  free(): void {
    for (const { buffer } of this.#columns()) this.#memory.give(buffer)
  }

  #columns(): { readonly buffer: SharedArrayBuffer }[] {
    return [this.stream, this.time, this.lineStart, this.metaStart, this.lines, this.meta]
  }

  /** What another page of the same head will probably need. */
  likely(): PageRoom {
    return {
      rows: Math.ceil((this.rowCount * 9) / 8) + 16,
      lineBytes: this.lineBytes * 2 > PAGE_LINE_BYTES ? PAGE_LINE_BYTES : this.lineBytes + FIRST_LINE_BYTES,
      metaBytes: Math.ceil((this.metaBytes * 9) / 8) + FIRST_META_BYTES,
    }
  }

  /** The rows so far, as queries and the flush see them. `isSealed`: none will follow. */
  snapshot(metaNames: readonly string[], isSealed: boolean): HeadPageColumns {
    if (this.#sealed !== undefined) return this.#sealed
    const { rowCount, stream, time, lineStart, lines, metaStart, meta, minTime, maxTime } = this
    const columns = { rowCount, stream, time, lineStart, lines, metaStart, meta, metaNames, minTime, maxTime }
    if (isSealed) this.#sealed = columns
    return columns
  }
}

/** Memory from the pool is not zeroed, and the first offset is 0. */
function firstZero(column: Uint32Array<SharedArrayBuffer>): Uint32Array<SharedArrayBuffer> {
  column[0] = 0
  return column
}

function grownInto<T extends Uint32Array | Float64Array>(target: T, old: T): T {
  target.set(old)
  return target
}

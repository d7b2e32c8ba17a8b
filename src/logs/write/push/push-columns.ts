/**
 * A push as it comes from a decoder: nothing is copied, checked or sorted yet. Every protocol decodes into this form, and the
 * distributor turns it into an `EntryBatch`, writing over the columns: whoever hands one on must not use it again.
 *
 * Invariants: all columns have at least `rowCount` rows; ranges lie inside `bytes` or `pairBytes`; `stream` is a position in
 * `streams`; rows stand in the order in which they were sent.
 */
import { TooLarge } from '#/kernel/errors.ts'

/** How `streams` are written: `{a="b"}`, or the JSON object `{"a":"b"}`. */
export type StreamSyntax = 'selector' | 'json'
export type PushFormat = 'loki' | 'otlp'

export type PushColumns = {
  readonly format: PushFormat
  readonly syntax: StreamSyntax
  /** Label texts as sent; a character is a byte of the UTF-8 text (latin1), because most are looked up and never read. */
  readonly streams: readonly string[]
  readonly rowCount: number
  readonly stream: Uint32Array<ArrayBuffer>
  /** Days since the epoch, and nanoseconds since midnight. */
  readonly day: Int32Array<ArrayBuffer>
  readonly time: Float64Array<ArrayBuffer>
  /** Lines are ranges of `bytes`. */
  readonly bytes: Buffer
  readonly lineStart: Uint32Array<ArrayBuffer>
  readonly lineLength: Uint32Array<ArrayBuffer>
  /** Structured metadata of a row: `pairCount[row]` pairs from `pairStart[row]` on. */
  readonly pairStart: Uint32Array<ArrayBuffer>
  readonly pairCount: Uint32Array<ArrayBuffer>
  /** Four numbers a pair: start and length of the name, start and length of the value, ranges of `pairBytes`. */
  readonly pairs: Uint32Array<ArrayBuffer>
  readonly pairBytes: Buffer
}

/** Rows that one push may have: 128 MB of columns. A body of nothing but empty entries must not take all memory. */
export const maxRowsPerPush = 4 * 1024 * 1024
export const maxPairsPerPush = 8 * 1024 * 1024
export const maxStreamsPerPush = 1024 * 1024
/** Longest label text of a stream. */
export const maxStreamTextBytes = 16 * 1024 * 1024

/** Guess of the bytes that a row takes in a body, for the first size of the columns. */
const bytesPerRow = 128

/** Grows columns row by row. Pairs that were added since the last row belong to the next one. */
export class PushColumnsBuilder {
  readonly streams: string[] = []
  rowCount = 0
  #pairEnd = 0
  #pairTotal = 0
  #capacity: number
  #stream: Uint32Array<ArrayBuffer>
  #day: Int32Array<ArrayBuffer>
  #time: Float64Array<ArrayBuffer>
  #lineStart: Uint32Array<ArrayBuffer>
  #lineLength: Uint32Array<ArrayBuffer>
  #pairStart: Uint32Array<ArrayBuffer>
  #pairCount: Uint32Array<ArrayBuffer>
  #pairs = new Uint32Array(0)

  /** @param bodySize Bytes of the decompressed body. */
  constructor(bodySize: number) {
    const capacity = Math.min(Math.ceil(bodySize / bytesPerRow) + 16, maxRowsPerPush)
    this.#capacity = capacity
    this.#stream = new Uint32Array(capacity)
    this.#day = new Int32Array(capacity)
    this.#time = new Float64Array(capacity)
    this.#lineStart = new Uint32Array(capacity)
    this.#lineLength = new Uint32Array(capacity)
    this.#pairStart = new Uint32Array(capacity)
    this.#pairCount = new Uint32Array(capacity)
  }

  /** A place in `streams`; the text may be set later, when the decoder has seen it. */
  addStream(): number {
    if (this.streams.length >= maxStreamsPerPush) throw new TooLarge(`push of more than ${maxStreamsPerPush} streams`)
    return this.streams.push('') - 1
  }

  setStream(position: number, bytes: Buffer, start: number, end: number): void {
    if (end - start > maxStreamTextBytes) {
      throw new TooLarge(`stream labels of ${end - start} bytes exceed the limit of ${maxStreamTextBytes} bytes`)
    }
    this.streams[position] = bytes.toString('latin1', start, end)
  }

  addPair(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.#pairTotal * 4
    if (at >= this.#pairs.length) this.#pairs = this.#morePairs()
    const pairs = this.#pairs
    pairs[at] = nameStart
    pairs[at + 1] = nameEnd - nameStart
    pairs[at + 2] = valueStart
    pairs[at + 3] = valueEnd - valueStart
    this.#pairTotal++
  }

  addRow(stream: number, day: number, time: number, lineStart: number, lineEnd: number): void {
    const row = this.rowCount
    if (row === this.#capacity) this.#grow()
    this.#stream[row] = stream
    this.#day[row] = day
    this.#time[row] = time
    this.#lineStart[row] = lineStart
    this.#lineLength[row] = lineEnd - lineStart
    this.#pairStart[row] = this.#pairEnd
    this.#pairCount[row] = this.#pairTotal - this.#pairEnd
    this.#pairEnd = this.#pairTotal
    this.rowCount = row + 1
  }

  build(origin: Pick<PushColumns, 'format' | 'syntax' | 'bytes' | 'pairBytes'>): PushColumns {
    return {
      ...origin,
      streams: this.streams,
      rowCount: this.rowCount,
      stream: this.#stream,
      day: this.#day,
      time: this.#time,
      lineStart: this.#lineStart,
      lineLength: this.#lineLength,
      pairStart: this.#pairStart,
      pairCount: this.#pairCount,
      pairs: this.#pairs,
    }
  }

  #grow(): void {
    if (this.rowCount >= maxRowsPerPush) throw new TooLarge(`push of more than ${maxRowsPerPush} entries`)
    const capacity = Math.min(this.#capacity * 2, maxRowsPerPush)
    const larger = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const target = new Uint32Array(capacity)
      target.set(column)
      return target
    }
    this.#stream = larger(this.#stream)
    this.#lineStart = larger(this.#lineStart)
    this.#lineLength = larger(this.#lineLength)
    this.#pairStart = larger(this.#pairStart)
    this.#pairCount = larger(this.#pairCount)
    const day = new Int32Array(capacity)
    day.set(this.#day)
    this.#day = day
    const time = new Float64Array(capacity)
    time.set(this.#time)
    this.#time = time
    this.#capacity = capacity
  }

  #morePairs(): Uint32Array<ArrayBuffer> {
    if (this.#pairTotal >= maxPairsPerPush) {
      throw new TooLarge(`push of more than ${maxPairsPerPush} structured metadata values`)
    }
    const pairs = new Uint32Array(Math.min(Math.max(this.#pairs.length * 2, 1024), maxPairsPerPush * 4))
    pairs.set(this.#pairs)
    return pairs
  }
}

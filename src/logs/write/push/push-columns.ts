/**
 * A push as it comes from a decoder: nothing is copied, checked or sorted yet. Every protocol decodes into this form, and the
 * distributor turns it into an `EntryBatch`, writing over the columns: whoever hands one on must not use it again.
 *
 * Invariants: all columns have at least `rowCount` rows; ranges lie inside `bytes` or `pairBytes`; `stream` is a position in
 * `streams`; rows stand in the order in which they were sent.
 */
import { assert } from '#/kernel/assert.ts'
import { TooLarge } from '#/kernel/errors.ts'
import { freshMemory, type WorkMemory } from '#/platform/memory/work-memory.ts'

/** How `streams` are written: `{a="b"}`, or the JSON object `{"a":"b"}`. */
export type StreamSyntax = 'selector' | 'json'
export type PushFormat = 'loki' | 'otlp'

export type PushColumns = {
  readonly format: PushFormat
  readonly syntax: StreamSyntax
  readonly streams: SentStreams
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
  /** Where the columns lie, and what is made of them may; good until the push is answered. */
  readonly memory: WorkMemory
}

/**
 * Labels of streams as they were sent, bytes that are looked up and mostly never read: stream i is `bytes[start[i], end[i])`. They lie
 * in the body where it has them as they are.
 */
export type SentStreams = {
  readonly length: number
  readonly bytes: Buffer
  readonly start: Uint32Array
  readonly end: Uint32Array
}

/** Rows that one push may have: 128 MB of columns. A body of nothing but empty entries must not take all memory. */
export const maxRowsPerPush = 4 * 1024 * 1024
export const maxPairsPerPush = 8 * 1024 * 1024
export const maxStreamsPerPush = 1024 * 1024
/** Longest label text of a stream. */
export const maxStreamTextBytes = 16 * 1024 * 1024

/** Room for streams in the beginning. */
const firstStreams = 16

/** Guess of the bytes that a row takes in a body, for the first size of the columns. */
const bytesPerRow = 128

/** Grows columns row by row. Pairs that were added since the last row belong to the next one. */
export class PushColumnsBuilder {
  rowCount = 0
  #streamCount = 0
  readonly #body: Buffer | undefined
  #streamBytes: Buffer
  #streamSize = 0
  #streamStart: Uint32Array<ArrayBuffer>
  #streamEnd: Uint32Array<ArrayBuffer>
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
  #pairs: Uint32Array<ArrayBuffer> = new Uint32Array(0)
  readonly #memory: WorkMemory

  /**
   * @param bodySize Bytes of the decompressed body.
   * @param body Where all labels lie; without it, they are copied.
   */
  constructor(bodySize: number, memory: WorkMemory = freshMemory, body?: Buffer) {
    this.#memory = memory
    this.#body = body
    this.#streamBytes = body ?? memory.bytes(firstStreams * 64)
    this.#streamStart = this.#uint32(firstStreams)
    this.#streamEnd = this.#uint32(firstStreams)
    const capacity = Math.min(Math.ceil(bodySize / bytesPerRow) + 16, maxRowsPerPush)
    this.#capacity = capacity
    this.#stream = this.#uint32(capacity)
    this.#day = this.#int32(capacity)
    this.#time = this.#float64(capacity)
    this.#lineStart = this.#uint32(capacity)
    this.#lineLength = this.#uint32(capacity)
    this.#pairStart = this.#uint32(capacity)
    this.#pairCount = this.#uint32(capacity)
  }

  /** A place in `streams`; the labels may be set later, when the decoder has seen them. */
  addStream(): number {
    const position = this.#streamCount++
    if (position >= maxStreamsPerPush) throw new TooLarge(`push of more than ${maxStreamsPerPush} streams`)
    if (position === this.#streamEnd.length) {
      this.#streamStart = this.#doubled(this.#streamStart)
      this.#streamEnd = this.#doubled(this.#streamEnd)
    }
    this.#streamStart[position] = 0
    this.#streamEnd[position] = 0
    return position
  }

  setStream(position: number, bytes: Buffer, start: number, end: number): void {
    if (end - start > maxStreamTextBytes) {
      throw new TooLarge(`stream labels of ${end - start} bytes exceed the limit of ${maxStreamTextBytes} bytes`)
    }
    if (this.#body !== undefined) {
      assert(bytes === this.#body, 'all labels lie in the body')
      this.#streamStart[position] = start
      this.#streamEnd[position] = end
      return
    }
    const from = this.#streamSize
    const to = from + end - start
    if (to > this.#streamBytes.length) {
      const larger = this.#memory.bytes(Math.max(to, this.#streamBytes.length * 2))
      this.#streamBytes.copy(larger, 0, 0, from)
      this.#streamBytes = larger
    }
    const target = this.#streamBytes
    if (end - start > 256) bytes.copy(target, from, start, end)
    else for (let i = from; i < to; i++) target[i] = bytes[start + i - from]!
    this.#streamSize = to
    this.#streamStart[position] = from
    this.#streamEnd[position] = to
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
      streams: {
        length: this.#streamCount,
        bytes: this.#streamBytes,
        start: this.#streamStart,
        end: this.#streamEnd,
      },
      rowCount: this.rowCount,
      stream: this.#stream,
      day: this.#day,
      time: this.#time,
      lineStart: this.#lineStart,
      lineLength: this.#lineLength,
      pairStart: this.#pairStart,
      pairCount: this.#pairCount,
      pairs: this.#pairs,
      memory: this.#memory,
    }
  }

  #grow(): void {
    if (this.rowCount >= maxRowsPerPush) throw new TooLarge(`push of more than ${maxRowsPerPush} entries`)
    const capacity = Math.min(this.#capacity * 2, maxRowsPerPush)
    const larger = (column: Uint32Array): Uint32Array<ArrayBuffer> => {
      const target = this.#uint32(capacity)
      target.set(column)
      return target
    }
    this.#stream = larger(this.#stream)
    this.#lineStart = larger(this.#lineStart)
    this.#lineLength = larger(this.#lineLength)
    this.#pairStart = larger(this.#pairStart)
    this.#pairCount = larger(this.#pairCount)
    const day = this.#int32(capacity)
    day.set(this.#day)
    this.#day = day
    const time = this.#float64(capacity)
    time.set(this.#time)
    this.#time = time
    this.#capacity = capacity
  }

  #morePairs(): Uint32Array<ArrayBuffer> {
    if (this.#pairTotal >= maxPairsPerPush) {
      throw new TooLarge(`push of more than ${maxPairsPerPush} structured metadata values`)
    }
    const pairs = this.#uint32(Math.min(Math.max(this.#pairs.length * 2, 1024), maxPairsPerPush * 4))
    pairs.set(this.#pairs)
    return pairs
  }

  #doubled(column: Uint32Array): Uint32Array<ArrayBuffer> {
    const larger = this.#uint32(column.length * 2)
    larger.set(column)
    return larger
  }

  #uint32(length: number): Uint32Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#memory.bytes(length * 4)
    return new Uint32Array(buffer, byteOffset, length)
  }

  #int32(length: number): Int32Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#memory.bytes(length * 4)
    return new Int32Array(buffer, byteOffset, length)
  }

  #float64(length: number): Float64Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#memory.bytes(length * 8)
    return new Float64Array(buffer, byteOffset, length)
  }
}

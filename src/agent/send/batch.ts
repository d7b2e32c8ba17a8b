/**
 * The batch that is being filled. Every line gets a timestamp of its own, later than all before it: the time at which its
 * piece of the file was read plus a nanosecond for each line. So equal lines stay two lines, and a batch that is sent again
 * carries the same timestamps, by which the server knows it.
 */
import type { FilePosition } from '#/agent/positions/position.ts'
import { encodePush, type PushEntry } from '#/logs/wire/encode-push.ts'

export type SealedBatch = {
  readonly body: Buffer
  readonly lines: number
  /** Bytes of lines. */
  readonly bytes: number
  /** Positions behind the lines of the batch. */
  readonly files: readonly FilePosition[]
  readonly lastTimestampNs: bigint
}

export class OpenBatch {
  readonly #maxBytes: number
  readonly #streams = new Map<string, PushEntry[]>()
  readonly #files = new Map<number, FilePosition>()
  #lastTimestampNs: bigint
  #lines = 0
  #bytes = 0
  #openedMs = 0

  constructor(maxBytes: number, lastTimestampNs: bigint) {
    this.#maxBytes = maxBytes
    this.#lastTimestampNs = lastTimestampNs
  }

  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes
  }

  /** A batch without lines is not worth sending; positions that it has go with the next lines. */
  get isEmpty(): boolean {
    return this.#lines === 0
  }

  get lines(): number {
    return this.#lines
  }

  /** When the first lines came in, on the monotonic clock. */
  get openedMs(): number {
    return this.#openedMs
  }

  /** Time goes on from here; it never goes back, whatever the clock says. */
  advanceTo(nowNs: bigint): void {
    if (nowNs > this.#lastTimestampNs + 1n) this.#lastTimestampNs = nowNs - 1n
  }

  /** Adds a line of the stream with these labels; the batch keeps `line`. */
  add(labels: string, line: Buffer): void {
    let entries = this.#streams.get(labels)
    if (entries === undefined) this.#streams.set(labels, (entries = []))
    entries.push({ timeNs: ++this.#lastTimestampNs, line })
    this.#lines++
    this.#bytes += line.length
  }

  /** Notes how far a file is in this batch. */
  reached(position: FilePosition, monotonicMs: number): void {
    if (this.#openedMs === 0) this.#openedMs = monotonicMs
    this.#files.set(position.id, position)
  }

  /** What is in it, encoded; it is empty afterwards. */
  seal(): SealedBatch {
    const streams = [...this.#streams].map(([labels, entries]) => ({ labels, entries }))
    const sealed = {
      body: encodePush(streams),
      lines: this.#lines,
      bytes: this.#bytes,
      files: [...this.#files.values()],
      lastTimestampNs: this.#lastTimestampNs,
    }
    this.#streams.clear()
    this.#files.clear()
    this.#lines = 0
    this.#bytes = 0
    this.#openedMs = 0
    return sealed
  }
}

/** Keeps account of the runs of streams while pages are made of sorted rows. */
import type { StreamRuns } from '#/storage/block/contents.ts'

export type PageTotals = {
  readonly runs: StreamRuns
  readonly minTime: number
  readonly maxTime: number
  readonly rawBytes: number
}

/** The runs of all pages so far. */
export class RunTable {
  readonly #pageEnds: number[] = []
  readonly #stream: number[] = []
  readonly #rowCount: number[] = []
  readonly #rawBytes: number[] = []
  readonly #lineBytes: number[] = []
  readonly #minTime: number[] = []
  readonly #maxTime: number[] = []
  #current = -1
  #total = 0

  /** The next row, with the bytes of its line and of its metadata. Rows of a run ascend in time. */
  add(stream: number, time: number, lineBytes: number, metaBytes: number): void {
    const rawBytes = lineBytes + metaBytes
    const last = this.#stream.length - 1
    this.#total += rawBytes
    // rows of a stream descend in time only where the runs of two hours meet, never inside one
    if (this.#current === stream && time >= this.#maxTime[last]!) {
      this.#rowCount[last]!++
      this.#rawBytes[last]! += rawBytes
      this.#lineBytes[last]! += lineBytes
      this.#maxTime[last] = time
      return
    }
    this.#current = stream
    this.#stream.push(stream)
    this.#rowCount.push(1)
    this.#rawBytes.push(rawBytes)
    this.#lineBytes.push(lineBytes)
    this.#minTime.push(time)
    this.#maxTime.push(time)
  }

  /** Ends the page; returns its runs. */
  endPage(): { readonly stream: Uint32Array; readonly rowCount: Uint32Array } {
    const start = this.#pageEnds.at(-1) ?? 0
    this.#pageEnds.push(this.#stream.length)
    this.#current = -1
    return {
      stream: Uint32Array.from(this.#stream.slice(start)),
      rowCount: Uint32Array.from(this.#rowCount.slice(start)),
    }
  }

  totals(): PageTotals {
    const runs = {
      pageEnds: Uint32Array.from(this.#pageEnds),
      stream: Uint32Array.from(this.#stream),
      rowCount: Uint32Array.from(this.#rowCount),
      rawBytes: Uint32Array.from(this.#rawBytes),
      lineBytes: Uint32Array.from(this.#lineBytes),
      minTime: Float64Array.from(this.#minTime),
      maxTime: Float64Array.from(this.#maxTime),
    }
    const minTime = runs.minTime.reduce((least, time) => Math.min(least, time), Infinity)
    const maxTime = runs.maxTime.reduce((greatest, time) => Math.max(greatest, time), -Infinity)
    return { runs, minTime, maxTime, rawBytes: this.#total }
  }
}

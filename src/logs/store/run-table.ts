/** Keeps account of the runs of streams while pages are made of sorted rows. */
import type { StreamRuns } from '#/storage/block/contents.ts'

export type PageTotals = {
  readonly runs: StreamRuns
  readonly minTime: number
  readonly maxTime: number
  readonly rawBytes: number
}

const FIRST_RUNS = 1024

/** The runs of all pages so far. */
export class RunTable {
  readonly #pageEnds: number[] = []
  #count = 0
  #stream = new Uint32Array(FIRST_RUNS)
  #rowCount = new Uint32Array(FIRST_RUNS)
  #rawBytes = new Uint32Array(FIRST_RUNS)
  #lineBytes = new Uint32Array(FIRST_RUNS)
  #minTime = new Float64Array(FIRST_RUNS)
  #maxTime = new Float64Array(FIRST_RUNS)
  #total = 0

  /** Takes the rows of a page, with the bytes of their lines and of their metadata; returns the runs of the page. */
  addPage(
    streams: Uint32Array,
    times: Float64Array,
    lineBytes: Uint32Array,
    metaBytes: Uint32Array,
  ): { readonly stream: Uint32Array; readonly rowCount: Uint32Array } {
    const first = this.#count
    let current = -1
    let lastTime = 0
    for (let row = 0; row < streams.length; row++) {
      const stream = streams[row]!
      const time = times[row]!
      // rows of a run ascend in time; those of a stream descend only where the runs of two hours meet, never inside one
      if (stream !== current || time < lastTime) {
        this.#beginRun(stream, time)
        current = stream
      }
      const run = this.#count - 1
      const rawBytes = lineBytes[row]! + metaBytes[row]!
      this.#rowCount[run]!++
      this.#rawBytes[run]! += rawBytes
      this.#lineBytes[run]! += lineBytes[row]!
      this.#maxTime[run] = lastTime = time
      this.#total += rawBytes
    }
    this.#pageEnds.push(this.#count)
    return { stream: this.#stream.slice(first, this.#count), rowCount: this.#rowCount.slice(first, this.#count) }
  }

  #beginRun(stream: number, time: number): void {
    if (this.#count === this.#stream.length) this.#grow()
    const run = this.#count++
    this.#stream[run] = stream
    this.#minTime[run] = time
  }

  totals(): PageTotals {
    const count = this.#count
    const runs = {
      pageEnds: Uint32Array.from(this.#pageEnds),
      stream: this.#stream.subarray(0, count),
      rowCount: this.#rowCount.subarray(0, count),
      rawBytes: this.#rawBytes.subarray(0, count),
      lineBytes: this.#lineBytes.subarray(0, count),
      minTime: this.#minTime.subarray(0, count),
      maxTime: this.#maxTime.subarray(0, count),
    }
    let [minTime, maxTime] = [Infinity, -Infinity]
    for (let run = 0; run < count; run++) {
      minTime = Math.min(minTime, runs.minTime[run]!)
      maxTime = Math.max(maxTime, runs.maxTime[run]!)
    }
    return { runs, minTime, maxTime, rawBytes: this.#total }
  }

  #grow(): void {
    this.#stream = grownU32(this.#stream)
    this.#rowCount = grownU32(this.#rowCount)
    this.#rawBytes = grownU32(this.#rawBytes)
    this.#lineBytes = grownU32(this.#lineBytes)
    this.#minTime = grownF64(this.#minTime)
    this.#maxTime = grownF64(this.#maxTime)
  }
}

function grownU32(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2)
  larger.set(column)
  return larger
}

function grownF64(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2)
  larger.set(column)
  return larger
}

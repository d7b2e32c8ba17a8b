/**
 * Cuts a merge into outputs, and outputs into slices, by what the indexes of the inputs tell; no page is read for it.
 *
 * A *cell* is what all inputs have of one stream in one hour. Cells in their order are put together to slices that fit in memory
 * when decoded, and slices to outputs whose compressed pages fit in memory, inputs and output. A cell that is larger than a slice
 * is cut by time, at beginnings of runs: rows of one stream and time are never parted, as duplicates are looked for among them.
 */
import { END_KEY, FIRST_KEY, hourOf, type RankedInput, type RowKey } from './merge-input.ts'
import { sortByKey } from '#/kernel/sort-by-key.ts'

export type PlanLimits = {
  /** Bytes of lines of an output at which it ends. */
  readonly outputBytes: number
  /** Compressed bytes of input at which an output ends. */
  readonly outputStoredBytes: number
  readonly sliceBytes: number
  readonly sliceRows: number
}

export type PlannedOutput = {
  /** Rows from `start` on, before the last of `sliceEnds`. */
  readonly start: RowKey
  readonly sliceEnds: readonly RowKey[]
  /** Of its rows in all inputs, estimated from above: bytes of lines and rows, of all and of its largest slice; compressed bytes. */
  readonly lineBytes: number
  readonly rows: number
  readonly storedBytes: number
  readonly sliceLineBytes: number
  readonly sliceRows: number
}

export function planOutputs(
  inputs: readonly RankedInput[],
  streamCount: number,
  limits: PlanLimits,
): readonly PlannedOutput[] {
  const runs = gatherRuns(inputs, streamCount)
  const planner = new Planner(limits)
  for (let i = 0; i < runs.order.length;) {
    const cell = runs.cell[runs.order[i]!]!
    const from = i
    let bytes = 0
    let rows = 0
    for (; i < runs.order.length && runs.cell[runs.order[i]!] === cell; i++) {
      bytes += runs.bytes[runs.order[i]!]!
      rows += runs.rows[runs.order[i]!]!
    }
    planner.beginCell({ hour: Math.floor(cell / streamCount), stream: cell % streamCount, time: 0 }, bytes, rows)
    for (let at = from; at < i; at++) planner.addRun(runs, runs.order[at]!)
  }
  return planner.finish()
}

type Runs = {
  /** Runs by cell, then least time. */
  readonly order: Uint32Array
  /** Hour times the count of streams, and the stream. */
  readonly cell: Float64Array
  readonly minTime: Float64Array
  readonly bytes: Float64Array
  readonly rows: Uint32Array
  readonly stored: Float64Array
}

function gatherRuns(inputs: readonly RankedInput[], streamCount: number): Runs {
  const count = inputs.reduce((sum, { runStream }) => sum + runStream.length, 0)
  const cell = new Float64Array(count)
  const minTime = new Float64Array(count)
  const bytes = new Float64Array(count)
  const rows = new Uint32Array(count)
  const stored = new Float64Array(count)
  let next = 0
  for (const { pageEnds, runStream, runRows, runBytes, runMinTime, rankOf, pageBytes } of inputs) {
    for (let page = 0, run = 0; page < pageEnds.length; page++) {
      const first = next
      let total = 0
      for (; run < pageEnds[page]!; run++, next++) {
        minTime[next] = runMinTime[run]!
        cell[next] = hourOf(runMinTime[run]!) * streamCount + rankOf[runStream[run]!]!
        bytes[next] = runBytes[run]!
        rows[next] = runRows[run]!
        total += runBytes[run]! + runRows[run]!
      }
      for (let i = first; i < next; i++) stored[i] = (pageBytes[page]! * (bytes[i]! + rows[i]!)) / total
    }
  }
  const order = Uint32Array.from(minTime.keys())
  const scratch = new Uint32Array(count)
  sortByKey(order, minTime, { from: 0, to: count }, scratch)
  sortByKey(order, cell, { from: 0, to: count }, scratch)
  return { order, cell, minTime, bytes, rows, stored }
}

class Planner {
  readonly #limits: PlanLimits
  readonly #outputs: PlannedOutput[] = []
  #start = FIRST_KEY
  #sliceEnds: RowKey[] = []
  #output = { lineBytes: 0, rows: 0, storedBytes: 0, sliceLineBytes: 0, sliceRows: 0 }
  #sliceBytes = 0
  #sliceRows = 0
  #cell = FIRST_KEY
  #cutsCell = false
  #lastCut = -1

  constructor(limits: PlanLimits) {
    this.#limits = limits
  }

  beginCell(cell: RowKey, bytes: number, rows: number): void {
    const { sliceBytes, sliceRows } = this.#limits
    this.#cell = cell
    this.#cutsCell = bytes > sliceBytes || rows > sliceRows
    if (this.#sliceBytes + bytes > sliceBytes || this.#sliceRows + rows > sliceRows) this.#endSlice(cell)
    this.#lastCut = -1
  }

  addRun({ minTime, bytes, rows, stored }: Runs, run: number): void {
    const { sliceBytes, sliceRows } = this.#limits
    const time = minTime[run]!
    const isFull = this.#sliceBytes + bytes[run]! > sliceBytes || this.#sliceRows + rows[run]! > sliceRows
    if (this.#cutsCell && isFull && time > this.#lastCut && this.#sliceRows > 0) {
      this.#endSlice({ ...this.#cell, time })
    }
    if (this.#lastCut < 0) this.#lastCut = time
    this.#sliceBytes += bytes[run]!
    this.#sliceRows += rows[run]!
    this.#output.lineBytes += bytes[run]!
    this.#output.rows += rows[run]!
    this.#output.storedBytes += stored[run]!
  }

  finish(): readonly PlannedOutput[] {
    if (this.#sliceRows > 0) this.#endSlice(END_KEY)
    if (this.#sliceEnds.length > 0) this.#endOutput(END_KEY)
    return this.#outputs
  }

  #endSlice(end: RowKey): void {
    if (this.#sliceRows === 0) return
    const output = this.#output
    this.#sliceEnds.push(end)
    output.sliceLineBytes = Math.max(output.sliceLineBytes, this.#sliceBytes)
    output.sliceRows = Math.max(output.sliceRows, this.#sliceRows)
    this.#sliceBytes = this.#sliceRows = 0
    this.#lastCut = end.time
    const { outputBytes, outputStoredBytes } = this.#limits
    if (output.lineBytes >= outputBytes || output.storedBytes >= outputStoredBytes) this.#endOutput(end)
  }

  #endOutput(end: RowKey): void {
    this.#outputs.push({ start: this.#start, sliceEnds: this.#sliceEnds, ...this.#output })
    this.#start = end
    this.#sliceEnds = []
    this.#output = { lineBytes: 0, rows: 0, storedBytes: 0, sliceLineBytes: 0, sliceRows: 0 }
  }
}

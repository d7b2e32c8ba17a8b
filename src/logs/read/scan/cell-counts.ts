/**
 * Counts the rows of a page, and the bytes of their lines, by class of streams, combination of metadata values and piece of time
 * (`StepGrid.cells`): a row is one addition in a small table, however many windows see it. What was counted becomes differences when
 * the page is done.
 */
import {
  clearCounts,
  countAt,
  countCells,
  countCodes,
  countOf,
  countTable,
  MAX_COUNTS,
  useCodes,
} from '#/storage/column/count-cells.ts'
import type { RunsU32 } from '#/storage/column/runs-u32.ts'
import { cellOf, type CellGrid } from '#/storage/column/value-cells.ts'
import type { RowCodes } from './code-columns.ts'
import type { DiffTable } from './diff-table.ts'
import { grown } from './range/grow.ts'
import type { StepCells } from './step-grid.ts'

/** Pieces in the range of a job. */
export const MAX_CELLS = 16_384

export type PageTimes = {
  readonly from: number
  readonly to: number
  readonly minTime?: number | undefined
  readonly maxTime?: number | undefined
}

export type CountedColumns = {
  /** By row: the piece, by the grid of the page. */
  readonly cells: Int32Array
  /** By row: the combination; undefined when there is one only. */
  readonly codes: RowCodes | undefined
  /** Undefined when bytes are not counted. */
  readonly lineStart: Uint32Array | undefined
}

/** The rows of a page whose streams are wanted. */
export type CountedRuns = {
  readonly runs: RunsU32
  /** 1 for each stream that is wanted; undefined: all. */
  readonly streams: Uint8Array | undefined
  readonly classOf: (ordinal: number) => number
}

export class CellCounts {
  readonly #all: StepCells
  readonly #diffs: DiffTable
  readonly #rows = countTable()
  #bytes: Float64Array
  /** Of the page at hand. */
  #combinations = 1
  #grid: CellGrid
  /** Pieces, number 0 for rows outside of all, and how many come before the first. */
  #width = 0
  #skipped = 0
  /** By class: 1 + its place in the table, or 0. */
  #places = new Int32Array(16)
  /** By place. */
  readonly #classes: number[] = []
  readonly #ordinals: number[] = []

  constructor(cells: StepCells, diffs: DiffTable) {
    this.#all = cells
    this.#grid = cells.grid
    this.#diffs = diffs
    this.#bytes = new Float64Array(0)
  }

  /** What finds the pieces of the page at hand. */
  get grid(): CellGrid {
    return this.#grid
  }

  /** Begins a page. All rows of it that are wanted lie in the range of the job. */
  enter({ from, to, minTime = from, maxTime = to - 1 }: PageTimes, combinations: number): void {
    const { grid } = this.#all
    const range = { from: Math.max(from, minTime), to: Math.min(to, maxTime + 1) }
    this.#skipped = cellOf(grid, range.from) - 1
    this.#width = cellOf(grid, range.to - 1) - this.#skipped + 1
    this.#grid = { ...grid, ...range, first: grid.first + this.#skipped }
    this.#combinations = combinations
    for (const one of this.#classes.splice(0)) this.#places[one] = 0
    this.#ordinals.length = 0
  }

  /** Makes room for what {@link addRuns} will add. False, and nothing done, when there is none. */
  holdRuns({ runs, streams, classOf }: CountedRuns): boolean {
    for (const ordinal of runs.values) {
      if (streams !== undefined && streams[ordinal] === 0) continue
      if (!this.#hold(classOf(ordinal), ordinal)) return false
    }
    return true
  }

  /** Adds rows whose cells have just been found. Neighbours of one class are counted in one go. */
  addRuns({ runs, streams, classOf }: CountedRuns, columns: CountedColumns): void {
    const { values, ends } = runs
    if (columns.codes instanceof Uint8Array) useCodes(columns.codes)
    let [start, end, classAtHand] = [0, 0, -1]
    for (let run = 0; run < values.length; run++) {
      const ordinal = values[run]!
      if (streams !== undefined && streams[ordinal] === 0) continue
      const from = run === 0 ? 0 : ends[run - 1]!
      const streamClass = classOf(ordinal)
      if (from !== end || streamClass !== classAtHand) {
        if (end > start) this.#add(classAtHand, columns, start, end)
        start = from
        classAtHand = streamClass
      }
      end = ends[run]!
    }
    if (end > start) this.#add(classAtHand, columns, start, end)
  }

  /** Makes room for a class of streams, of which `ordinal` is one. */
  #hold(streamClass: number, ordinal: number): boolean {
    if (streamClass >= this.#places.length) this.#places = grown(this.#places, streamClass + 1)
    if (this.#places[streamClass] !== 0) return true
    this.#places[streamClass] = this.#classes.push(streamClass)
    this.#ordinals.push(ordinal)
    const entries = this.#classes.length * this.#combinations * this.#width
    if (entries > MAX_COUNTS) return false
    if (this.#diffs.hasValues) this.#bytes = grown(this.#bytes, entries)
    return true
  }

  /** Adds rows of a class that has room. */
  #add(streamClass: number, { cells, codes, lineStart }: CountedColumns, start: number, end: number): void {
    const width = this.#width
    const first = (this.#places[streamClass]! - 1) * this.#combinations * width
    if (codes === undefined) countCells({ first, width, start, end })
    else if (codes instanceof Uint8Array) countCodes({ first, width, start, end })
    else for (let row = start; row < end; row++) countAt(this.#rows, first + codes[row]! * width + cells[row]!)
    if (lineStart === undefined) return
    const bytes = this.#bytes
    for (let row = start; row < end; row++) {
      const at = first + (codes === undefined ? 0 : codes[row]! * width) + cells[row]!
      bytes[at]! += lineStart[row + 1]! - lineStart[row]!
    }
  }

  /** Ends the page; returns how many rows lay in the range. */
  flush(slotOf: (ordinal: number, combination: number) => number): number {
    let rows = 0
    try {
      for (const [place, ordinal] of this.#ordinals.entries()) {
        for (let combination = 0; combination < this.#combinations; combination++) {
          rows += this.#flushOne(place * this.#combinations + combination, () => slotOf(ordinal, combination))
        }
      }
    } finally {
      clearCounts(this.#ordinals.length * this.#combinations * this.#width)
      this.#bytes.fill(0)
    }
    return rows
  }

  /** The series is asked for only when a window sees one of its rows. */
  #flushOne(group: number, slotOf: () => number): number {
    const { enterStep, leaveStep } = this.#all
    const first = group * this.#width
    let slot = -1
    let rows = 0
    for (let cell = 1; cell < this.#width; cell++) {
      const count = countOf(this.#rows, first + cell)
      if (count === 0) continue
      rows += count
      const enter = enterStep[this.#skipped + cell]!
      const leave = leaveStep[this.#skipped + cell]!
      if (enter >= leave) continue
      if (slot < 0) slot = slotOf()
      this.#diffs.add(slot, enter, leave, count, this.#bytes[first + cell] ?? 0)
    }
    return rows
  }
}

/**
 * Counts rows that no stage changed, or the bytes of their lines, straight from the columns of a page: no row is made, and no text
 * but those of new series.
 *
 * Rows of a block stand in runs of one stream, ascending in time (`addPage`). Where the whole page counts at the same steps, times are
 * not read. Else the piece of time of each row is found by a kernel, and a row is an addition to a small table (./cell-counts.ts).
 * Without the kernel, a run falls apart into pieces whose rows count at the same steps. Rows in other orders are looked at one by
 * one (`addRows`).
 */
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { RunsU32 } from '#/storage/column/runs-u32.ts'
import { CellCounts, MAX_CELLS } from './cell-counts.ts'
import { codeColumns, type CodeColumns, type RowCodes } from './code-columns.ts'
import type { DiffTable } from './diff-table.ts'
import { GroupSlots } from './group-slots.ts'
import type { SeriesSlots } from './series-slots.ts'
import type { StepGrid } from './step-grid.ts'
import type { StreamLabels } from './stream-labels.ts'
import type { ValueCounter } from './value-counter.ts'

/** With more combinations in a page, slots are looked up by key for each row. */
const MAX_TABLE_COMBINATIONS = 4096
/** Entries of the tables of a page; beyond, they are made anew. */
const MAX_TABLE_ENTRIES = 2 ** 20
/** A piece of at least this many rows for each combination is counted by combination first. */
const ROWS_PER_COMBINATION = 2

/** With more combinations in a page, values are counted as bytes where that can be. */
const MAX_OBJECT_COMBINATIONS = 64

/** Which rows of a page are wanted. */
export type WantedRows = {
  /** 1 for each stream that is wanted; undefined: all. */
  readonly streams: Uint8Array | undefined
  readonly from: number
  readonly to: number
  /** Whether every row is known to be in [from, to). */
  readonly isInside: boolean
  /** Least and greatest time of all rows of the page, if known. */
  readonly minTime?: number | undefined
  readonly maxTime?: number | undefined
}

export type CounterParts = {
  readonly series: SeriesSlots
  readonly grid: StepGrid
  readonly diffs: DiffTable
  readonly values: ValueCounter | undefined
}

export class ColumnCounter {
  readonly #grouping: Grouping
  readonly #grid: StepGrid
  readonly #diffs: DiffTable
  readonly #slots: GroupSlots
  /** Undefined when the range has too many pieces. */
  readonly #cells: CellCounts | undefined
  /** For metadata of many values; undefined: pages that have it are read row by row. */
  readonly #values: ValueCounter | undefined
  /** Whether the page at hand is counted there. */
  #isByValue = false
  /** Of the page at hand. */
  #columns: CodeColumns = { columns: [], combinations: 1, codes: undefined }
  #lineStart: Uint32Array | undefined
  /** By class of streams: slots by combination, -1 unknown. */
  #tables: (Int32Array | undefined)[] = []
  #tableEntries = 0
  #counts = new Float64Array(0)
  #bytes = new Float64Array(0)

  /** `range`: in which all rows lie that are added. */
  constructor(grouping: Grouping, parts: CounterParts, range: { readonly from: number; readonly to: number }) {
    this.#grouping = grouping
    const cells = parts.grid.cells(range.from, range.to, MAX_CELLS)
    this.#cells = cells && new CellCounts(cells, parts.diffs)
    this.#values = parts.values
    this.#grid = parts.grid
    this.#diffs = parts.diffs
    this.#slots = new GroupSlots(parts.series, grouping)
  }

  beginPart(labels: StreamLabels): void {
    this.#slots.beginPart(labels)
    this.#values?.beginPart(labels)
  }

  /** Adds the wanted rows; returns how many. Undefined, and nothing done, when the page must be read row by row. */
  addPage(page: LogPage, wanted: WantedRows): number | undefined {
    const { streams, from, to, isInside, minTime = from, maxTime = to - 1 } = wanted
    const isOneRun = streams === undefined && this.#slots.isOneClass()
    const runs = isOneRun ? allRows(page) : page.streamRuns
    if (runs === undefined || !this.#enter(page, page.rowCount)) return undefined
    if (isInside && this.#isOnePiece(minTime, maxTime)) return this.#addRuns(runs, streams)
    const counted = this.#addCells(page, runs, wanted)
    if (counted !== undefined) return counted
    // what follows needs times that ascend
    const streamRuns = isOneRun ? page.streamRuns : runs
    if (streamRuns === undefined) return undefined
    const { values, ends } = streamRuns
    const { time } = page
    let rows = 0
    for (let run = 0; run < values.length; run++) {
      const ordinal = values[run]!
      if (streams !== undefined && streams[ordinal] === 0) continue
      let start = run === 0 ? 0 : ends[run - 1]!
      let end = ends[run]!
      if (!isInside) {
        start = firstFrom(time, from, start, end)
        end = firstFrom(time, to, start, end)
      }
      rows += end - start
      this.#addRun(ordinal, time, start, end)
    }
    return rows
  }

  /** Whether all times count at the same steps, so that they need not be looked at. */
  #isOnePiece(minTime: number, maxTime: number): boolean {
    this.#grid.locate(minTime)
    return maxTime <= this.#grid.validTo
  }

  /** Adds the rows of wanted streams by their pieces of time; undefined, and nothing done, when these cannot be told. */
  #addCells(page: LogPage, runs: RunsU32, wanted: WantedRows): number | undefined {
    const counts = this.#cells
    const { combinations, codes } = this.#columns
    if (counts === undefined || this.#isByValue || combinations > MAX_TABLE_COMBINATIONS) return undefined
    const classOf = (ordinal: number): number => this.#slots.classOf(ordinal)
    const counted = { runs, streams: wanted.streams, classOf }
    counts.enter(wanted, combinations)
    if (!counts.holdRuns(counted)) return undefined
    const cells = page.timeCells?.find(counts.grid, 0, page.rowCount)
    if (cells === undefined) return undefined
    counts.addRuns(counted, { cells, codes, lineStart: this.#lineStart })
    return counts.flush((ordinal, combination) => this.#slotOf(ordinal, combination))
  }

  /** Adds the rows of all wanted streams at the steps that the grid has found. */
  #addRuns({ values, ends }: RunsU32, streams: Uint8Array | undefined): number {
    const counts = this.#grid.enterStep < this.#grid.leaveStep
    let rows = 0
    for (let run = 0; run < values.length; run++) {
      const ordinal = values[run]!
      if (streams !== undefined && streams[ordinal] === 0) continue
      const start = run === 0 ? 0 : ends[run - 1]!
      rows += ends[run]! - start
      if (counts) this.#addPiece(ordinal, start, ends[run]!)
    }
    return rows
  }

  /** Adds rows in any order. False, and nothing done, when they must be read one by one. */
  addRows(page: LogPage, rows: Uint32Array, count: number): boolean {
    if (!this.#enter(page, count)) return false
    const stream = this.#slots.isOneClass() ? undefined : page.stream
    const { time } = page
    const { codes } = this.#columns
    const grid = this.#grid
    const lineStart = this.#lineStart
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const t = time[row]!
      if (!(t > grid.validAfter && t <= grid.validTo)) grid.locate(t)
      if (grid.enterStep >= grid.leaveStep) continue
      const ordinal = stream === undefined ? 0 : stream[row]!
      if (this.#isByValue) {
        this.#values!.addRows(this.#slots.classOf(ordinal), ordinal, row, row + 1)
        continue
      }
      const slot = this.#slotOf(ordinal, codes === undefined ? 0 : codes[row]!)
      const bytes = lineStart === undefined ? 0 : lineStart[row + 1]! - lineStart[row]!
      this.#diffs.add(slot, grid.enterStep, grid.leaveStep, 1, bytes)
    }
    return true
  }

  /** Of the page, `rows` rows at most will be counted. */
  #enter(page: LogPage, rows: number): boolean {
    const columns = codeColumns(page, this.#grouping)
    const isMany = columns === undefined || columns.combinations > MAX_OBJECT_COMBINATIONS
    this.#isByValue = isMany && this.#values?.enter(page, rows) === true
    if (this.#isByValue) return true
    if (columns === undefined) return false
    this.#columns = columns
    this.#lineStart = this.#diffs.hasValues ? page.lineStart : undefined
    this.#forgetTables()
    if (this.#counts.length < columns.combinations && columns.combinations <= MAX_TABLE_COMBINATIONS) {
      this.#counts = new Float64Array(columns.combinations)
      this.#bytes = new Float64Array(columns.combinations)
    }
    return true
  }

  #forgetTables(): void {
    this.#tables = []
    this.#tableEntries = 0
  }

  #addRun(ordinal: number, time: Float64Array, start: number, end: number): void {
    const grid = this.#grid
    for (let at = start; at < end;) {
      const t = time[at]!
      if (!(t > grid.validAfter && t <= grid.validTo)) grid.locate(t)
      const { validTo } = grid
      let pieceEnd = end
      if (time[end - 1]! > validTo) for (pieceEnd = at + 1; time[pieceEnd]! <= validTo;) pieceEnd++
      if (grid.enterStep < grid.leaveStep) this.#addPiece(ordinal, at, pieceEnd)
      at = pieceEnd
    }
  }

  /** Rows of one stream at the steps that the grid has found. */
  #addPiece(ordinal: number, start: number, end: number): void {
    if (this.#isByValue) return this.#values!.addRows(this.#slots.classOf(ordinal), ordinal, start, end)
    const { codes, combinations } = this.#columns
    const lineStart = this.#lineStart
    const { enterStep, leaveStep } = this.#grid
    if (codes === undefined) {
      const bytes = lineStart === undefined ? 0 : lineStart[end]! - lineStart[start]!
      this.#diffs.add(this.#slotOf(ordinal, 0), enterStep, leaveStep, end - start, bytes)
      return
    }
    if (combinations <= MAX_TABLE_COMBINATIONS && end - start >= combinations * ROWS_PER_COMBINATION) {
      this.#addByCombination(ordinal, start, end)
      return
    }
    if (lineStart === undefined && combinations <= MAX_TABLE_COMBINATIONS) {
      this.#countRows(ordinal, codes, start, end)
      return
    }
    for (let row = start; row < end; row++) {
      const bytes = lineStart === undefined ? 0 : lineStart[row + 1]! - lineStart[row]!
      this.#diffs.add(this.#slotOf(ordinal, codes[row]!), enterStep, leaveStep, 1, bytes)
    }
  }

  #countRows(ordinal: number, codes: RowCodes, start: number, end: number): void {
    const table = this.#tableOf(ordinal)
    const { enterStep, leaveStep } = this.#grid
    const diffs = this.#diffs
    let { rows } = diffs
    for (let row = start; row < end; row++) {
      const slot = table[codes[row]!]!
      const first = diffs.startOf(slot < 0 ? this.#slotOf(ordinal, codes[row]!) : slot)
      if (slot < 0) rows = diffs.rows
      rows[first + enterStep]!++
      rows[first + leaveStep]!--
    }
  }

  #addByCombination(ordinal: number, start: number, end: number): void {
    const { combinations } = this.#columns
    const codes = this.#columns.codes!
    const counts = this.#counts
    const bytes = this.#bytes
    for (let row = start; row < end; row++) counts[codes[row]!]!++
    const lineStart = this.#lineStart
    if (lineStart !== undefined) {
      for (let row = start; row < end; row++) bytes[codes[row]!]! += lineStart[row + 1]! - lineStart[row]!
    }
    const { enterStep, leaveStep } = this.#grid
    for (let code = 0; code < combinations; code++) {
      if (counts[code] === 0) continue
      this.#diffs.add(this.#slotOf(ordinal, code), enterStep, leaveStep, counts[code]!, bytes[code]!)
      counts[code] = bytes[code] = 0
    }
  }

  #slotOf(ordinal: number, combination: number): number {
    const { columns, combinations } = this.#columns
    if (combinations > MAX_TABLE_COMBINATIONS) return this.#slots.slotOf(ordinal, columns, combination)
    const table = this.#tableOf(ordinal)
    const slot = table[combination]!
    return slot >= 0 ? slot : (table[combination] = this.#slots.slotOf(ordinal, columns, combination))
  }

  #tableOf(ordinal: number): Int32Array {
    const streamClass = this.#slots.classOf(ordinal)
    return this.#tables[streamClass] ?? this.#newTable(streamClass)
  }

  #newTable(streamClass: number): Int32Array {
    const { combinations } = this.#columns
    if (this.#tableEntries + combinations > MAX_TABLE_ENTRIES) this.#forgetTables()
    this.#tableEntries += combinations
    return (this.#tables[streamClass] = new Int32Array(combinations).fill(-1))
  }
}

/** One run of any stream. */
function allRows({ rowCount }: LogPage): RunsU32 {
  return { values: Uint32Array.of(0), ends: Uint32Array.of(rowCount) }
}

/** The first position of [start, end) with a time of `from` or later, `end` when there is none. Times ascend. */
function firstFrom(time: Float64Array, from: number, start: number, end: number): number {
  let [low, high] = [start, end]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (time[middle]! < from) low = middle + 1
    else high = middle
  }
  return low
}

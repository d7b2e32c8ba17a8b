/**
 * Turns rows into samples. Two ways lead here: rows that no stage changed are counted straight from the columns, grouping by
 * dictionary codes of metadata (`addRows`); rows from a pipeline come one by one (`addRow`).
 */
import { defined } from '#/kernel/assert.ts'
import type { Row } from '#/logs/logql/pipeline/row.ts'
import { dayStartNs, type Day } from '#/logs/model/day.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { groupLabels, type SeriesLabel, type SeriesLabels } from '#/series/labels.ts'
import { sortLabels } from '#/logs/model/labels.ts'
import { CellTable } from './cell-table.ts'
import { DiffTable } from './diff-table.ts'
import { rangeFolds } from './range/index.ts'
import type { Sample } from './range/sample.ts'
import { RowGroups } from './row-groups.ts'
import type { SampleLeaf, SamplesResult, SampleTask, ScanCounts } from './scan-job.ts'
import { Segments } from './segments.ts'
import { SeriesSlots } from './series-slots.ts'
import { StepGrid } from './step-grid.ts'
import type { StreamLabels } from './stream-labels.ts'
import { textReader, unwrapReader, type ReadSample } from './unwrap-value.ts'

/** Beyond this many combinations of metadata values in a page, rows are grouped one by one. */
const MAX_COMBINATIONS = 2 ** 20
/** Up to this many, each stream of a page has a table of them. */
const MAX_TABLE_COMBINATIONS = 64

type CodeColumn = {
  readonly name: string
  readonly codes: Uint32Array
  readonly values: readonly string[]
  /** What a step of this code adds to the combination. */
  readonly factor: number
}

export class SampleSink {
  readonly #task: SampleTask
  readonly #grid: StepGrid
  readonly #series = new SeriesSlots()
  readonly #groups: RowGroups
  /** One of the two, by the measure. */
  readonly #diffs: DiffTable | undefined
  readonly #cells: CellTable | undefined
  readonly #segments: Segments
  /** Undefined when a row counts as such. */
  readonly #read: ReadSample | undefined
  readonly #sample: Sample = { value: 0, text: '', time: 0, position: 0 }
  /** Midnight in the time of samples. */
  readonly #midnight: number
  /** Slots of series whose labels depend on the stream alone, for the source at hand; -1 unknown. */
  #streamSlots = new Int32Array(0)
  #labels: StreamLabels | undefined

  constructor(task: SampleTask, range: { readonly day: Day; readonly from: number; readonly to: number }) {
    const { leaf, window, maxBytes } = task
    this.#task = task
    this.#grid = new StepGrid(window, range.day)
    this.#segments = new Segments(window)
    this.#midnight = Number(dayStartNs(range.day) - window.startNs)
    this.#groups = new RowGroups(this.#series, leaf.grouping, leaf.preserveErrors)
    this.#read = readerOf(leaf)
    if (leaf.measure === 'rows' || leaf.measure === 'bytes') {
      const { first, last } = this.#grid.stepsOf(range.from, range.to)
      const width = Math.max(last - first, 0) + 1
      const hasValues = leaf.measure === 'bytes'
      this.#diffs = new DiffTable(this.#series, { firstStep: first, width, hasValues, maxBytes })
    } else {
      const firstSegment = this.#segmentOf(range.from)
      const width = this.#segmentOf(range.to) - firstSegment + 1
      const collector = defined(rangeFolds.get(leaf.op), `the range function ${leaf.op}`).collect()
      this.#cells = new CellTable(this.#series, collector, { op: leaf.op, firstSegment, width, maxBytes })
    }
  }

  /** The rows that follow come from another source. */
  beginPart(labels: StreamLabels): void {
    this.#labels = labels
    this.#streamSlots = new Int32Array(labels.count).fill(-1)
  }

  /** Adds rows that no stage changed. False, and nothing done, when the page must be read row by row. */
  addRows(page: LogPage, rows: Uint32Array, count: number): boolean {
    if (this.#read !== undefined) return false
    const columns = this.#codeColumns(page)
    if (columns === undefined) return false
    if (columns.length === 0) this.#addByStream(page, rows, count)
    else this.#addByCodes(page, columns, rows, count)
    return true
  }

  /** Whether an entry at `time` counts at any step. */
  counts(time: number): boolean {
    const grid = this.#grid
    if (!(time > grid.validAfter && time <= grid.validTo)) grid.locate(time)
    return grid.enterStep < grid.leaveStep
  }

  /**
   * Adds one row as it left the pipeline, its time checked by {@link counts}. `position` decides between rows of one time.
   * @throws BadRequest when it carries an error.
   */
  addRow(row: Row, position: number): void {
    const sample = this.#sample
    if (this.#read !== undefined && !this.#read(row, sample)) return
    const slot = this.#groups.slotOf(row)
    if (this.#cells === undefined) return this.#addAt(slot, row.time, row.end - row.start)
    if (!this.counts(row.time)) return
    sample.time = this.#midnight + row.time
    sample.position = position
    this.#cells.add(slot, this.#segments.of(this.#grid.enterStep, this.#grid.leaveStep), sample)
  }

  finish(counts: ScanCounts): SamplesResult {
    return { ...(this.#diffs ?? this.#cells!).finish(), counts }
  }

  #segmentOf(time: number): number {
    this.#grid.locate(time)
    return this.#segments.of(this.#grid.enterStep, this.#grid.leaveStep)
  }

  #addAt(slot: number, time: number, bytes: number): void {
    if (!this.counts(time)) return
    this.#diffs!.add(slot, this.#grid.enterStep, this.#grid.leaveStep, bytes)
  }

  #addByStream(page: LogPage, rows: Uint32Array, count: number): void {
    const { stream, time } = page
    const lineStart = this.#task.leaf.measure === 'bytes' ? page.lineStart : undefined
    const slots = this.#streamSlots
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const ordinal = stream[row]!
      let slot = slots[ordinal]!
      if (slot < 0) slot = slots[ordinal] = this.#slotOf(ordinal, [], 0)
      this.#addAt(slot, time[row]!, lineStart === undefined ? 0 : lineStart[row + 1]! - lineStart[row]!)
    }
  }

  #addByCodes(page: LogPage, columns: readonly CodeColumn[], rows: Uint32Array, count: number): void {
    const { stream, time } = page
    const lineStart = this.#task.leaf.measure === 'bytes' ? page.lineStart : undefined
    const slots = new CombinationSlots(columns.reduce((product, { values }) => product * (values.length + 1), 1))
    let current = -1
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      const ordinal = stream[row]!
      if (ordinal !== current) slots.beginStream((current = ordinal))
      let code = 0
      for (const column of columns) code += column.codes[row]! * column.factor
      let slot = slots.get(code)
      if (slot < 0) slots.set(code, (slot = this.#slotOf(ordinal, columns, code)))
      this.#addAt(slot, time[row]!, lineStart === undefined ? 0 : lineStart[row + 1]! - lineStart[row]!)
    }
  }

  /** Columns whose values decide about the series, or undefined when codes cannot. */
  #codeColumns(page: LogPage): readonly CodeColumn[] | undefined {
    const columns: CodeColumn[] = []
    let factor = 1
    for (const name of page.metaNames) {
      if (name.startsWith('__error')) return undefined
      if (!this.#decides(name)) continue
      const dictionary = page.meta(name)?.dictionary
      if (dictionary === undefined) return undefined
      columns.push({ name, codes: dictionary.codes, values: dictionary.values, factor })
      factor *= dictionary.values.length + 1
      if (factor > MAX_COMBINATIONS) return undefined
    }
    return columns
  }

  /** Whether the series of a row depends on this metadata, under its own name or under the one it gets in a conflict. */
  #decides(name: string): boolean {
    const { kind, labels } = this.#task.leaf.grouping
    return kind === 'without' || labels.includes(name) || labels.includes(`${name}_extracted`)
  }

  #slotOf(ordinal: number, columns: readonly CodeColumn[], combination: number): number {
    const streamLabels = this.#labels!.of(ordinal)
    const labels: SeriesLabel[] = [...streamLabels]
    for (const { name, values, factor } of columns) {
      const code = Math.floor(combination / factor) % (values.length + 1)
      if (code === 0) continue
      // metadata named as a label of the stream gets another name
      const isTaken = streamLabels.some(([other]) => other === name)
      labels.push([isTaken ? `${name}_extracted` : name, values[code - 1]!])
    }
    return this.#series.of(groupLabels(sortLabels(labels) as SeriesLabels, this.#task.leaf.grouping))
  }
}

/** Slots by stream and combination within one page: a small table for each stream, or one map when combinations are many. */
class CombinationSlots {
  readonly #combinations: number
  readonly #tables = new Map<number, Int32Array>()
  readonly #map = new Map<number, number>()
  #table: Int32Array | undefined
  #stream = 0

  constructor(combinations: number) {
    this.#combinations = combinations
  }

  beginStream(stream: number): void {
    this.#stream = stream
    if (this.#combinations > MAX_TABLE_COMBINATIONS) return
    this.#table = this.#tables.get(stream)
    if (this.#table !== undefined) return
    this.#table = new Int32Array(this.#combinations).fill(-1)
    this.#tables.set(stream, this.#table)
  }

  /** -1 when unknown. */
  get(code: number): number {
    if (this.#table !== undefined) return this.#table[code]!
    return this.#map.get(this.#stream * this.#combinations + code) ?? -1
  }

  set(code: number, slot: number): void {
    if (this.#table !== undefined) this.#table[code] = slot
    else this.#map.set(this.#stream * this.#combinations + code, slot)
  }
}

function readerOf({ unwrap, countedLabel }: SampleLeaf): ReadSample | undefined {
  if (unwrap !== undefined) return unwrapReader(unwrap)
  return countedLabel === undefined ? undefined : textReader(countedLabel)
}

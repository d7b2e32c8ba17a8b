/**
 * Turns rows into samples. Two ways lead here: rows that no stage changed are counted straight from the columns (`addPage`,
 * `addRows`, see ./column-counter.ts); rows from a pipeline come one by one (`addRow`).
 */
import { defined } from '#/kernel/assert.ts'
import type { Row } from '#/logs/logql/pipeline/row.ts'
import { dayStartNs, type Day } from '#/logs/model/day.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { CellTable } from './cell-table.ts'
import { ColumnCounter, type WantedRows } from './column-counter.ts'
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
import { ValueCounter } from './value-counter.ts'

export class SampleSink {
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
  /** Undefined when more than a count is read of a row. */
  readonly #counter: ColumnCounter | undefined
  /** Part of it. */
  readonly #values: ValueCounter | undefined
  readonly #isPartial: boolean = false

  constructor(task: SampleTask, range: { readonly day: Day; readonly from: number; readonly to: number }) {
    const { leaf, window, maxBytes, isKeyed, sketch } = task
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
      const counting = { countsBytes: hasValues, maxBytes, sketch }
      if (isKeyed === true) this.#values = new ValueCounter(leaf.grouping.labels, counting)
      this.#isPartial = sketch !== undefined
      const parts = { series: this.#series, grid: this.#grid, diffs: this.#diffs, values: this.#values }
      if (this.#read === undefined) this.#counter = new ColumnCounter(leaf.grouping, parts, range)
    } else {
      const firstSegment = this.#segmentOf(range.from)
      const width = this.#segmentOf(range.to) - firstSegment + 1
      const collector = defined(rangeFolds.get(leaf.op), `the range function ${leaf.op}`).collect()
      this.#cells = new CellTable(this.#series, collector, { op: leaf.op, firstSegment, width, maxBytes })
    }
  }

  /** The rows that follow come from another source. */
  beginPart(labels: StreamLabels): void {
    this.#counter?.beginPart(labels)
  }

  /** Adds the wanted rows of a page, which no stage changes; returns how many. Undefined, and nothing done, when it cannot. */
  addPage(page: LogPage, wanted: WantedRows): number | undefined {
    return this.#counter?.addPage(page, wanted)
  }

  /** Adds rows that no stage changed. False, and nothing done, when the page must be read row by row. */
  addRows(page: LogPage, rows: Uint32Array, count: number): boolean {
    return this.#counter?.addRows(page, rows, count) ?? false
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
    if (this.#diffs === undefined) return { ...this.#cells!.finish(), counts }
    return { ...this.#diffs.finish(), ...this.#values?.finish(), isPartial: this.#isPartial, counts }
  }

  #segmentOf(time: number): number {
    this.#grid.locate(time)
    return this.#segments.of(this.#grid.enterStep, this.#grid.leaveStep)
  }

  #addAt(slot: number, time: number, bytes: number): void {
    if (!this.counts(time)) return
    this.#diffs!.add(slot, this.#grid.enterStep, this.#grid.leaveStep, 1, bytes)
  }
}

function readerOf({ unwrap, countedLabel }: SampleLeaf): ReadSample | undefined {
  if (unwrap !== undefined) return unwrapReader(unwrap)
  return countedLabel === undefined ? undefined : textReader(countedLabel)
}

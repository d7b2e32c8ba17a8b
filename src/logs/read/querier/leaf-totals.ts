/** Puts together what the jobs of a leaf found, series by series. Two ways: differences of counts, or cells of a range function. */
import { defined } from '#/kernel/assert.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import { rangeFolds } from '#/logs/read/scan/range/index.ts'
import type { Merger } from '#/logs/read/scan/range/sample.ts'
import type { CellsResult, DiffsResult, SamplesResult } from '#/logs/read/scan/scan-job.ts'
import { Segments } from '#/logs/read/scan/segments.ts'
import { tooManySamples, tooManySeries } from '#/logs/read/scan/series-slots.ts'
import type { StepWindow } from '#/logs/read/scan/step-grid.ts'
import { labelsKey, type SeriesLabels } from '#/series/labels.ts'
import { newSeries, type Series } from '#/series/series-set.ts'
import type { QueryRun } from './query-run.ts'

/** Labels, key and objects of a series, estimated. */
export const SERIES_OVERHEAD_BYTES = 512

export interface LeafTotals {
  /** Adds the result of a job. @throws BadRequest beyond the memory of the query. */
  add(result: SamplesResult): Promise<void>
  /** The series one by one, once all results are in; undefined where other work may have its turn. */
  series(): Iterable<Series | undefined>
  /** Set when a value of the series is an estimate. */
  readonly isApproximate: boolean
}

/** What totals need of the query that they belong to. */
export type TotalsRun = Pick<QueryRun, 'shareBytes' | 'reserve'>

export function leafTotals(run: TotalsRun, leaf: MetricLeaf, window: StepWindow): LeafTotals {
  const counts = leaf.measure === 'rows' || leaf.measure === 'bytes'
  return counts ? new DiffTotals(run, leaf, window) : new CellTotals(run, leaf, window)
}

type Sum = {
  readonly labels: SeriesLabels
  readonly rowDiffs: Float64Array
  readonly valueDiffs: Float64Array | undefined
}

class DiffTotals implements LeafTotals {
  readonly isApproximate = false
  readonly #run: TotalsRun
  readonly #leaf: MetricLeaf
  readonly #window: StepWindow
  readonly #sums = new Map<string, Sum>()

  constructor(run: TotalsRun, leaf: MetricLeaf, window: StepWindow) {
    this.#run = run
    this.#leaf = leaf
    this.#window = window
  }

  async add(result: SamplesResult): Promise<void> {
    const { series, firstStep, width, rowDiffs, valueDiffs } = result as DiffsResult
    const keys = series.map(labelsKey)
    await this.#makeRoom(keys.reduce((count, key) => count + (this.#sums.has(key) ? 0 : 1), 0))
    // from here on nothing waits: results of other jobs are added before or after, never in between
    for (const [slot, key] of keys.entries()) {
      let sum = this.#sums.get(key)
      if (sum === undefined) this.#sums.set(key, (sum = this.#newSum(series[slot]!)))
      const slice = { from: slot * width, width, at: firstStep }
      addDiffs(sum.rowDiffs, rowDiffs, slice)
      if (sum.valueDiffs && valueDiffs) addDiffs(sum.valueDiffs, valueDiffs, slice)
    }
  }

  *series(): Iterable<Series | undefined> {
    for (const sum of this.#sums.values()) yield this.#series(sum)
  }

  async #makeRoom(newSeries: number): Promise<void> {
    const { stepCount } = this.#window
    const bytes = (stepCount + 1) * 8 * (this.#leaf.measure === 'bytes' ? 2 : 1) + SERIES_OVERHEAD_BYTES
    const total = this.#sums.size + newSeries
    if (total * bytes > this.#run.shareBytes) throw tooManySeries(total, this.#run.shareBytes)
    await this.#run.reserve(newSeries * bytes)
  }

  #newSum(labels: SeriesLabels): Sum {
    const size = this.#window.stepCount + 1
    const hasValues = this.#leaf.measure === 'bytes'
    return { labels, rowDiffs: new Float64Array(size), valueDiffs: hasValues ? new Float64Array(size) : undefined }
  }

  /** Adds up the differences; a step has a sample when an entry counts at it. */
  #series({ labels, rowDiffs, valueDiffs }: Sum): Series {
    const { stepCount } = this.#window
    const series = newSeries(labels, stepCount)
    const divisor = secondsOf(this.#leaf)
    let [rows, total] = [0, 0]
    for (let step = 0; step < stepCount; step++) {
      rows += rowDiffs[step]!
      total += (valueDiffs ?? rowDiffs)[step]!
      if (rows === 0) continue
      series.present[step] = 1
      series.values[step] = total / divisor
    }
    return series
  }
}

/** What the value of a window is divided by. */
export function secondsOf({ perSecond, rangeNs }: MetricLeaf): number {
  return perSecond ? Number(rangeNs) / 1e9 : 1
}

type Slice = { readonly from: number; readonly width: number; readonly at: number }

function addDiffs(target: Float64Array, diffs: Float64Array, { from, width, at }: Slice): void {
  for (let i = 0; i < width; i++) target[at + i]! += diffs[from + i]!
}

class CellTotals implements LeafTotals {
  readonly #run: TotalsRun
  readonly #leaf: MetricLeaf
  readonly #segments: Segments
  readonly #merger: Merger
  /** For each series 1 + the cell of each segment, or 0. */
  readonly #directory = new Map<string, { readonly labels: SeriesLabels; readonly cells: Int32Array }>()
  #cellCount = 0
  #sampleBytes = 0

  constructor(run: TotalsRun, leaf: MetricLeaf, window: StepWindow) {
    this.#run = run
    this.#leaf = leaf
    this.#segments = new Segments(window)
    this.#merger = defined(rangeFolds.get(leaf.op), `the range function ${leaf.op}`).merge(leaf.parameter)
  }

  get isApproximate(): boolean {
    return this.#merger.isApproximate
  }

  async add(samples: SamplesResult): Promise<void> {
    const result = samples as CellsResult
    const keys = result.series.map(labelsKey)
    await this.#makeRoom(result, keys)
    // from here on nothing waits: results of other jobs are added before or after, never in between
    const directories = keys.map((key, slot) => this.#cellsOf(key, result.series[slot]!))
    const cells = new Uint32Array(result.slots.length)
    for (let i = 0; i < cells.length; i++) {
      const directory = directories[result.slots[i]!]!
      const segment = result.segments[i]!
      if (directory[segment] === 0) directory[segment] = ++this.#cellCount
      cells[i] = directory[segment]! - 1
    }
    this.#merger.absorb(result.cells, cells)
  }

  *series(): Iterable<Series | undefined> {
    const windows = this.#segments.windows()
    const seconds = secondsOf(this.#leaf)
    for (const { labels, cells } of this.#directory.values()) {
      const series = newSeries(labels, windows.stepCount)
      for (const _ of this.#merger.evaluate(cells, windows, series)) yield undefined
      if (seconds !== 1) for (let step = 0; step < windows.stepCount; step++) series.values[step]! /= seconds
      yield series
    }
  }

  async #makeRoom(result: CellsResult, keys: readonly string[]): Promise<void> {
    const { shareBytes } = this.#run
    // the series of the answer stand beside the directory in the end
    const seriesBytes = this.#segments.count * (4 + 9) + SERIES_OVERHEAD_BYTES
    const newSeries = keys.reduce((count, key) => count + (this.#directory.has(key) ? 0 : 1), 0)
    const total = this.#directory.size + newSeries
    const newCells = result.slots.length
    const sampleBytes = this.#merger.costOf(result.cells, newCells)
    if (total * seriesBytes > shareBytes) throw tooManySeries(total, shareBytes)
    if (this.#sampleBytes + sampleBytes > shareBytes) throw tooManySamples(this.#leaf.op, shareBytes)
    this.#sampleBytes += sampleBytes
    await this.#run.reserve(newSeries * seriesBytes + sampleBytes)
  }

  #cellsOf(key: string, labels: SeriesLabels): Int32Array {
    let entry = this.#directory.get(key)
    if (entry === undefined) this.#directory.set(key, (entry = { labels, cells: new Int32Array(this.#segments.count) }))
    return entry.cells
  }
}

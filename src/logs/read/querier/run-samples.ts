/** Runs the leaves of a metric query: scans entries into differences per series and adds them up over all jobs. */
import { dayStartNs, type TimeRange } from '#/logs/model/day.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import type { SamplesResult, SampleTask, ScanJob } from '#/logs/read/scan/scan-job.ts'
import { tooManySeries } from '#/logs/read/scan/series-table.ts'
import { StepGrid } from '#/logs/read/scan/step-grid.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import { labelsKey, type SeriesLabels } from '#/series/labels.ts'
import { newSeries, type Series, type SeriesSet } from '#/series/series-set.ts'
import { countScan } from './count-scan.ts'
import { isTiny, prepareDay, readBatch, takeBatch, type DayScan, type PageBatch } from './day-scan.ts'
import { labelMatchers } from './label-matchers.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import { narrowView, type View } from './view.ts'

/** Labels, key and objects of a series, estimated. */
const SERIES_OVERHEAD_BYTES = 512

/** Evaluation times: startNs, startNs + stepNs, …, `stepCount` of them. */
export type Steps = { readonly startNs: bigint; readonly stepNs: bigint; readonly stepCount: number }

export type LeafQuery = {
  readonly text: string
  readonly position: number
  readonly leaf: MetricLeaf
  readonly steps: Steps
}

/** Times at which entries can count in any step of a leaf. */
export function leafRange({ offsetNs, rangeNs }: MetricLeaf, { startNs, stepNs, stepCount }: Steps): TimeRange {
  const lastNs = startNs + BigInt(stepCount - 1) * stepNs
  // windows exclude their start and include their end
  return { startNs: startNs - offsetNs - rangeNs + 1n, endNs: lastNs - offsetNs + 1n }
}

export function runLeaf(run: QueryRun, view: View, query: LeafQuery): Promise<SeriesSet> {
  return new LeafRun(run, query).find(view)
}

type LeafJob = { readonly scan: DayScan; readonly batch: PageBatch }
type Sum = {
  readonly labels: SeriesLabels
  readonly rowDiffs: Float64Array
  readonly valueDiffs: Float64Array | undefined
}

class LeafRun {
  readonly #run: QueryRun
  readonly #query: LeafQuery
  readonly #key: string
  readonly #pipeline: Pipeline
  readonly #sums = new Map<string, Sum>()

  constructor(run: QueryRun, query: LeafQuery) {
    this.#run = run
    this.#query = query
    this.#key = `leaf ${query.position} ${query.text}`
    this.#pipeline = pipelineOf(this.#key, query.leaf.stages, query.leaf.needed)
  }

  async find(view: View): Promise<SeriesSet> {
    const { concurrency } = this.#run
    await runBounded(
      this.#jobs(view),
      concurrency,
      (job) => this.#scan(job),
      (result) => this.#add(result),
    )
    return { stepCount: this.#query.steps.stepCount, series: [...this.#sums.values()].map((sum) => this.#series(sum)) }
  }

  async *#jobs(view: View): AsyncGenerator<LeafJob> {
    const { leaf, steps } = this.#query
    const matchers = labelMatchers(leaf.matchers)
    const range = leafRange(leaf, steps)
    for (const dayView of narrowView(view, range)) {
      const grid = new StepGrid(this.#window(), dayView.day)
      if (!counts(grid, 0, Number(dayStartNs(1) - 1n))) continue
      const scan = await prepareDay(this.#run, dayView, { matchers, range })
      // Between windows that do not touch there are pages that no step sees.
      const pages = scan?.pages.filter(({ minTime, maxTime }) => counts(grid, minTime, maxTime)) ?? []
      const totalBytes = pages.reduce((sum, { lineBytes }) => sum + lineBytes, 0)
      const share = totalBytes / (this.#run.concurrency * 2)
      const { firstBytes, maxBytes } = this.#run.sampleJobSizes
      const most = { lineBytes: Math.min(Math.max(share, firstBytes), maxBytes), readBytes: this.#run.maxReadBytes }
      for (let at = 0; scan !== undefined && at < pages.length;) {
        const batch = takeBatch(pages, at, most)
        at += batch.pages.length
        yield { scan, batch }
      }
    }
  }

  async #scan({ scan, batch }: LeafJob): Promise<SamplesResult> {
    const run = this.#run
    const { stages, needed } = this.#query.leaf
    const columns = this.#columns()
    const bytes = batch.sizeBytes
    await run.reserve(bytes)
    const memory = run.buffers.lease()
    try {
      const { day, from, to } = scan
      const parts = await readBatch(run, scan, batch, { columns, memory })
      const task = this.#task()
      const job: ScanJob = { kind: 'scan', key: this.#key, stages, needed, day, from, to, parts, task }
      const result = await run.runJob(job, isTiny(batch))
      if (result.kind !== 'samples') throw new TypeError(`a job for samples answered ${result.kind}`)
      countScan(run.stats, batch, result.counts)
      return result
    } finally {
      run.release(bytes)
      memory.release()
    }
  }

  #window(): Pick<SampleTask, 'startNs' | 'stepNs' | 'stepCount' | 'rangeNs'> {
    const { leaf, steps } = this.#query
    return {
      startNs: steps.startNs - leaf.offsetNs,
      stepNs: steps.stepNs,
      stepCount: steps.stepCount,
      rangeNs: leaf.rangeNs,
    }
  }

  #task(): SampleTask {
    const { measure, grouping, preserveErrors } = this.#query.leaf
    return {
      kind: 'samples',
      measure,
      grouping,
      preserveErrors,
      ...this.#window(),
      maxBytes: Math.floor(this.#run.shareBytes / this.#run.concurrency),
    }
  }

  /** Columns that the scan may need: counting reads no line. Lengths are small, and decoded only when somebody asks. */
  #columns(): PageColumns {
    const { grouping } = this.#query.leaf
    const { readsLines, readsMeta } = this.#pipeline

    if (readsMeta === 'all' || grouping.kind === 'without') return { lengths: true, lines: readsLines, meta: 'all' }
    const names = new Set([...readsMeta, '__error__', '__error_details__'])
    // metadata in conflict with a label of the stream is seen as `<name>_extracted`
    for (const name of grouping.labels) names.add(name).add(name.replace(/_extracted$/, ''))
    return { lengths: true, lines: readsLines, meta: [...names] }
  }

  async #add(result: SamplesResult): Promise<void> {
    const { series, firstStep, width, rowDiffs, valueDiffs } = result
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

  async #makeRoom(newSeries: number): Promise<void> {
    const { stepCount } = this.#query.steps
    const bytes = (stepCount + 1) * 8 * (this.#query.leaf.measure === 'bytes' ? 2 : 1) + SERIES_OVERHEAD_BYTES
    const total = this.#sums.size + newSeries
    if (total * bytes > this.#run.shareBytes) throw tooManySeries(total, this.#run.shareBytes)
    await this.#run.reserve(newSeries * bytes)
  }

  #newSum(labels: SeriesLabels): Sum {
    const size = this.#query.steps.stepCount + 1
    const hasValues = this.#query.leaf.measure === 'bytes'
    return { labels, rowDiffs: new Float64Array(size), valueDiffs: hasValues ? new Float64Array(size) : undefined }
  }

  /** Adds up the differences; a step has a sample when an entry counts at it. */
  #series({ labels, rowDiffs, valueDiffs }: Sum): Series {
    const { leaf, steps } = this.#query
    const series = newSeries(labels, steps.stepCount)
    const divisor = leaf.perSecond ? Number(leaf.rangeNs) / 1e9 : 1
    let [rows, total] = [0, 0]
    for (let step = 0; step < steps.stepCount; step++) {
      rows += rowDiffs[step]!
      total += (valueDiffs ?? rowDiffs)[step]!
      if (rows === 0) continue
      series.present[step] = 1
      series.values[step] = total / divisor
    }
    return series
  }
}

function counts(grid: StepGrid, minTime: number, maxTime: number): boolean {
  const { first, last } = grid.stepsOf(minTime, maxTime)
  return first < last
}

type Slice = { readonly from: number; readonly width: number; readonly at: number }

function addDiffs(target: Float64Array, diffs: Float64Array, { from, width, at }: Slice): void {
  for (let i = 0; i < width; i++) target[at + i]! += diffs[from + i]!
}

/** Runs the leaves of a metric query: scans entries into samples of series and puts together what all jobs found. */
import { dayStartNs, type TimeRange } from '#/logs/model/day.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import { sampleLeaf, type SamplesResult, type SampleTask } from '#/logs/read/scan/scan-job.ts'
import { MAX_EXACT_VALUES } from '#/logs/read/scan/range/distinct.ts'
import { rangeFolds } from '#/logs/read/scan/range/index.ts'
import { StepGrid, type StepWindow } from '#/logs/read/scan/step-grid.ts'
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import { sortedByLabels, type Series, type SeriesSet } from '#/series/series-set.ts'
import { prepareDay, takeBatch, type DayScan, type PageBatch } from './day-scan.ts'
import { streamMatchers } from './label-matchers.ts'
import { leafColumns } from './leaf-columns.ts'
import { leafTotals, type LeafTotals } from './leaf-totals.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import { scanBatch } from './scan-batch.ts'
import { narrowView, type View } from './view.ts'

/** After so much time of making series other work gets its turn. */
const MAX_BUSY_MS = 20

const approximateCounts = `count_distinct_over_time found more than ${MAX_EXACT_VALUES} different values in a window: counts beyond that are estimates, with a standard error of 0.4 %`

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

class LeafRun {
  readonly #run: QueryRun
  readonly #query: LeafQuery
  readonly #key: string
  readonly #pipeline: Pipeline
  readonly #totals: LeafTotals

  constructor(run: QueryRun, query: LeafQuery) {
    this.#run = run
    this.#query = query
    this.#key = `leaf ${query.position} ${query.text}`
    this.#pipeline = pipelineOf(this.#key, query.leaf.stages, query.leaf.needed)
    this.#totals = leafTotals(run, query.leaf, this.#window())
  }

  async find(view: View): Promise<SeriesSet> {
    const { concurrency } = this.#run
    await runBounded(
      this.#jobs(view),
      concurrency,
      (job) => this.#scan(job),
      (result) => this.#totals.add(result),
    )
    const series = await this.#series()
    if (this.#totals.isApproximate) this.#run.warn(approximateCounts)
    return { stepCount: this.#query.steps.stepCount, series }
  }

  /** Ordered by labels: sums of floats behind this do not depend on which job ended first. */
  async #series(): Promise<readonly Series[]> {
    const { clock, signal } = this.#run
    const all: Series[] = []
    let startMs = clock.monotonicMs()
    for (const series of this.#totals.series()) {
      if (series !== undefined) all.push(series)
      if (clock.monotonicMs() - startMs < MAX_BUSY_MS) continue
      await clock.sleep(0, signal)
      startMs = clock.monotonicMs()
    }
    return sortedByLabels(all)
  }

  async *#jobs(view: View): AsyncGenerator<LeafJob> {
    const { leaf, steps } = this.#query
    const matchers = streamMatchers(leaf)
    const range = leafRange(leaf, steps)
    for (const dayView of narrowView(view, range)) {
      const grid = new StepGrid(this.#window(), dayView.day)
      if (!counts(grid, 0, Number(dayStartNs(1) - 1n))) continue
      const scan = await prepareDay(this.#run, dayView, { matchers, range })
      // Between windows that do not touch there are pages that no step sees.
      const pages = scan?.pages.filter(({ minTime, maxTime }) => counts(grid, minTime, maxTime)) ?? []
      const totalBytes = pages.reduce((sum, { lineBytes }) => sum + lineBytes, 0)
      const share = totalBytes / (this.#run.concurrency * 2)
      const { firstBytes, maxBytes } = this.#keepsSamples() ? this.#run.jobSizes : this.#run.sampleJobSizes
      const most = { lineBytes: Math.min(Math.max(share, firstBytes), maxBytes), readBytes: this.#run.maxReadBytes }
      for (let at = 0; scan !== undefined && at < pages.length;) {
        const batch = takeBatch(pages, at, most)
        at += batch.pages.length
        yield { scan, batch }
      }
    }
  }

  async #scan({ scan, batch }: LeafJob): Promise<SamplesResult> {
    const { leaf } = this.#query
    const result = await scanBatch(this.#run, scan, batch, {
      key: this.#key,
      stages: leaf.stages,
      needed: leaf.needed,
      task: this.#task(),
      columns: leafColumns(leaf, this.#pipeline),
      bytes: batch.sizeBytes,
    })
    if (result.kind !== 'samples' && result.kind !== 'cells')
      throw new TypeError(`a job for samples answered ${result.kind}`)
    return result
  }

  /** The samples of a job must fit into its memory, so it must not have too many of them. */
  #keepsSamples(): boolean {
    const { op, measure } = this.#query.leaf
    return (measure === 'value' || measure === 'label') && rangeFolds.get(op)?.keepsSamples === true
  }

  #window(): StepWindow {
    const { leaf, steps } = this.#query
    return {
      startNs: steps.startNs - leaf.offsetNs,
      stepNs: steps.stepNs,
      stepCount: steps.stepCount,
      rangeNs: leaf.rangeNs,
    }
  }

  #task(): SampleTask {
    return {
      kind: 'samples',
      leaf: sampleLeaf(this.#query.leaf),
      window: this.#window(),
      maxBytes: Math.floor(this.#run.shareBytes / this.#run.concurrency),
    }
  }
}

function counts(grid: StepGrid, minTime: number, maxTime: number): boolean {
  const { first, last } = grid.stepsOf(minTime, maxTime)
  return first < last
}

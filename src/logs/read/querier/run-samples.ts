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
import type { Extremes } from '#/series/top-k.ts'
import { prepareDay, type DayScan } from './day-scan.ts'
import { takeBatch, type BatchSizes, type PageBatch } from './page-batch.ts'
import { leafColumns } from './leaf-columns.ts'
import { IndexSamples } from './index-samples.ts'
import { LeafBlocks, type WholeBlock } from './leaf-blocks.ts'
import { isKeyedLeaf, KeyedLeafTotals, TooManyKeys, type KeyPart } from './keyed-totals.ts'
import { leafTotals, secondsOf, type LeafTotals } from './leaf-totals.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import { scanBatch } from './scan-batch.ts'
import type { SourcePage } from './source.ts'
import { narrowView, type View } from './view.ts'

/** After so much time of making series other work gets its turn. */
const MAX_BUSY_MS = 20

/** With too many series for one pass, the next try takes so many times as many passes. */
const MORE_PASSES = 3
const MAX_PASSES = 81
/** What a job needs for a row that is a series of its own, with values of some 40 bytes. */
const KEYED_ROW_BYTES = 96

const approximateCounts = `count_distinct_over_time found more than ${MAX_EXACT_VALUES} different values in a window: counts beyond that are estimates, with a standard error of 0.4 %`

/** Evaluation times: startNs, startNs + stepNs, …, `stepCount` of them. */
export type Steps = { readonly startNs: bigint; readonly stepNs: bigint; readonly stepCount: number }

export type LeafQuery = {
  readonly text: string
  readonly position: number
  readonly leaf: MetricLeaf
  readonly steps: Steps
  /** The series that an evaluation at one time has use for; undefined: all. */
  readonly keep?: Extremes | undefined
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

type LeafJob =
  | { readonly kind: 'scan'; readonly scan: DayScan; readonly batch: PageBatch; readonly block: WholeBlock | undefined }
  | { readonly kind: 'known'; readonly results: readonly SamplesResult[] }

class LeafRun {
  readonly #run: QueryRun
  readonly #query: LeafQuery
  readonly #key: string
  readonly #pipeline: Pipeline
  readonly #isKeyed: boolean
  readonly #blocks: LeafBlocks
  readonly #index: IndexSamples

  constructor(run: QueryRun, query: LeafQuery) {
    this.#run = run
    this.#query = query
    this.#key = `leaf ${query.position} ${query.text}`
    this.#pipeline = pipelineOf(this.#key, query.leaf.stages, query.leaf.needed)
    this.#isKeyed = isKeyedLeaf(query.leaf, query.steps.stepCount)
    this.#index = new IndexSamples(run, query.leaf, this.#pipeline, this.#window())
    this.#blocks = new LeafBlocks(run, query.leaf, this.#window())
  }

  async find(view: View): Promise<SeriesSet> {
    const { leaf, steps, keep } = this.#query
    const { stepCount } = steps
    if (!this.#isKeyed) return this.#findInto(view, leafTotals(this.#run, leaf, this.#window()))
    for (let count = 1; ; count *= MORE_PASSES) {
      const series: Series[] = []
      try {
        for (let index = 0; index < count; index++) series.push(...(await this.#findPart(view, { index, count })))
        return { stepCount, series: sortedByLabels(series) }
      } catch (error) {
        if (!(error instanceof TooManyKeys)) throw error
        if (keep === undefined || count * MORE_PASSES > MAX_PASSES) throw error.reason
      }
    }
  }

  /** The series of a part of all keys. */
  async #findPart(view: View, part: KeyPart): Promise<readonly Series[]> {
    const { leaf, keep } = this.#query
    const totals = new KeyedLeafTotals(this.#run, leaf, { keep, part, divisor: secondsOf(leaf) })
    try {
      return (await this.#findInto(view, totals)).series
    } finally {
      totals.release()
    }
  }

  async #findInto(view: View, totals: LeafTotals): Promise<SeriesSet> {
    const { concurrency } = this.#run
    await runBounded(
      this.#jobs(view),
      concurrency,
      async (job) => (job.kind === 'known' ? job.results : [await this.#scanJob(job)]),
      async (results) => {
        for (const result of results) await totals.add(result)
      },
    )
    const series = await this.#series(totals)
    if (totals.isApproximate) this.#run.warn(approximateCounts)
    return { stepCount: this.#query.steps.stepCount, series }
  }

  /** Ordered by labels: sums of floats behind this do not depend on which job ended first. */
  async #series(totals: LeafTotals): Promise<readonly Series[]> {
    const { clock, signal } = this.#run
    const all: Series[] = []
    let startMs = clock.monotonicMs()
    for (const series of totals.series()) {
      if (series !== undefined) all.push(series)
      if (clock.monotonicMs() - startMs < MAX_BUSY_MS) continue
      await clock.sleep(0, signal)
      startMs = clock.monotonicMs()
    }
    return sortedByLabels(all)
  }

  async *#jobs(view: View): AsyncGenerator<LeafJob> {
    const { leaf, steps } = this.#query
    const range = leafRange(leaf, steps)
    for (const dayView of narrowView(view, range)) {
      const grid = new StepGrid(this.#window(), dayView.day)
      if (!counts(grid, 0, Number(dayStartNs(1) - 1n))) continue
      const scan = await prepareDay(this.#run, dayView, { selection: leaf, range })
      // Between windows that do not touch there are pages that no step sees.
      const pages = scan?.pages.filter(({ minTime, maxTime }) => counts(grid, minTime, maxTime)) ?? []
      if (scan !== undefined) yield* this.#dayJobs(scan, pages)
    }
  }

  async *#dayJobs(scan: DayScan, pages: readonly SourcePage[]): AsyncGenerator<LeafJob> {
    const whole = this.#index.count(scan, pages, 'block')
    const { blocks, others: unread } = this.#blocks.divide(scan, whole.left)
    // what is kept of a block is found in all of its pages, so only the others may go one by one
    const single = this.#index.count(scan, unread, 'page')
    const others = single.left
    const results = [whole.result, single.result].filter((result) => result !== undefined)
    if (results.length > 0) yield { kind: 'known', results }
    const most = this.#batchSizes([...blocks.filter(({ isKnown }) => !isKnown).flatMap((one) => one.pages), ...others])
    for (const block of blocks) {
      if (block.isKnown) {
        this.#run.progress.read(block.pages)
        yield { kind: 'known', results: block.known() }
        continue
      }
      const batches = [...batchesOf(block.pages, most)]
      block.begin(batches.length)
      for (const batch of batches) yield { kind: 'scan', scan, batch, block }
    }
    for (const batch of batchesOf(others, most)) yield { kind: 'scan', scan, batch, block: undefined }
  }

  #batchSizes(pages: readonly SourcePage[]): BatchSizes {
    const totalBytes = pages.reduce((sum, { lineBytes }) => sum + lineBytes, 0)
    const share = totalBytes / (this.#run.concurrency * 2)
    const { firstBytes, maxBytes } = this.#keepsSamples() ? this.#run.jobSizes : this.#run.sampleJobSizes
    const lineBytes = Math.min(Math.max(share, firstBytes), maxBytes)
    const sizes = { lineBytes, readBytes: this.#run.maxReadBytes }
    return this.#isKeyed ? { ...sizes, rows: Math.floor(this.#jobBytes / KEYED_ROW_BYTES) } : sizes
  }

  #scanJob({ scan, batch, block }: LeafJob & { readonly kind: 'scan' }): Promise<SamplesResult> {
    const run = (range: DayScan, window: StepWindow | undefined): Promise<SamplesResult> =>
      this.#scan(range, batch, this.#task(window))
    return block === undefined ? run(scan, undefined) : block.find(run)
  }

  async #scan(scan: DayScan, batch: PageBatch, task: SampleTask): Promise<SamplesResult> {
    const { leaf } = this.#query
    const result = await scanBatch(this.#run, scan, batch, {
      key: this.#key,
      stages: leaf.stages,
      needed: leaf.needed,
      task,
      columns: leafColumns(leaf, this.#pipeline),
      bytes: batch.sizeBytes,
    })
    if (result.kind !== 'samples' && result.kind !== 'cells')
      throw new TypeError(`a job for samples answered ${result.kind}`)
    return result
  }

  /** What the series of a job may take. */
  get #jobBytes(): number {
    return Math.floor(this.#run.shareBytes / this.#run.concurrency)
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

  /** `window` belongs to a block; undefined: that of the query. */
  #task(window: StepWindow | undefined): SampleTask {
    return {
      kind: 'samples',
      leaf: sampleLeaf(this.#query.leaf),
      window: window ?? this.#window(),
      isKeyed: window === undefined && this.#isKeyed,
      maxBytes: this.#jobBytes,
    }
  }
}

function* batchesOf(pages: readonly SourcePage[], most: BatchSizes): Iterable<PageBatch> {
  for (let at = 0; at < pages.length;) {
    const batch = takeBatch(pages, at, most)
    at += batch.pages.length
    yield batch
  }
}

function counts(grid: StepGrid, minTime: number, maxTime: number): boolean {
  const { first, last } = grid.stepsOf(minTime, maxTime)
  return first < last
}

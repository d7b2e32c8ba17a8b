/** Runs the leaves of a metric query: scans entries into samples of series and puts together what all jobs found. */
import { BadRequest, throwIfAborted } from '#/kernel/errors.ts'
import { dayStartNs, type TimeRange } from '#/logs/model/day.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import type { KeySketch } from '#/logs/read/scan/key-sketch.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import { sampleLeaf, type SamplesResult, type SampleTask, type ScanResult } from '#/logs/read/scan/scan-job.ts'
import { MAX_EXACT_VALUES } from '#/logs/read/scan/range/distinct.ts'
import { rangeFolds } from '#/logs/read/scan/range/index.ts'
import { StepGrid, type StepWindow } from '#/logs/read/scan/step-grid.ts'
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import { sortedByLabels, type Series, type SeriesSet } from '#/series/series-set.ts'
import type { Extremes } from '#/series/top-k.ts'
import { prepareDay, type DayScan } from './day-scan.ts'
import { takeBatch, type BatchSizes, type PageBatch } from './page-batch.ts'
import { leafColumns, leafLabels } from './leaf-columns.ts'
import { IndexSamples } from './index-samples.ts'
import { LeafBlocks, type WholeBlock } from './leaf-blocks.ts'
import { isKeyedLeaf, KeyedLeafTotals, TooManyKeys, type KeyPart } from './keyed-totals.ts'
import { leafTotals, secondsOf, type LeafTotals } from './leaf-totals.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import { scanBatch, scanBatches, type BatchJob } from './scan-batch.ts'
import { groupPages, type ScanUnit } from './scan-groups.ts'
import type { SourcePage } from './source.ts'
import { spreadOut } from './spread-out.ts'
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
  | { readonly kind: 'group'; readonly scan: DayScan; readonly units: readonly ScanUnit[] }
  | { readonly kind: 'scan'; readonly scan: DayScan; readonly batch: PageBatch; readonly block: WholeBlock | undefined }
  | { readonly kind: 'known'; readonly results: readonly SamplesResult[] }

class LeafRun {
  readonly #run: QueryRun
  readonly #query: LeafQuery
  readonly #key: string
  readonly #pipeline: Pipeline
  readonly #isKeyed: boolean
  /** The totals of the pass that runs, where they are by key. */
  #keyed: KeyedLeafTotals | undefined
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
    const memory = this.#run.buffers.lease()
    const takeMemory = part.count === 1 ? (bytes: number) => memory.take(bytes) : undefined
    const totals = new KeyedLeafTotals(this.#run, leaf, { keep, part, divisor: secondsOf(leaf), takeMemory })
    this.#keyed = totals
    try {
      do await this.#addJobs(view, totals)
      while (totals.asksAgain())
      return await this.#series(totals)
    } finally {
      totals.release()
      memory.release()
      this.#keyed = undefined
    }
  }

  async #findInto(view: View, totals: LeafTotals): Promise<SeriesSet> {
    await this.#addJobs(view, totals)
    const series = await this.#series(totals)
    if (totals.isApproximate) this.#run.warn(approximateCounts)
    return { stepCount: this.#query.steps.stepCount, series }
  }

  async #addJobs(view: View, totals: LeafTotals): Promise<void> {
    const { concurrency } = this.#run
    await runBounded(
      this.#jobs(view),
      concurrency,
      (job) => this.#resultsOf(job),
      async (results) => {
        for (const result of results) await totals.add(result)
      },
    )
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
      const labelNames = leafLabels(leaf, this.#pipeline)
      const scan = await prepareDay(this.#run, dayView, { selection: leaf, range, labelNames })
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
    // what the first jobs find of very many keys should tell about all of them
    const queue = this.#isKeyed ? spreadOut(blocks) : blocks
    const most = this.#batchSizes([...queue.filter(({ isKnown }) => !isKnown).flatMap((one) => one.pages), ...others])
    for (const [i, block] of queue.entries()) {
      if (this.#isGrouped) return yield* this.#groupJobs(scan, queue.slice(i), others)
      if (block.isKnown) {
        yield this.#knownJob(block)
        continue
      }
      const batches = [...batchesOf(block.pages, most)]
      block.begin(batches.length)
      for (const batch of batches) yield { kind: 'scan', scan, batch, block }
    }
    if (this.#isGrouped) return yield* this.#groupJobs(scan, [], others)
    const batches = [...batchesOf(others, most)]
    for (const batch of this.#isKeyed ? spreadOut(batches) : batches)
      yield { kind: 'scan', scan, batch, block: undefined }
  }

  *#groupJobs(scan: DayScan, blocks: readonly WholeBlock[], others: readonly SourcePage[]): Generator<LeafJob> {
    for (const block of blocks) if (block.isKnown) yield this.#knownJob(block)
    const unknown = blocks.filter(({ isKnown }) => !isKnown)
    const jobRows = this.#isKeyed ? this.#keyedRows : undefined
    const columns = leafColumns(this.#query.leaf, this.#pipeline)
    const groups = groupPages({ blocks: unknown, others, ...(jobRows && { jobRows }) }, columns, this.#run)
    for (const units of groups) yield { kind: 'group', scan, units }
  }

  #knownJob(block: WholeBlock): LeafJob {
    this.#run.progress.read(block.pages)
    return { kind: 'known', results: block.known() }
  }

  async #resultsOf(job: LeafJob): Promise<readonly SamplesResult[]> {
    if (job.kind === 'known') return job.results
    return job.kind === 'scan' ? [await this.#scanJob(job)] : this.#scanGroup(job)
  }

  /** Jobs that read small columns alone are posted together: to post one costs more than to count many rows. Keys must be few. */
  get #isGrouped(): boolean {
    const { measure } = this.#query.leaf
    const isCounted = !this.#pipeline.readsLines && (measure === 'rows' || measure === 'bytes')
    return isCounted && (!this.#isKeyed || this.#keyed?.isSketched === true)
  }

  async #scanGroup({ scan, units }: LeafJob & { readonly kind: 'group' }): Promise<readonly SamplesResult[]> {
    try {
      return await this.#scanUnits(scan, units)
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      throwIfAborted(this.#run.signal)
      // one by one each has all of the memory, and the window of the query where that of its block fails
      const results: SamplesResult[] = []
      for (const unit of units) results.push(await this.#scanJob({ kind: 'scan', scan, ...unit }))
      return results
    }
  }

  async #scanUnits(scan: DayScan, units: readonly ScanUnit[]): Promise<readonly SamplesResult[]> {
    return this.#withSketch(async (sketch) => {
      const jobs = units.map(({ batch, block }) => {
        const { range, window } = block?.asked() ?? { range: scan, window: undefined }
        const task = this.#task(window, sketch)
        const job = this.#batchJob(batch, { ...task, maxBytes: Math.floor(task.maxBytes / units.length) })
        return { scan: range, batch, job }
      })
      const results = await scanBatches(this.#run, jobs)
      return results.map((result, i) => {
        const samples = samplesOf(result)
        return units[i]!.block?.accept(samples) ?? samples
      })
    })
  }

  #batchSizes(pages: readonly SourcePage[]): BatchSizes {
    const totalBytes = pages.reduce((sum, { lineBytes }) => sum + lineBytes, 0)
    const share = totalBytes / (this.#run.concurrency * 2)
    const { firstBytes, maxBytes } = this.#keepsSamples() ? this.#run.jobSizes : this.#run.sampleJobSizes
    const lineBytes = Math.min(Math.max(share, firstBytes), maxBytes)
    const sizes = { lineBytes, readBytes: this.#run.maxReadBytes }
    return this.#isKeyed ? { ...sizes, rows: this.#keyedRows } : sizes
  }

  #scanJob({ scan, batch, block }: LeafJob & { readonly kind: 'scan' }): Promise<SamplesResult> {
    const run = (range: DayScan, window: StepWindow | undefined): Promise<SamplesResult> =>
      this.#withSketch((sketch) => this.#scan(range, batch, this.#task(window, sketch)))
    return block === undefined ? run(scan, undefined) : block.find(run)
  }

  /** What runs one after the other may count in one sketch. */
  async #withSketch<T>(scan: (sketch: KeySketch | undefined) => Promise<T>): Promise<T> {
    const keyed = this.#keyed
    const sketch = keyed?.borrowSketch()
    try {
      return await scan(sketch)
    } finally {
      if (sketch !== undefined) keyed?.giveBackSketch(sketch)
    }
  }

  async #scan(scan: DayScan, batch: PageBatch, task: SampleTask): Promise<SamplesResult> {
    return samplesOf(await scanBatch(this.#run, scan, batch, this.#batchJob(batch, task)))
  }

  #batchJob(batch: PageBatch, task: SampleTask): BatchJob {
    const { stages, needed } = this.#query.leaf
    const columns = leafColumns(this.#query.leaf, this.#pipeline)
    return { key: this.#key, stages, needed, task, columns, bytes: batch.sizeBytes }
  }

  /** Rows of a job that may all be of other series. */
  get #keyedRows(): number {
    return Math.floor(this.#jobBytes / KEYED_ROW_BYTES)
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
  #task(window: StepWindow | undefined, sketch: KeySketch | undefined): SampleTask {
    return {
      kind: 'samples',
      leaf: sampleLeaf(this.#query.leaf),
      window: window ?? this.#window(),
      isKeyed: window === undefined && this.#isKeyed,
      sketch: window === undefined ? sketch : undefined,
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

function samplesOf(result: ScanResult): SamplesResult {
  if (result.kind === 'samples' || result.kind === 'cells') return result
  throw new TypeError(`a job for samples answered ${result.kind}`)
}

function counts(grid: StepGrid, minTime: number, maxTime: number): boolean {
  const { first, last } = grid.stepsOf(minTime, maxTime)
  return first < last
}

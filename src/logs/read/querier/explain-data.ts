/** What a selection would read, from the indexes of heads and blocks and from the filters of blocks. */
import { throwIfAborted } from '#/kernel/errors.ts'
import type { StagePlan } from '#/logs/logql/planner/explained.ts'
import { noConditions } from '#/logs/logql/planner/page-conditions.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import { LINE_DECODE_SPEED, ROWS_PER_SECOND } from '#/logs/logql/planner/stage-cost.ts'
import { clipToDay, type TimeRange } from '#/logs/model/day.ts'
import { StepGrid, type StepWindow } from '#/logs/read/scan/step-grid.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import type { DataPlan, Pruning } from '#/logs/wire/explain.ts'
import type { LabelMatcher } from '#/storage/index/label-index.ts'
import { groupPages } from './scan-groups.ts'
import { firstLineBytes, takeBatch } from './page-batch.ts'
import { streamMatchers } from '#/logs/logql/planner/label-matchers.ts'
import { prunePages, type SelectedPages } from './prune-pages.ts'
import type { QueryRun } from './query-run.ts'
import { selectPages, type Source, type SourcePage } from './source.ts'
import { narrowView, openDay, type DayView, type View } from './view.ts'

export type DataQuery = {
  readonly selection: Selection
  readonly stages: readonly StagePlan[]
  readonly range: TimeRange
  readonly columns: PageColumns
  /** Evaluation times of a metric query, less the offset. */
  readonly window: StepWindow | undefined
}

type Counts = { -readonly [K in keyof Pruning]: Pruning[K] }
const noCounts = (): Counts => ({ total: 0, outsideTime: 0, withoutStreams: 0, withoutMatch: 0, read: 0 })

export function explainData(run: QueryRun, view: View, query: DataQuery): Promise<DataPlan> {
  return new DataCount(run, query).count(view)
}

class DataCount {
  readonly #run: QueryRun
  readonly #query: DataQuery
  readonly #matchers: readonly LabelMatcher[]
  readonly #blocks = noCounts()
  readonly #pages = noCounts()
  readonly #streams = new Set<string>()
  #heads = 0
  #betweenWindows = 0
  #rows = 0
  #lineBytes = 0
  #compressedBytes = 0
  #jobs = 0
  /** Bytes that the next job of a log query may take. */
  #nextJobBytes: number

  constructor(run: QueryRun, query: DataQuery) {
    this.#run = run
    this.#query = query
    this.#matchers = streamMatchers(query.selection)
    this.#nextJobBytes = firstLineBytes(run.jobSizes, query.selection.stages.length > 0)
  }

  async count(view: View): Promise<DataPlan> {
    const days = narrowView(view, this.#query.range)
    const blocksOf = (some: View): number => some.reduce((sum, { blocks }) => sum + blocks.length, 0)
    this.#blocks.total = blocksOf(view)
    this.#blocks.outsideTime = blocksOf(view) - blocksOf(days)
    for (const day of days) await this.#countDay(day)
    return {
      days: days.length,
      heads: this.#heads,
      blocks: this.#blocks,
      streams: this.#streams.size,
      pages: { ...this.#pages, betweenWindows: this.#betweenWindows },
      rows: this.#rows,
      lineBytes: this.#lineBytes,
      compressedBytes: this.#compressedBytes,
      jobs: this.#jobs,
      cpuSeconds: this.#cpuSeconds(),
    }
  }

  async #countDay(view: DayView): Promise<void> {
    const { from, to } = clipToDay(this.#query.range, view.day)
    const sources = await openDay(this.#run, view, { from, to, selectors: [this.#matchers] })
    throwIfAborted(this.#run.signal)
    const selected = sources
      .map((source) => this.#selectPages(source, { from, to }))
      .filter(({ pages }) => pages.length > 0)
    const left = await prunePages(this.#run, selected, this.#query.selection.pageConditions ?? noConditions)
    this.#countPruned(selected, left)
    const pages = this.#insideWindows(left, view)
    this.#pages.read += pages.length
    for (const { rowCount, lineBytes, sizeBytes } of pages) {
      this.#rows += rowCount
      this.#lineBytes += lineBytes
      this.#compressedBytes += sizeBytes
    }
    this.#countJobs(pages)
  }

  #selectPages(source: Source, times: { readonly from: number; readonly to: number }): SelectedPages {
    const { from, to } = times
    const { index, data, pages } = source
    const ordinals = index.match(this.#matchers)
    const inTime = pages.filter(({ minTime, maxTime }) => minTime < to && maxTime >= from)
    const all = ordinals.length === index.count
    const selected = ordinals.length === 0 ? [] : selectPages(source, all ? undefined : ordinals, times)
    this.#pages.total += pages.length
    this.#pages.outsideTime += pages.length - inTime.length
    this.#pages.withoutStreams += inTime.length - selected.length
    if (data.kind === 'head') this.#heads++
    else if (inTime.length === 0) this.#blocks.outsideTime++
    else if (selected.length === 0) this.#blocks.withoutStreams++
    if (selected.length > 0) for (const ordinal of ordinals) this.#streams.add(index.text(ordinal))
    return { source, ordinals: all ? undefined : ordinals, pages: selected }
  }

  #countPruned(selected: readonly SelectedPages[], left: readonly SelectedPages[]): void {
    this.#pages.withoutMatch += pageCount(selected) - pageCount(left)
    this.#blocks.read += left.filter(isBlock).length
    this.#blocks.withoutMatch += selected.filter(isBlock).length - left.filter(isBlock).length
  }

  /** Between windows that do not touch there are pages that no step sees. */
  #insideWindows(left: readonly SelectedPages[], { day }: DayView): readonly SourcePage[] {
    const { window } = this.#query
    const pages = left.flatMap((one) => one.pages)
    if (window === undefined) return pages
    const grid = new StepGrid(window, day)
    const inside = pages.filter(({ minTime, maxTime }) => {
      const { first, last } = grid.stepsOf(minTime, maxTime)
      return first < last
    })
    this.#betweenWindows += pages.length - inside.length
    return inside
  }

  /** As the runs of log and metric queries cut them. */
  #countJobs(pages: readonly SourcePage[]): void {
    const { jobSizes, sampleJobSizes, maxReadBytes, concurrency } = this.#run
    const { window, columns } = this.#query
    const isMetric = window !== undefined
    if (isMetric && !columns.lines) {
      this.#jobs += groupPages({ blocks: [], others: pages }, columns, this.#run).length
      return
    }
    const share = pages.reduce((sum, { lineBytes }) => sum + lineBytes, 0) / (concurrency * 2)
    for (let at = 0; at < pages.length; this.#jobs++) {
      const lineBytes = isMetric
        ? Math.min(Math.max(share, sampleJobSizes.firstBytes), sampleJobSizes.maxBytes)
        : this.#nextJobBytes
      at += takeBatch(pages, at, { lineBytes, readBytes: maxReadBytes }).pages.length
      this.#nextJobBytes = Math.min(this.#nextJobBytes * 2, jobSizes.maxBytes)
    }
  }

  #cpuSeconds(): DataPlan['cpuSeconds'] {
    const { stages, columns } = this.#query
    const megabytes = this.#lineBytes / 1e6
    const compressedShare = this.#compressedBytes > 0 ? 1 : 0
    const decode = columns.lines ? (megabytes * compressedShare) / LINE_DECODE_SPEED : 0
    const seconds = ({ megabytesPerSecond }: StagePlan): number => megabytes / megabytesPerSecond
    const [first] = stages
    const start = decode + this.#rows / ROWS_PER_SECOND
    const least =
      start + (first?.over === 'page' ? seconds(first) : stages.reduce((sum, stage) => sum + seconds(stage), 0))
    const most = start + stages.reduce((sum, stage) => sum + seconds(stage), 0)
    return { least: rounded(least), most: rounded(most) }
  }
}

function pageCount(selected: readonly SelectedPages[]): number {
  return selected.reduce((sum, { pages }) => sum + pages.length, 0)
}

function isBlock({ source }: SelectedPages): boolean {
  return source.data.kind === 'block'
}

/** Estimates have two digits. */
function rounded(seconds: number): number {
  return Number(seconds.toPrecision(2))
}

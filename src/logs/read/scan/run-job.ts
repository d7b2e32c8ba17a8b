/**
 * Runs one job: page by page, first the columns that select rows, then the filters that work on whole pages, then the stages on
 * the rows that are left. Runs in worker threads; small jobs run on the main thread.
 */
import { unreachable } from '#/kernel/assert.ts'
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { openHeadPage } from '#/logs/store/head-page.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { readFileRanges } from '#/platform/objstore/read-file.ts'
import { countPatterns } from './count-patterns.ts'
import { divideSizes } from './divide-sizes.ts'
import { pageMayPass, selectPassing } from './filter-applies.ts'
import { findDuplicates } from './find-duplicates.ts'
import { countLeftover } from './leftover.ts'
import { MaskSink } from './mask-sink.ts'
import { pipelineOf } from './pipeline-cache.ts'
import { RowSink } from './row-sink.ts'
import { SampleSink } from './sample-sink.ts'
import type {
  DuplicatesJob,
  DuplicatesResult,
  ScanCounts,
  ScanJob,
  ScanPage,
  ScanPart,
  ScanResult,
  WorkerJob,
  WorkerResult,
} from './scan-job.ts'
import { selectByMeta } from './select-by-meta.ts'
import { selectRows } from './select-rows.ts'
import { StreamLabels } from './stream-labels.ts'
import { ValueSink } from './value-sink.ts'

/** Called between pages and every few thousand rows. @throws when nobody waits for the result any more. */
export type CheckCancelled = () => void

const ROWS_BETWEEN_CHECKS = 4096
/** More rows than any page has: a position among all rows of a day is page and row in one number. */
const MAX_PAGE_ROWS = 65_536

export function runJob(job: WorkerJob, check: CheckCancelled): WorkerResult {
  switch (job.kind) {
    case 'scan':
      return runScanJob(job, check)
    case 'group':
      return { kind: 'group', results: job.jobs.map((one) => runScanJob(one, check)) }
    case 'duplicates':
      return runDuplicatesJob(job, check)
    case 'sizes':
      return divideSizes(job, openPage, check)
    case 'patterns':
      return countPatterns(job, openPage, check)
    case 'leftover':
      return countLeftover(job, openPage, check)
    default:
      return unreachable(job)
  }
}

function runDuplicatesJob(job: DuplicatesJob, check: CheckCancelled): DuplicatesResult {
  return findDuplicates(job, openPage, check)
}

/** The page behind what was posted; columns are decoded when first used. */
export function openPage({ data }: ScanPage): LogPage {
  return data.kind === 'head' ? openHeadPage(data.columns) : decodeBlockPage(data.bytes)
}

export function runScanJob(job: ScanJob, check: CheckCancelled): ScanResult {
  for (const reads of job.reads ?? []) readFileRanges(reads)
  return new Scan(job, check).run()
}

function close(page: LogPage): void {
  if (page.close === undefined) page.release()
  else page.close()
}

function lineBytesOf(page: LogPage): number {
  return page.lineBytes ?? page.lineStart[page.rowCount]!
}

function makeSink(job: ScanJob): RowSink | SampleSink | ValueSink | MaskSink {
  const { task } = job
  switch (task.kind) {
    case 'rows':
      return new RowSink(task)
    case 'values':
      return new ValueSink(task)
    case 'samples':
      return new SampleSink(task, job)
    case 'mask':
      return new MaskSink()
    default:
      return unreachable(task)
  }
}

type SamplePage = {
  readonly page: LogPage
  readonly labels: StreamLabels
  readonly order: number
  readonly entry: PipelineEntry
}

class Scan {
  readonly #job: ScanJob
  readonly #check: CheckCancelled
  readonly #pipeline: Pipeline
  readonly #sink: RowSink | SampleSink | ValueSink | MaskSink
  readonly #counts: ScanCounts = { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0, filteredPages: 0 }
  #rows = new Uint32Array(0)
  #entry: PipelineEntry | undefined

  constructor(job: ScanJob, check: CheckCancelled) {
    this.#job = job
    this.#check = check
    this.#pipeline = pipelineOf(job.key, job.stages, job.needed)
    this.#pipeline.begin(job.nowNs, check)
    this.#sink = makeSink(job)
  }

  run(): ScanResult {
    try {
      return this.#scan()
    } finally {
      this.#pipeline.end()
    }
  }

  #scan(): ScanResult {
    for (const part of this.#job.parts) {
      const labels = new StreamLabels(part.labels)
      if (this.#sink instanceof SampleSink) this.#sink.beginPart(labels)
      for (const scanPage of part.pages) {
        this.#check()
        if (this.#sink instanceof ValueSink && this.#sink.isFull) return this.#sink.finish(this.#counts)
        const page = openPage(scanPage)
        this.#scanPage(page, part, scanPage, labels)
        if (!(this.#sink instanceof RowSink && this.#sink.keeps(scanPage.order))) close(page)
      }
    }
    if (!(this.#sink instanceof RowSink)) return this.#sink.finish(this.#counts)
    return this.#sink.finish(this.#pipeline, this.#job.day, this.#counts)
  }

  #scanPage(page: LogPage, { streams }: ScanPart, scanPage: ScanPage, labels: StreamLabels): void {
    const { from, to } = this.#job
    const { isInside, dropped } = scanPage
    const { pageFilters } = this.#pipeline
    const origin = { page, labels, streams }
    if (isInside && streams === undefined && dropped === undefined && !pageMayPass(pageFilters, origin)) {
      this.#counts.rows += page.rowCount
      this.#counts.lineBytes += lineBytesOf(page)
      this.#counts.filteredPages++
      return
    }
    if (this.#countColumns(page, scanPage, streams)) return
    if (this.#rows.length < page.rowCount) this.#rows = new Uint32Array(page.rowCount)
    let count = selectRows(page, { streams, from, to, isInside, dropped }, this.#rows)
    this.#countRows(page, count)
    for (const filter of this.#pipeline.metaFilters) count = selectByMeta(filter, origin, this.#rows, count)
    count = selectPassing(pageFilters, origin, this.#rows, count)
    if (count === 0) return
    const entry = this.#entryFor(page)
    const rows = this.#rows.subarray(0, count)
    // rows that pass as they are may be many more than those that are kept, and the sink knows which
    if (!this.#pipeline.isTrivial) page.chooseLines?.(this.#linesToRead(page, rows))
    if (this.#sink instanceof SampleSink) {
      this.#addSamples(this.#sink, { page, labels, order: scanPage.order, entry }, rows)
    } else {
      const from = { page, labels, order: scanPage.order, pipeline: this.#pipeline, entry }
      const passed = this.#sink.addPage(from, rows)
      this.#counts.passedRows += passed
      if (passed > 0) (this.#counts.passedPages ??= []).push(scanPage.order)
    }
  }

  /** What is handed out are lines; else only stages look at them. */
  #linesToRead(page: LogPage, rows: Uint32Array): Uint32Array {
    return this.#sink instanceof RowSink ? rows : this.#pipeline.linesToRead(page, rows)
  }

  /** Counts without looking at rows, where rows are all alike to the query; false when that cannot be. */
  #countColumns(page: LogPage, scanPage: ScanPage, streams: Uint8Array | undefined): boolean {
    const { isInside, minTime, maxTime, dropped } = scanPage
    if (!(this.#sink instanceof SampleSink) || !this.#pipeline.isTrivial) return false
    if (this.#pipeline.pageFilters.length > 0 || dropped !== undefined) return false
    const { from, to } = this.#job
    const count = this.#sink.addPage(page, { streams, from, to, isInside, minTime, maxTime })
    if (count === undefined) return false
    this.#counts.rows += count
    this.#counts.passedRows += count
    return true
  }

  #addSamples(sink: SampleSink, { page, labels, order, entry }: SamplePage, rows: Uint32Array): void {
    if (this.#pipeline.isTrivial && sink.addRows(page, rows, rows.length)) {
      this.#counts.passedRows += rows.length
      return
    }
    const firstPosition = order * MAX_PAGE_ROWS
    for (let i = 0; i < rows.length; i++) {
      if (i % ROWS_BETWEEN_CHECKS === 0) this.#check()
      entry.row = rows[i]!
      // what no window sees must cost nothing and cannot fail the query
      if (!sink.counts(page.time[entry.row]!)) continue
      entry.streamLabels = labels.of(page.stream[entry.row]!)
      const row = this.#pipeline.run(entry)
      if (row === undefined) continue
      this.#counts.passedRows++
      sink.addRow(row, firstPosition + entry.row)
    }
  }

  #entryFor(page: LogPage): PipelineEntry {
    this.#entry ??= { page, row: 0, day: this.#job.day, streamLabels: [] }
    this.#entry.page = page
    return this.#entry
  }

  #countRows(page: LogPage, count: number): void {
    this.#counts.rows += count
    // log queries hand out lines, also those that no stage looks at
    if (!this.#pipeline.readsLines && !(this.#sink instanceof RowSink)) return
    if (count === page.rowCount) {
      this.#counts.lineBytes += lineBytesOf(page)
      return
    }
    const { lineStart } = page
    for (let i = 0; i < count; i++)
      this.#counts.lineBytes += lineStart[this.#rows[i]! + 1]! - lineStart[this.#rows[i]!]!
  }
}

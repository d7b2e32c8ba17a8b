/**
 * Runs one job: page by page, first the columns that select rows, then the filters that work on whole pages, then the stages on
 * the rows that are left. Runs in worker threads; small jobs run on the main thread.
 */
import { unreachable } from '#/kernel/assert.ts'
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { openHeadPage } from '#/logs/store/head-page.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { findDuplicates } from './find-duplicates.ts'
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
import { selectRows } from './select-rows.ts'
import { StreamLabels } from './stream-labels.ts'

/** Called between pages and every few thousand rows. @throws when nobody waits for the result any more. */
export type CheckCancelled = () => void

const ROWS_BETWEEN_CHECKS = 4096

export function runJob(job: WorkerJob, check: CheckCancelled): WorkerResult {
  switch (job.kind) {
    case 'scan':
      return runScanJob(job, check)
    case 'duplicates':
      return runDuplicatesJob(job, check)
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
  return new Scan(job, check).run()
}

class Scan {
  readonly #job: ScanJob
  readonly #check: CheckCancelled
  readonly #pipeline: Pipeline
  readonly #sink: RowSink | SampleSink
  readonly #counts: ScanCounts = { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0 }
  #rows = new Uint32Array(0)
  #entry: PipelineEntry | undefined

  constructor(job: ScanJob, check: CheckCancelled) {
    this.#job = job
    this.#check = check
    this.#pipeline = pipelineOf(job.key, job.stages, job.needed)
    this.#sink = job.task.kind === 'rows' ? new RowSink(job.task) : new SampleSink(job.task, job)
  }

  run(): ScanResult {
    for (const part of this.#job.parts) {
      const labels = new StreamLabels(part.labels)
      if (this.#sink instanceof SampleSink) this.#sink.beginPart(labels)
      for (const scanPage of part.pages) {
        this.#check()
        const page = openPage(scanPage)
        this.#scanPage(page, part, scanPage, labels)
        if (!(this.#sink instanceof RowSink && this.#sink.keeps(scanPage.order))) page.release()
      }
    }
    if (this.#sink instanceof SampleSink) return this.#sink.finish(this.#counts)
    return this.#sink.finish(this.#pipeline, this.#job.day, this.#counts)
  }

  #scanPage(page: LogPage, { streams }: ScanPart, scanPage: ScanPage, labels: StreamLabels): void {
    const { from, to } = this.#job
    const { isInside, dropped } = scanPage
    if (isInside && streams === undefined && dropped === undefined && !this.#mayPass(page)) {
      this.#counts.rows += page.rowCount
      this.#counts.lineBytes += page.lines.length
      return
    }
    if (this.#rows.length < page.rowCount) this.#rows = new Uint32Array(page.rowCount)
    let count = selectRows(page, { streams, from, to, isInside, dropped }, this.#rows)
    this.#countRows(page, count)
    for (const filter of this.#pipeline.pageFilters) {
      if (count === 0) return
      count = filter.select(page.lines, page.lineStart, this.#rows, count)
    }
    if (count === 0) return
    const entry = this.#entryFor(page)
    const rows = this.#rows.subarray(0, count)
    if (this.#sink instanceof RowSink) {
      const from = { page, labels, order: scanPage.order, pipeline: this.#pipeline, entry }
      this.#counts.passedRows += this.#sink.addPage(from, rows)
    } else {
      this.#addSamples(this.#sink, page, rows, labels, entry)
    }
  }

  /** Whether the lines as a whole may hold one that passes; when not, no other column of the page is decoded. */
  #mayPass(page: LogPage): boolean {
    return this.#pipeline.pageFilters.every((filter) => filter.mayPass(page.lines))
  }

  #addSamples(sink: SampleSink, page: LogPage, rows: Uint32Array, labels: StreamLabels, entry: PipelineEntry): void {
    if (this.#pipeline.isTrivial && sink.addRows(page, rows, rows.length)) {
      this.#counts.passedRows += rows.length
      return
    }
    for (let i = 0; i < rows.length; i++) {
      if (i % ROWS_BETWEEN_CHECKS === 0) this.#check()
      entry.row = rows[i]!
      // what no window sees must cost nothing and cannot fail the query
      if (!sink.counts(page.time[entry.row]!)) continue
      entry.streamLabels = labels.of(page.stream[entry.row]!)
      const row = this.#pipeline.run(entry)
      if (row === undefined) continue
      this.#counts.passedRows++
      sink.addRow(row)
    }
  }

  #entryFor(page: LogPage): PipelineEntry {
    this.#entry ??= { page, row: 0, day: this.#job.day, streamLabels: [] }
    this.#entry.page = page
    return this.#entry
  }

  #countRows(page: LogPage, count: number): void {
    this.#counts.rows += count
    if (!this.#pipeline.readsLines) return
    const { lineStart } = page
    if (count === page.rowCount) {
      this.#counts.lineBytes += lineStart[count]!
      return
    }
    for (let i = 0; i < count; i++)
      this.#counts.lineBytes += lineStart[this.#rows[i]! + 1]! - lineStart[this.#rows[i]!]!
  }
}

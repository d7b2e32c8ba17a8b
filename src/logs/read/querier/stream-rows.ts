/**
 * Finds all rows of a log query in their order, and hands them out while it goes on: a row is handed out once no page that is not
 * read yet may have one that comes before it. Days follow one another; within a day pages are read in the order of their first
 * times.
 *
 * What waits is held within a part of the query's memory. Where more rows overlap in time than fit, those that come last are
 * dropped, and their pages are read again in a further pass that begins with the first row that was dropped. Each pass hands out at
 * least one row, so that it ends.
 */
import type { TimeRange } from '#/logs/model/day.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import { comparePlaces } from '#/logs/read/scan/row-place.ts'
import type { RowPlace, RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { Direction } from '#/logs/wire/query.ts'
import { prepareDay, type DayScan } from './day-scan.ts'
import { takeBatch, type PageBatch } from './page-batch.ts'
import { EmptyPages } from './empty-pages.ts'
import type { QueryRun } from './query-run.ts'
import { placeOf, RowRuns } from './row-runs.ts'
import { heldBytes, scanBatch } from './scan-batch.ts'
import type { SourcePage } from './source.ts'
import type { FoundRow } from './top-rows.ts'
import { narrowView, type View } from './view.ts'

/** Part of a query's memory for rows that wait for their turn. */
const HELD_SHARE = 0.25
/** Part of a query's memory for the pages that are scanned at one time, unless it is a single one. */
const SCANNED_SHARE = 0.5
/** Rows and bytes of lines that are handed out at once. */
const MAX_ROWS_AT_ONCE = 1000
const MAX_BYTES_AT_ONCE = 256 * 1024

export type RowStreamQuery = {
  /** Equal for equal `selection`. */
  readonly key: string
  readonly selection: Selection
  readonly range: TimeRange
  readonly direction: Direction
  /** Rows of one time in the order of their streams, which stays when blocks are written. */
  readonly byStream: boolean
  /** In the first day that is looked at, rows before it are left out. */
  readonly first: RowPlace | undefined
}

/** Takes rows in their order. */
export type RowTaker = {
  /** How many more rows it may want; 0 ends the search. */
  readonly wanted: () => number
  readonly take: (rows: readonly FoundRow[]) => Promise<void>
}

export async function streamRows(run: QueryRun, view: View, query: RowStreamQuery, taker: RowTaker): Promise<void> {
  const { selection, range, direction } = query
  const key = `rows ${query.key}`
  // compiled here as well, so that what cannot be evaluated is refused even when there is no data
  const { isTrivial, pageFilters } = pipelineOf(key, selection.stages, selection.needed)
  const days = narrowView(view, range)
  const isSelective = !isTrivial || pageFilters.length > 0
  const empty = new EmptyPages(run, selection, isSelective)
  let { first } = query
  for (const dayView of direction === 'backward' ? days.toReversed() : days) {
    if (taker.wanted() === 0) return
    const scan = await prepareDay(run, dayView, { selection, range })
    while (scan !== undefined && taker.wanted() > 0) {
      first = await new Pass({ run, query: { ...query, key, first }, scan, taker, isSelective, empty }).find()
      if (first === undefined) break
    }
    first = undefined
  }
}

type PassOptions = {
  readonly run: QueryRun
  readonly query: RowStreamQuery
  readonly scan: DayScan
  readonly taker: RowTaker
  readonly isSelective: boolean
  readonly empty: EmptyPages
}

type Job = { readonly batch: PageBatch; readonly limit: number; readonly to: number; readonly from: number }
type Done = { readonly job: Job; readonly result: RowsResult }

class Pass {
  readonly #options: PassOptions
  readonly #sign: 1 | -1
  readonly #runs: RowRuns
  readonly #from: number
  readonly #to: number
  readonly #pages: readonly SourcePage[]
  /** Position of the next page. */
  #at = 0
  readonly #running = new Map<Job, Promise<Done>>()
  /** Rows from here on are left to the next pass. */
  #cap: RowPlace | undefined
  #targetBytes: number
  readonly #maxBytes: number
  #reservedBytes = 0
  /** Of the jobs at work. */
  #scannedBytes = 0

  constructor(options: PassOptions) {
    const { run, query, scan, empty } = options
    const isForward = query.direction === 'forward'
    this.#options = options
    this.#sign = isForward ? 1 : -1
    this.#runs = new RowRuns(scan.day, query.direction)
    const time = query.first?.time
    this.#from = isForward && time !== undefined ? Math.max(scan.from, time) : scan.from
    this.#to = !isForward && time !== undefined ? Math.min(scan.to, time + 1) : scan.to
    this.#pages = empty
      .without(scan.pages)
      .filter(({ minTime, maxTime }) => minTime < this.#to && maxTime >= this.#from)
      .toSorted((a, b) => this.#sign * (this.#bestTime(a) - this.#bestTime(b) || a.order - b.order))
    this.#maxBytes = Math.min(
      run.jobSizes.maxBytes,
      Math.floor((run.shareBytes * SCANNED_SHARE) / (2 * (run.concurrency + 1))),
    )
    this.#targetBytes = Math.min(run.jobSizes.firstBytes, this.#maxBytes)
  }

  /** Hands out rows; returns where the next pass has to begin, if there is to be one. */
  async find(): Promise<RowPlace | undefined> {
    const { taker } = this.#options
    try {
      for (;;) {
        this.#startJobs()
        if (this.#running.size === 0) break
        const { job, result } = await Promise.race(this.#running.values())
        this.#running.delete(job)
        this.#scannedBytes -= heldBytes(job.batch)
        await this.#accept(job, result)
        await this.#handOut(this.#frontier())
        if (taker.wanted() === 0) return undefined
      }
      await this.#handOut(undefined)
      return this.#cap
    } finally {
      await Promise.allSettled(this.#running.values())
      this.#options.run.release(this.#reservedBytes)
    }
  }

  #startJobs(): void {
    const { run, taker, isSelective } = this.#options
    const limit = taker.wanted()
    // without a filter the first job finds what is asked for; more at the same time would be waste
    const concurrency = isSelective || limit === Infinity ? run.concurrency : 1
    while (this.#running.size < concurrency && this.#hasNext()) {
      const most = { lineBytes: this.#targetBytes, readBytes: this.#maxBytes }
      const batch = takeBatch(this.#pages, this.#at, most)
      // a single page may be large, so that there is no room for another one
      const bytes = heldBytes(batch)
      if (this.#running.size > 0 && this.#scannedBytes + bytes > run.shareBytes * SCANNED_SHARE) return
      this.#scannedBytes += bytes
      this.#at += batch.pages.length
      this.#targetBytes = Math.min(this.#targetBytes * 2, this.#maxBytes)
      const job = { batch, limit, ...this.#window() }
      this.#running.set(
        job,
        this.#scan(job).then((result) => ({ job, result })),
      )
    }
  }

  /** Whether a page is left that may have rows for this pass. */
  #hasNext(): boolean {
    const page = this.#pages[this.#at]
    if (page === undefined) return false
    return this.#cap === undefined || this.#sign * (this.#bestTime(page) - this.#cap.time) <= 0
  }

  /** The times of the pass: behind the cap nothing is wanted. */
  #window(): { readonly from: number; readonly to: number } {
    const cap = this.#cap?.time
    if (cap === undefined) return { from: this.#from, to: this.#to }
    return this.#sign > 0
      ? { from: this.#from, to: Math.min(this.#to, cap + 1) }
      : { from: Math.max(this.#from, cap), to: this.#to }
  }

  async #scan({ batch, limit, from, to }: Job): Promise<RowsResult> {
    const { run, query, scan, empty } = this.#options
    const { selection, direction, byStream, first, key } = query
    const task = { kind: 'rows', limit, direction, byStream, first } as const
    const result = await scanBatch(run, { ...scan, from, to }, batch, {
      key,
      stages: selection.stages,
      needed: selection.needed,
      task,
      columns: { lengths: true, lines: true, meta: 'all' },
      bytes: heldBytes(batch),
    })
    if (result.kind !== 'rows') throw new TypeError(`a job for rows answered ${result.kind}`)
    empty.learn({ scan: { ...scan, from, to }, batch, task }, result)
    return result
  }

  async #accept({ limit }: Job, result: RowsResult): Promise<void> {
    const { run } = this.#options
    // a job that found as many as it was asked for may have left out others
    if (result.rowCount > 0 && result.rowCount >= limit)
      this.#setCap(this.#behind(placeOf(result, result.rowCount - 1)))
    this.#runs.add(result, this.#cap)
    const dropped = this.#runs.shrink(run.shareBytes * HELD_SHARE)
    if (dropped !== undefined) this.#setCap(dropped)
    await this.#account()
  }

  #setCap(place: RowPlace): void {
    if (this.#cap !== undefined && this.#sign * comparePlaces(place, this.#cap) >= 0) return
    this.#cap = place
    this.#runs.cut(place)
  }

  #behind(place: RowPlace): RowPlace {
    return { ...place, row: place.row + this.#sign }
  }

  async #account(): Promise<void> {
    const { run } = this.#options
    const more = this.#runs.heldBytes - this.#reservedBytes
    if (more > 0) await run.reserve(more)
    else run.release(-more)
    this.#reservedBytes += more
  }

  /** The best time that a page may have that is not read to its end; undefined: none has any. */
  #frontier(): number | undefined {
    const pages = [...this.#running.keys()].flatMap(({ batch }) => batch.pages.slice(0, 1))
    if (this.#hasNext()) pages.push(this.#pages[this.#at]!)
    const times = pages.map((page) => this.#bestTime(page))
    if (times.length === 0) return undefined
    return this.#sign > 0 ? Math.min(...times) : Math.max(...times)
  }

  async #handOut(frontier: number | undefined): Promise<void> {
    const { taker } = this.#options
    const most = { maxRows: MAX_ROWS_AT_ONCE, maxBytes: MAX_BYTES_AT_ONCE }
    while (taker.wanted() > 0) {
      const rows = this.#runs.take(frontier, most)
      if (rows.length === 0) return
      await taker.take(rows)
      await this.#account()
    }
  }

  /** The best time of a row of this pass that a page may have. */
  #bestTime({ minTime, maxTime }: SourcePage): number {
    return this.#sign > 0 ? Math.max(minTime, this.#from) : Math.min(maxTime, this.#to - 1)
  }
}

/** Runs a log query: the newest (or oldest) pages first, until nothing that is left could change the answer. */
import type { TimeRange } from '#/logs/model/day.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import type { RowsResult, ScanJob } from '#/logs/read/scan/scan-job.ts'
import type { Direction } from '#/logs/wire/query.ts'
import { countScan } from './count-scan.ts'
import { isTiny, prepareDay, readBatch, takeBatch, type DayScan, type PageBatch } from './day-scan.ts'
import { labelMatchers } from './label-matchers.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import type { SourcePage } from './source.ts'
import { TopRows, type FoundRow } from './top-rows.ts'
import { narrowView, type View } from './view.ts'

export type RowQuery = {
  readonly text: string
  readonly selection: Selection
  readonly range: TimeRange
  readonly limit: number
  readonly direction: Direction
}

/** At most `limit` rows, in the direction of the query. */
export async function runRows(run: QueryRun, view: View, query: RowQuery): Promise<readonly FoundRow[]> {
  return new RowQueryRun(run, query).find(view)
}

type RowJob = { readonly scan: DayScan; readonly batch: PageBatch }

class RowQueryRun {
  readonly #run: QueryRun
  readonly #query: RowQuery
  readonly #top: TopRows
  readonly #key: string
  readonly #isSelective: boolean
  /** Bytes reserved for lines of each result that still has a row in the answer. */
  readonly #held = new Map<RowsResult, number>()

  constructor(run: QueryRun, query: RowQuery) {
    const { stages, needed } = query.selection
    this.#run = run
    this.#query = query
    this.#top = new TopRows(query.limit, query.direction)
    this.#key = `rows ${query.text}`
    // compiled here as well, so that what cannot be evaluated is refused even when there is no data
    const { isTrivial, pageFilters } = pipelineOf(this.#key, stages, needed)
    this.#isSelective = !isTrivial || pageFilters.length > 0
  }

  async find(view: View): Promise<readonly FoundRow[]> {
    // Without a filter the first job finds what is asked for; more at the same time would be waste.
    const concurrency = this.#isSelective ? this.#run.concurrency : 1
    await runBounded(
      this.#jobs(view),
      concurrency,
      (job) => this.#scan(job),
      (result, job) => this.#accept(result, job),
    )
    return this.#top.rows
  }

  async *#jobs(view: View): AsyncGenerator<RowJob> {
    const { selection, range, direction } = this.#query
    const matchers = labelMatchers(selection.matchers)
    const days = narrowView(view, range)
    // Jobs start small, as the first page often has all rows that are asked for, and grow while it does not.
    let targetBytes = this.#run.jobSizes.firstBytes
    for (const dayView of direction === 'backward' ? days.toReversed() : days) {
      if (!this.#top.accepts(dayView.day, direction === 'backward' ? Infinity : -Infinity)) return
      const scan = await prepareDay(this.#run, dayView, { matchers, range })
      if (scan === undefined) continue
      const pages = scan.pages.toSorted(direction === 'backward' ? newestFirst : oldestFirst)
      for (let at = 0; at < pages.length;) {
        if (!this.#top.accepts(scan.day, bestTime(pages[at]!, direction))) break
        const batch = takeBatch(pages, at, { lineBytes: targetBytes, readBytes: this.#run.maxReadBytes })
        at += batch.pages.length
        targetBytes = Math.min(targetBytes * 2, this.#run.jobSizes.maxBytes)
        yield { scan, batch }
      }
    }
  }

  async #scan({ scan, batch }: RowJob): Promise<RowsResult> {
    const run = this.#run
    const { selection, limit, direction } = this.#query
    const bytes = batch.sizeBytes + (batch.sizeBytes > 0 ? batch.lineBytes : 0)
    await run.reserve(bytes)
    const memory = run.buffers.lease()
    try {
      const parts = await readBatch(run, scan, batch, { columns: { lengths: true, lines: true, meta: 'all' }, memory })
      const job: ScanJob = {
        kind: 'scan',
        key: this.#key,
        stages: selection.stages,
        needed: selection.needed,
        day: scan.day,
        from: scan.from,
        to: scan.to,
        parts,
        task: { kind: 'rows', limit, direction },
      }
      const result = await run.runJob(job, isTiny(batch))
      if (result.kind !== 'rows') throw new TypeError(`a job for rows answered ${result.kind}`)
      countScan(run.stats, batch, result.counts)
      return result
    } finally {
      run.release(bytes)
      memory.release()
    }
  }

  async #accept(result: RowsResult, { scan }: RowJob): Promise<void> {
    if (result.rowCount === 0) return
    await this.#run.reserve(result.lines.length)
    this.#held.set(result, result.lines.length)
    this.#top.merge(scan.day, result)
    const kept = new Set(this.#top.rows.map((row) => row.result))
    for (const [held, bytes] of this.#held) {
      if (kept.has(held)) continue
      this.#held.delete(held)
      this.#run.release(bytes)
    }
  }
}

const newestFirst = (a: SourcePage, b: SourcePage): number => b.maxTime - a.maxTime || b.order - a.order
const oldestFirst = (a: SourcePage, b: SourcePage): number => a.minTime - b.minTime || a.order - b.order

function bestTime(page: SourcePage, direction: Direction): number {
  return direction === 'backward' ? page.maxTime : page.minTime
}

/**
 * Runs a log query: the newest (or oldest) pages first, until nothing that is left could change the answer.
 *
 * `distinct` decides by time, `sort` by a label. Where that is the same order, each job hands over no more rows than are asked for.
 * Where it is not, all distinct rows must be known before the first one can be sorted: these are found first, up to a maximum.
 */
import { BadRequest } from '#/kernel/errors.ts'
import type { TimeRange } from '#/logs/model/day.ts'
import type { RowTail, Selection } from '#/logs/logql/planner/plan.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import type { TailOrder } from '#/logs/read/scan/row-tail.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { Direction } from '#/logs/wire/query.ts'
import { resultBytes } from './compact-rows.ts'
import { completeRows } from './complete-rows.ts'
import { prepareDay, type DayScan } from './day-scan.ts'
import { firstLineBytes, isLight, isTiny, takeBatch, type PageBatch } from './page-batch.ts'
import { EmptyPages } from './empty-pages.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import { heldBytes, scanBatch } from './scan-batch.ts'
import type { Source, SourcePage } from './source.ts'
import { splitByTime } from './split-view.ts'
import { RowComparer, TopRows, type FoundRow } from './top-rows.ts'
import { narrowView, type DayView, type View } from './view.ts'

/** Most distinct rows that can be sorted by a label that is not one of the distinct ones. */
export const MAX_SORTED_DISTINCT_ROWS = 50_000

export type RowQuery = {
  /** Equal for equal `selection`. */
  readonly key: string
  readonly selection: Selection
  readonly tail: RowTail
  readonly range: TimeRange
  readonly limit: number
  readonly direction: Direction
}

/** Of queries for more, threads put the labels of rows together. */
const MAX_ROWS_COMPLETED_HERE = 1000

/** At most `limit` rows, fewer if the tail says so, in the direction of the query or the order of `sort`. */
export async function runRows(run: QueryRun, view: View, query: RowQuery): Promise<readonly FoundRow[]> {
  const { distinct, sort, limit: tailLimit = Infinity } = query.tail
  const limit = Math.min(query.limit, tailLimit)
  if (distinct === undefined || sort === undefined || distinct.includes(sort.label)) {
    return new RowQueryRun(run, { ...query, limit }).find(view)
  }
  const { direction, tail } = query
  const byTime = { ...query, tail: { ...tail, sort: undefined }, limit: MAX_SORTED_DISTINCT_ROWS + 1 }
  const rows = await new RowQueryRun(run, byTime).find(view)
  if (rows.length > MAX_SORTED_DISTINCT_ROWS) {
    throw new BadRequest(
      `'distinct ${distinct.join(', ')}' finds more than ${MAX_SORTED_DISTINCT_ROWS} entries, which is the most that can then be ` +
        `sorted by ${sort.label}; add filters or matchers, or reduce the time range`,
    )
  }
  const order = new RowComparer({ direction, tail })
  return rows.toSorted((a, b) => order.compare(a, b)).slice(0, limit)
}

/** Where a result comes from, and the bytes reserved for its lines and labels. */
type Held = { readonly scan: DayScan; readonly bytes: number }

type RowJob = { readonly scan: DayScan; readonly batch: PageBatch }

class RowQueryRun {
  readonly #run: QueryRun
  readonly #query: RowQuery
  readonly #top: TopRows
  readonly #key: string
  readonly #isSelective: boolean
  readonly #tail: TailOrder | undefined
  /** Whether nothing looks at labels of streams before the rows of the answer are known. */
  readonly #namesStreams: boolean
  readonly #empty: EmptyPages
  /** Results that still have a row in the answer. */
  readonly #held = new Map<RowsResult, Held>()
  #heldBytes = 0

  constructor(run: QueryRun, query: RowQuery) {
    const { stages, needed } = query.selection
    this.#run = run
    this.#query = query
    const { direction, limit, tail } = query
    this.#top = new TopRows(limit, { direction, tail })
    const { distinct, sort } = tail
    this.#tail = distinct === undefined && sort === undefined ? undefined : { distinct, sort }
    this.#key = `rows ${query.key}`
    // compiled here as well, so that what cannot be evaluated is refused even when there is no data
    const { isTrivial, pageFilters } = pipelineOf(this.#key, stages, needed)
    const drops = !isTrivial || pageFilters.length > 0
    this.#isSelective = drops || this.#tail !== undefined
    const looksAtLabels = this.#tail !== undefined || pageFilters.some(({ unlessLabels }) => unlessLabels !== undefined)
    this.#namesStreams = isTrivial && !looksAtLabels && limit <= MAX_ROWS_COMPLETED_HERE
    this.#empty = new EmptyPages(run, query.selection, drops)
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
    return this.#complete()
  }

  async #complete(): Promise<readonly FoundRow[]> {
    const { rows } = this.#top
    if (!this.#namesStreams) return rows
    const completed = completeRows(rows, ({ result, at }) =>
      sourceOfPage(this.#held.get(result)!.scan, result.order[at]!),
    )
    await this.#run.reserve(completed.bytes)
    return completed.rows
  }

  async *#jobs(view: View): AsyncGenerator<RowJob> {
    const { selection, range, direction } = this.#query
    // Jobs start small, as the first page often has all rows that are asked for, and grow while it does not.
    let targetBytes = firstLineBytes(this.#run.jobSizes, this.#isSelective)
    for (const { view: part, bestTime: best } of this.#parts(narrowView(view, range))) {
      if (!this.#top.accepts(part.day, best)) return
      const labelNames = this.#namesStreams ? 'none' : undefined
      const scan = await prepareDay(this.#run, part, { selection, range, labelNames })
      if (scan === undefined) continue
      const pages = this.#empty.without(scan.pages).toSorted(direction === 'backward' ? newestFirst : oldestFirst)
      for (let at = 0; at < pages.length;) {
        if (!this.#top.accepts(scan.day, bestTime(pages[at]!, direction))) break
        const batch = takeBatch(pages, at, { lineBytes: targetBytes, readBytes: this.#run.maxReadBytes })
        at += batch.pages.length
        targetBytes = Math.min(targetBytes * 2, this.#run.jobSizes.maxBytes)
        yield { scan, batch }
      }
    }
  }

  /**
   * What is opened together, in the direction of the query: whole days, so that their pages fill jobs, or where the first ones mostly have
   * all rows that are asked for, as little as can be.
   */
  *#parts(days: View): Generator<{ readonly view: DayView; readonly bestTime: number }> {
    const isBackward = this.#query.direction === 'backward'
    for (const view of isBackward ? days.toReversed() : days) {
      if (this.#isSelective) {
        yield { view, bestTime: isBackward ? Infinity : -Infinity }
        continue
      }
      const pieces = splitByTime(view)
      for (const piece of isBackward ? pieces.toReversed() : pieces) {
        yield { view: piece.view, bestTime: isBackward ? piece.maxTime : piece.minTime }
      }
    }
  }

  async #scan({ scan, batch }: RowJob): Promise<RowsResult> {
    const { selection, limit, direction } = this.#query
    const tail = this.#tail && { tail: this.#tail }
    const task = { kind: 'rows', limit, direction, ...tail, namesStreams: this.#namesStreams } as const
    const result = await scanBatch(this.#run, scan, batch, {
      key: this.#key,
      stages: selection.stages,
      needed: selection.needed,
      task,
      columns: { lengths: true, lines: true, meta: 'all' },
      bytes: heldBytes(batch),
      isInline: isTiny(batch) || (!this.#isSelective && this.#query.limit <= MAX_ROWS_COMPLETED_HERE && isLight(batch)),
    })
    if (result.kind !== 'rows') throw new TypeError(`a job for rows answered ${result.kind}`)
    this.#empty.learn({ scan, batch, task }, result)
    return result
  }

  async #accept(result: RowsResult, { scan }: RowJob): Promise<void> {
    if (result.rowCount === 0) return
    const bytes = resultBytes(result)
    await this.#run.reserve(bytes)
    this.#held.set(result, { scan, bytes })
    this.#top.merge(scan.day, result)
    for (const [from, copy] of this.#top.compact())
      this.#held.set(copy, { scan: this.#held.get(from)!.scan, bytes: resultBytes(copy) })
    const kept = new Set(this.#top.rows.map((row) => row.result))
    const before = this.#heldBytes
    for (const held of this.#held.keys()) if (!kept.has(held)) this.#held.delete(held)
    this.#heldBytes = [...this.#held.values()].reduce((sum, one) => sum + one.bytes, 0)
    // copies are smaller than what they stand for
    this.#run.release(before + bytes - this.#heldBytes)
  }
}

const newestFirst = (a: SourcePage, b: SourcePage): number => b.maxTime - a.maxTime || b.order - a.order
const oldestFirst = (a: SourcePage, b: SourcePage): number => a.minTime - b.minTime || a.order - b.order

function bestTime(page: SourcePage, direction: Direction): number {
  return direction === 'backward' ? page.maxTime : page.minTime
}

function sourceOfPage({ pages }: DayScan, order: number): Source {
  return pages.find((page) => page.order === order)!.source
}

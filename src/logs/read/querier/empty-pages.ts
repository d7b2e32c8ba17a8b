/** Pages of blocks of which a log query knows that no row passes its stages: found by queries before, and added to by this one. */
import type { Selection } from '#/logs/logql/planner/plan.ts'
import type { BlockKey } from '#/logs/read/cache/block-results.ts'
import { selectionKey } from '#/logs/read/cache/fragment-key.ts'
import type { RowsResult, RowTask } from '#/logs/read/scan/scan-job.ts'
import type { DayScan } from './day-scan.ts'
import type { PageBatch } from './page-batch.ts'
import type { QueryRun } from './query-run.ts'
import type { Source, SourcePage } from './source.ts'

/** What a job was asked for, and in which times. */
type RowsJob = {
  readonly scan: Pick<DayScan, 'from' | 'to' | 'dropped'>
  readonly batch: PageBatch
  readonly task: Omit<RowTask, 'kind' | 'direction'>
}

export class EmptyPages {
  readonly #run: QueryRun
  readonly #fragment: string | undefined

  /** `isSelective`: stages may drop rows, else there is nothing to know. */
  constructor(run: QueryRun, selection: Selection, isSelective: boolean) {
    this.#run = run
    this.#fragment = run.results !== undefined && isSelective ? selectionKey(selection) : undefined
  }

  /** Leaves out pages that are known to be empty. */
  without(pages: readonly SourcePage[]): readonly SourcePage[] {
    const { results, stats, progress } = this.#run
    if (results === undefined || this.#fragment === undefined) return pages
    const { knownPages } = stats
    const left: SourcePage[] = []
    for (const [source, ofSource] of Map.groupBy(pages, ({ source }) => source)) {
      const key = this.#keyOf(source)
      const empty = key && results.emptyPages(key)
      if (key !== undefined) knownPages.requests++
      if (empty === undefined) {
        left.push(...ofSource)
        continue
      }
      knownPages.found++
      knownPages.bytesFound += empty.byteLength
      const [skipped, kept] = divide(ofSource, ({ position }) => (empty[position >> 3]! & (1 << (position & 7))) !== 0)
      progress.read(skipped)
      left.push(...kept)
    }
    return left
  }

  /** Learns from a job about pages that it looked at as a whole. */
  learn({ scan, batch, task }: RowsJob, { counts }: RowsResult): void {
    const { results, stats } = this.#run
    if (results === undefined || this.#fragment === undefined) return
    // rows that could not get into the answer, or not any more, were not looked at
    const isFull = counts.passedRows >= (task.tail === undefined ? task.limit : 1)
    if (task.first !== undefined || task.limit === 0 || isFull) return
    const passed = new Set(counts.passedPages)
    const isEmpty = ({ order, minTime, maxTime }: SourcePage): boolean =>
      !passed.has(order) && minTime >= scan.from && maxTime < scan.to && !scan.dropped.has(order)
    for (const [source, pages] of Map.groupBy(batch.pages.filter(isEmpty), ({ source }) => source)) {
      const key = this.#keyOf(source)
      if (key === undefined) continue
      const positions = pages.map(({ position }) => position)
      const bytes = results.keepEmptyPages(key, source.pages.length, positions)
      if (bytes === 0) continue
      stats.knownPages.stored++
      stats.knownPages.bytesStored += bytes
    }
  }

  #keyOf({ id, data, showsTenant }: Source): BlockKey | undefined {
    if (data.kind !== 'block' || this.#fragment === undefined) return undefined
    return { block: id, showsTenant, fragment: this.#fragment, grid: undefined }
  }
}

function divide<T>(items: readonly T[], isFirst: (item: T) => boolean): readonly [T[], T[]] {
  const { true: first = [], false: second = [] } = Object.groupBy(items, (item) => `${isFirst(item)}`)
  return [first, second]
}

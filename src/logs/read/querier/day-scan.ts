/**
 * Prepares one day of a scan: opens its sources, finds the streams, prunes pages by stream and time and by what they hold, masks
 * duplicates. What is left is cut into jobs.
 */
import { noConditions } from '#/logs/logql/planner/page-conditions.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import { clipToDay, type Day, type TimeRange } from '#/logs/model/day.ts'
import type { PageColumns, PageMemory } from '#/logs/store/log-block.ts'
import type { ScanPart } from '#/logs/read/scan/scan-job.ts'
import { findDayDuplicates } from './day-duplicates.ts'
import { streamMatchers } from '#/logs/logql/planner/label-matchers.ts'
import type { PageBatch } from './page-batch.ts'
import { partLabels, type WantedNames } from './part-labels.ts'
import { prunePages, type SelectedPages } from './prune-pages.ts'
import type { QueryRun } from './query-run.ts'
import { hiddenOf, metadataBytes, readPages, selectPages, type Source, type SourcePage } from './source.ts'
import { narrowTenants, openDay, type DayView } from './view.ts'

export type DayScan = {
  readonly day: Day
  /** Times in day, `from` included, `to` excluded. */
  readonly from: number
  readonly to: number
  readonly pages: readonly SourcePage[]
  /** Wanted streams of a source; undefined: all. */
  readonly streams: ReadonlyMap<Source, Uint8Array<SharedArrayBuffer> | undefined>
  readonly dropped: ReadonlyMap<number, Uint8Array<SharedArrayBuffer>>
  readonly labelNames?: WantedNames
}

type DayQuery = { readonly selection: Selection; readonly range: TimeRange } & Pick<DayScan, 'labelNames'>

/** Undefined when nothing of the day can match. */
export async function prepareDay(
  run: QueryRun,
  view: DayView,
  { selection, range, labelNames }: DayQuery,
): Promise<DayScan | undefined> {
  const { day } = view
  const startMs = run.clock.monotonicMs()
  run.stats.splits++
  const matchers = streamMatchers(selection)
  const { from, to } = clipToDay(range, day)
  const sources = await openDay(run, narrowTenants(view, [matchers]), { from, to, selectors: [matchers] })
  const selected: SelectedPages[] = []
  for (const source of sources) {
    run.stats.pagesTotal += source.pages.length
    if (source.data.kind === 'head') run.stats.headPagesTotal += source.pages.length
    const ordinals = source.index.match(matchers)
    run.stats.streamsMatched += ordinals.length
    if (ordinals.length === 0 && source.data.kind === 'block') run.countBlockPruned(source.id)
    if (ordinals.length === 0 || source.minTime >= to || source.maxTime < from) continue
    const wanted = ordinals.length === source.index.count ? undefined : ordinals
    const pages = selectPages(source, wanted, { from, to })
    run.stats.pagesByIndex -= pages.length
    if (pages.length > 0) selected.push({ source, ordinals: wanted, pages })
  }
  run.stats.pagesByIndex += sources.reduce((sum, source) => sum + source.pages.length, 0)
  run.stats.pruneSeconds += (run.clock.monotonicMs() - startMs) / 1000
  const left = await prunePages(run, selected, selection.pageConditions ?? noConditions)
  const pages = left.flatMap((one) => one.pages)
  run.progress.prepared(view, pages)
  if (pages.length === 0) return undefined
  const dropped = await findDayDuplicates(run, left, { from, to })
  for (const { source } of left) addHidden(dropped, source)
  const streams = new Map(left.map(({ source, ordinals }) => [source, streamFlags(source, ordinals)]))
  return { day, from, to, pages, streams, dropped, labelNames }
}

/** Rows that are hidden by delete requests are dropped as duplicates are. */
function addHidden(dropped: Map<number, Uint8Array<SharedArrayBuffer>>, source: Source): void {
  for (const [order, mask] of hiddenOf(source)) {
    const known = dropped.get(order)
    // masks of hidden rows belong to all queries, those of duplicates to this one
    if (known === undefined) dropped.set(order, mask)
    else for (let i = 0; i < mask.length; i++) known[i]! |= mask[i]!
  }
}

function streamFlags({ index }: Source, ordinals: Uint32Array | undefined): Uint8Array<SharedArrayBuffer> | undefined {
  if (ordinals === undefined) return undefined
  const flags = new Uint8Array(new SharedArrayBuffer(index.count))
  for (const ordinal of ordinals) flags[ordinal] = 1
  return flags
}

/** Reads the pages of a batch into `memory` and makes the parts of its job, sources in the order of insertion. */
export async function readBatch(
  run: QueryRun,
  scan: Pick<DayScan, 'from' | 'to' | 'streams' | 'dropped' | 'labelNames'>,
  batch: PageBatch,
  { columns, memory }: { readonly columns: PageColumns; readonly memory: PageMemory },
): Promise<readonly ScanPart[]> {
  run.progress.read(batch.pages)
  const bySource = Map.groupBy(batch.pages, ({ source }) => source)
  const parts: ScanPart[] = []
  const startMs = run.clock.monotonicMs()
  for (const [source, pages] of bySource) {
    const { from, to, dropped } = scan
    const read = await readPages(source, pages, { columns, from, to, dropped, memory, signal: run.signal })
    run.stats.pagesRead += pages.length
    const metaBytes = pages.reduce((sum, page) => sum + metadataBytes(page, columns.meta), 0)
    if (source.data.kind === 'head') {
      run.stats.headMetadataBytes += metaBytes
      run.stats.headPagesRead += pages.length
    } else {
      const lineBytes = columns.lines ? pages.reduce((sum, page) => sum + page.lineBytes, 0) : 0
      run.stats.decodedBytes += lineBytes + metaBytes
      run.stats.blockMetadataBytes += metaBytes
      run.countBlockRead(source.id)
      for (const { data } of read) if (data.kind === 'block') run.stats.blockCompressedBytes += data.bytes.bytes.length
    }
    const streams = scan.streams.get(source)
    parts.push({ labels: partLabels(source.index, streams, scan.labelNames), streams, pages: read })
  }
  run.stats.readSeconds += (run.clock.monotonicMs() - startMs) / 1000
  return parts
}

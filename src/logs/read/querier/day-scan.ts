/**
 * Prepares one day of a scan: opens its sources, finds the streams, prunes pages by stream and time, masks duplicates. What is
 * left is cut into jobs.
 */
import { clipToDay, type Day, type TimeRange } from '#/logs/model/day.ts'
import type { PageColumns, PageMemory } from '#/logs/store/log-block.ts'
import type { ScanPart } from '#/logs/read/scan/scan-job.ts'
import { shareLabels } from '#/storage/index/shared-labels.ts'
import type { LabelMatcher } from '#/storage/index/label-index.ts'
import { findDayDuplicates } from './day-duplicates.ts'
import type { QueryRun } from './query-run.ts'
import { metadataBytes, readPages, selectPages, type Source, type SourcePage } from './source.ts'
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
}

/** Ordinals of the wanted streams of a source, ascending; undefined: all of them. */
export type SelectedSource = { readonly source: Source; readonly ordinals: Uint32Array | undefined }

/** Undefined when nothing of the day can match. */
export async function prepareDay(
  run: QueryRun,
  view: DayView,
  { matchers, range }: { readonly matchers: readonly LabelMatcher[]; readonly range: TimeRange },
): Promise<DayScan | undefined> {
  const { day } = view
  const startMs = run.clock.monotonicMs()
  run.stats.splits++
  const { from, to } = clipToDay(range, day)
  const sources = await openDay(narrowTenants(view, [matchers]), run.cache)
  const selected: SelectedSource[] = []
  for (const source of sources) {
    run.stats.pagesTotal += source.pages.length
    if (source.data.kind === 'head') run.stats.headPagesTotal += source.pages.length
    const ordinals = source.index.match(matchers)
    run.stats.streamsMatched += ordinals.length
    if (ordinals.length === 0 && source.data.kind === 'block') run.countBlockPruned(source.id)
    if (ordinals.length === 0 || source.minTime >= to || source.maxTime < from) continue
    selected.push({ source, ordinals: ordinals.length === source.index.count ? undefined : ordinals })
  }
  const pages = selected.flatMap(({ source, ordinals }) => selectPages(source, ordinals, { from, to }))
  run.progress.prepared(view, pages)
  run.stats.pagesByIndex += sources.reduce((sum, source) => sum + source.pages.length, 0) - pages.length
  run.stats.pruneSeconds += (run.clock.monotonicMs() - startMs) / 1000
  if (pages.length === 0) return undefined
  const dropped = await findDayDuplicates(run, selected, { from, to })
  const streams = new Map(selected.map(({ source, ordinals }) => [source, streamFlags(source, ordinals)]))
  return { day, from, to, pages, streams, dropped }
}

function streamFlags({ index }: Source, ordinals: Uint32Array | undefined): Uint8Array<SharedArrayBuffer> | undefined {
  if (ordinals === undefined) return undefined
  const flags = new Uint8Array(new SharedArrayBuffer(index.count))
  for (const ordinal of ordinals) flags[ordinal] = 1
  return flags
}

/** Pages for one job, in the order of `pages`. */
export type PageBatch = {
  readonly pages: readonly SourcePage[]
  readonly rowCount: number
  readonly lineBytes: number
  readonly sizeBytes: number
}

/** Takes pages from position `at`, one at least, until they hold `lineBytes` of lines or `readBytes` of compressed columns. */
export function takeBatch(
  pages: readonly SourcePage[],
  at: number,
  most: { readonly lineBytes: number; readonly readBytes: number },
): PageBatch {
  const taken: SourcePage[] = []
  let [rowCount, lineBytes, sizeBytes] = [0, 0, 0]
  for (let i = at; i < pages.length; i++) {
    const page = pages[i]!
    const isFull = lineBytes + page.lineBytes > most.lineBytes || sizeBytes + page.sizeBytes > most.readBytes
    if (taken.length > 0 && isFull) break
    taken.push(page)
    rowCount += page.rowCount
    lineBytes += page.lineBytes
    sizeBytes += page.sizeBytes
  }
  return { pages: taken, rowCount, lineBytes, sizeBytes }
}

/** Reads the pages of a batch into `memory` and makes the parts of its job, sources in the order of insertion. */
export async function readBatch(
  run: QueryRun,
  scan: Pick<DayScan, 'from' | 'to' | 'streams' | 'dropped'>,
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
    parts.push({ labels: shareLabels(source.index), streams: scan.streams.get(source), pages: read })
  }
  run.stats.readSeconds += (run.clock.monotonicMs() - startMs) / 1000
  return parts
}

const TINY_ROWS = 4096
const TINY_BYTES = 256 * 1024

export function isTiny({ rowCount, lineBytes }: PageBatch): boolean {
  return rowCount <= TINY_ROWS && lineBytes <= TINY_BYTES
}

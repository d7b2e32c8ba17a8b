/** Finds the rows that a delete request hides: which pages may have them is known as for a query, what is left is scanned. */
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import { noConditions } from '#/logs/logql/planner/page-conditions.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import type { Day } from '#/logs/model/day.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import type { ScanJob } from '#/logs/read/scan/scan-job.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import { isTiny, takeBatch, type PageBatch } from './page-batch.ts'
import type { RowMasks } from './mask-cache.ts'
import { prunePages } from './prune-pages.ts'
import type { QueryRun } from './query-run.ts'
import { readPages, selectPages, type Source, type SourcePage } from './source.ts'

/** What a request means in one source. */
export type Meant = {
  readonly query: string
  readonly selection: Selection
  readonly day: Day
  /** Times in day, `to` excluded. */
  readonly from: number
  readonly to: number
  /** Its streams in the source, ascending. */
  readonly ordinals: Uint32Array
}

/** By order of the page, which is its position where the first page of the source has order 0. */
export async function findHidden(run: QueryRun, source: Source, meant: Meant): Promise<RowMasks> {
  const { selection, ordinals } = meant
  const masks = new Map<number, Uint8Array<SharedArrayBuffer>>()
  const pages = selectPages(source, ordinals, meant)
  if (pages.length === 0) return masks
  const [selected] = await prunePages(run, [{ source, ordinals, pages }], selection.pageConditions ?? noConditions)
  const isWanted = new Uint8Array(new SharedArrayBuffer(source.index.count))
  for (const ordinal of ordinals) isWanted[ordinal] = 1
  const left = (selected?.pages ?? []).filter((page) => {
    const mask = selection.stages.length === 0 ? wholeRuns(page, isWanted, meant) : undefined
    if (mask !== undefined) masks.set(page.order, mask)
    return mask === undefined
  })
  await eachConcurrently([...batches(run, left)], run.concurrency, async (batch) => {
    for (const { order, mask } of await scan(run, source, batch, { meant, isWanted })) masks.set(order, mask)
  })
  return masks
}

/** The rows of a page without reading it, where each run of a wanted stream lies inside or outside of the times. */
function wholeRuns(
  { source: { data }, position, rowCount }: SourcePage,
  isWanted: Uint8Array,
  { from, to }: Meant,
): Uint8Array<SharedArrayBuffer> | undefined {
  if (data.kind === 'head') return undefined
  const { pageEnds, stream, rowCount: runRows, minTime, maxTime } = data.block.runs
  const mask = new Uint8Array(new SharedArrayBuffer(Math.ceil(rowCount / 8)))
  let row = 0
  for (let run = position === 0 ? 0 : pageEnds[position - 1]!; run < pageEnds[position]!; run++) {
    const end = row + runRows[run]!
    const isInside = minTime[run]! >= from && maxTime[run]! < to
    const isOutside = isWanted[stream[run]!] === 0 || minTime[run]! >= to || maxTime[run]! < from
    if (!isInside && !isOutside) return undefined
    if (!isOutside) for (let i = row; i < end; i++) mask[i >> 3]! |= 1 << (i & 7)
    row = end
  }
  return mask
}

function* batches({ sampleJobSizes, maxReadBytes }: QueryRun, pages: readonly SourcePage[]): Generator<PageBatch> {
  for (let at = 0; at < pages.length;) {
    const batch = takeBatch(pages, at, { lineBytes: sampleJobSizes.maxBytes, readBytes: maxReadBytes })
    at += batch.pages.length
    yield batch
  }
}

type Found = readonly { readonly order: number; readonly mask: Uint8Array<SharedArrayBuffer> }[]

async function scan(
  run: QueryRun,
  source: Source,
  batch: PageBatch,
  { meant, isWanted }: { readonly meant: Meant; readonly isWanted: Uint8Array<SharedArrayBuffer> },
): Promise<Found> {
  const { query, selection, day, from, to } = meant
  const { stages, needed } = selection
  const key = `mask ${query}`
  const { readsLines, readsMeta } = pipelineOf(key, stages, needed)
  // an entry that came with an error passes some filters for that alone
  const meta = readsMeta === 'all' ? readsMeta : [...new Set([...readsMeta, '__error__', '__error_details__'])]
  const columns: PageColumns = { lengths: true, lines: readsLines, meta }
  await run.reserve(batch.sizeBytes)
  const memory = run.buffers.lease()
  try {
    const read = { columns, from, to, dropped: new Map(), memory, signal: run.signal }
    const pages = await readPages(source, batch.pages, read)
    const parts = [{ labels: source.index.coded(), streams: isWanted, pages }]
    const task = { kind: 'mask' } as const
    const job: ScanJob = { kind: 'scan', key, stages, needed, nowNs: run.nowNs, day, from, to, parts, task }
    const result = await run.runJob(job, isTiny(batch))
    if (result.kind !== 'mask') throw new TypeError(`a job for masks answered ${result.kind}`)
    return result.masks
  } finally {
    run.release(batch.sizeBytes)
    memory.release()
  }
}

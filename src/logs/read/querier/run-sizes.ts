/** Divides runs of a block among buckets of time: their pages' times and lengths are read and searched in worker threads, without lines. */
import type { SizesResult } from '#/logs/read/scan/scan-job.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import { hiddenOf, readPages, type Source } from './source.ts'
import type { DayBuckets } from './volume-buckets.ts'

export type DividedRun = {
  readonly ordinal: number
  /** Position of its page, and of its first row there; rows that are hidden are counted, their bytes are not. */
  readonly page: number
  readonly firstRow: number
  readonly rowCount: number
  readonly rawBytes: number
}

export type DivideQuery = {
  readonly source: Source
  /** Page after page. */
  readonly runs: readonly DividedRun[]
  readonly from: number
  readonly to: number
  readonly buckets: DayBuckets
}

/** Times, lengths and streams of a row, compressed and decoded, from above. */
const BYTES_PER_ROW = 40
/** Fewer rows are not worth the way to a thread. */
const TINY_ROWS = 4096
const columns: PageColumns = { lengths: true, lines: false, meta: [] }

type Batch = { readonly pages: ReadonlyMap<number, readonly DividedRun[]>; readonly rowCount: number }

export async function divideRuns(
  run: QueryRun,
  query: DivideQuery,
  add: (ordinal: number, bucket: number, bytes: number) => void,
): Promise<void> {
  await runBounded(
    batches(query, Math.floor(run.maxReadBytes / BYTES_PER_ROW)),
    run.concurrency,
    (batch) => divideBatch(run, query, batch),
    ({ run: numbers, bucket, bytes }, { pages }) => {
      const runs = [...pages.values()].flat()
      for (let i = 0; i < numbers.length; i++) add(runs[numbers[i]!]!.ordinal, bucket[i]!, bytes[i]!)
    },
  )
}

/** Whole pages, one at least, with at most `maxRows` rows. */
async function* batches({ source, runs }: DivideQuery, maxRows: number): AsyncGenerator<Batch> {
  let pages = new Map<number, readonly DividedRun[]>()
  let rowCount = 0
  for (const [page, ofPage] of Map.groupBy(runs, (one) => one.page)) {
    const rows = source.pages[page]!.rowCount
    if (pages.size > 0 && rowCount + rows > maxRows) {
      yield { pages, rowCount }
      pages = new Map()
      rowCount = 0
    }
    pages.set(page, ofPage)
    rowCount += rows
  }
  if (pages.size > 0) yield { pages, rowCount }
}

async function divideBatch(run: QueryRun, query: DivideQuery, { pages, rowCount }: Batch): Promise<SizesResult> {
  const { source, from, to, buckets } = query
  const bytes = rowCount * BYTES_PER_ROW
  await run.reserve(bytes)
  const memory = run.buffers.lease()
  try {
    const wanted = [...pages.keys()].map((page) => source.pages[page]!)
    const dropped = hiddenOf(source)
    const read = await readPages(source, wanted, { columns, from, to, dropped, memory, signal: run.signal })
    run.stats.pagesRead += wanted.length
    run.countBlockRead(source.id)
    for (const { data } of read) if (data.kind === 'block') run.stats.blockCompressedBytes += data.bytes.bytes.length
    const sized = [...pages.values()].map((runs, i) => ({
      page: read[i]!,
      firstRow: Uint32Array.from(runs, ({ firstRow }) => firstRow),
      rowCount: Uint32Array.from(runs, (one) => one.rowCount),
      rawBytes: Uint32Array.from(runs, ({ rawBytes }) => rawBytes),
    }))
    const result = await run.runJob({ kind: 'sizes', from, to, buckets, pages: sized }, rowCount <= TINY_ROWS)
    if (result.kind !== 'sizes') throw new TypeError(`a job for sizes answered ${result.kind}`)
    run.stats.blockRows += result.rowCount
    return result
  } finally {
    run.release(bytes)
    memory.release()
  }
}

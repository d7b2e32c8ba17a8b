/**
 * Cuts pages of which small columns are read into jobs, and puts jobs together that are posted as one. What counts is what is read,
 * not how large the pages are.
 */
import type { PageColumns } from '#/logs/store/log-block.ts'
import type { WholeBlock } from './leaf-blocks.ts'
import type { PageBatch } from './page-batch.ts'
import type { QueryRun } from './query-run.ts'
import type { SourcePage } from './source.ts'

/** Less, some 200,000 rows, is not worth a job of its own, however many threads there are. */
const MIN_GROUP_BYTES = 1024 * 1024
/** A group keeps its thread for some ten milliseconds, so that others get their turn. */
const MAX_GROUP_ROWS = 2 ** 20

/** A job of a group. */
export type ScanUnit = { readonly batch: PageBatch; readonly block: WholeBlock | undefined }

type Sized = { readonly page: SourcePage; readonly readBytes: number }
type Most = { readonly readBytes: number; readonly rows: number }

export function groupPages(
  {
    blocks,
    others,
    jobRows = MAX_GROUP_ROWS,
  }: {
    readonly blocks: readonly WholeBlock[]
    readonly others: readonly SourcePage[]
    /** Most rows of a job, of which a group may have several. */
    readonly jobRows?: number
  },
  columns: PageColumns,
  { concurrency, maxReadBytes }: Pick<QueryRun, 'concurrency' | 'maxReadBytes'>,
): readonly (readonly ScanUnit[])[] {
  const sized = (pages: readonly SourcePage[]): readonly Sized[] =>
    pages.map((page) => ({ page, readBytes: readBytesOf(page, columns) }))
  const parts = [
    ...blocks.map((block) => ({ block, pages: sized(block.pages) })),
    { block: undefined, pages: sized(others) },
  ]
  const all = parts.flatMap(({ pages }) => pages)
  const share = (total: number): number => Math.ceil(total / (concurrency * 2))
  const most = {
    readBytes: Math.min(maxReadBytes, Math.max(MIN_GROUP_BYTES, share(sum(all, ({ readBytes }) => readBytes)))),
    rows: MAX_GROUP_ROWS,
  }
  return inGroups(
    parts.flatMap(({ block, pages }) => {
      const batches = cut(pages, { ...most, rows: Math.min(most.rows, jobRows) })
      block?.begin(batches.length)
      return batches.map((batch) => ({ batch, block }))
    }),
    most,
  )
}

/** Compressed; pages of heads are in memory. */
function readBytesOf({ source: { data }, position }: SourcePage, columns: PageColumns): number {
  return data.kind === 'head' ? 0 : data.block.readBytes(position, columns)
}

function cut(pages: readonly Sized[], most: Most): readonly PageBatch[] {
  return pieces(pages, most, ({ page, readBytes }) => ({ rows: page.rowCount, readBytes })).map((piece) => ({
    pages: piece.map(({ page }) => page),
    rowCount: sum(piece, ({ page }) => page.rowCount),
    lineBytes: sum(piece, ({ page }) => page.lineBytes),
    sizeBytes: sum(piece, ({ readBytes }) => readBytes),
  }))
}

function inGroups(units: readonly ScanUnit[], most: Most): readonly (readonly ScanUnit[])[] {
  return pieces(units, most, ({ batch }) => ({ rows: batch.rowCount, readBytes: batch.sizeBytes }))
}

/** Neighbours together, as long as they are not more than `most`. */
function pieces<T>(items: readonly T[], most: Most, sizeOf: (item: T) => Most): T[][] {
  const all: T[][] = []
  let [readBytes, rows] = [Infinity, Infinity]
  for (const item of items) {
    const size = sizeOf(item)
    readBytes += size.readBytes
    rows += size.rows
    if (readBytes > most.readBytes || rows > most.rows) {
      all.push([])
      ;({ readBytes, rows } = size)
    }
    all.at(-1)!.push(item)
  }
  return all
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

/** Cuts pages into batches, one for each job. */
import type { JobSizes } from './query-run.ts'
import type { SourcePage } from './source.ts'

/** Pages for one job, in the order of `pages`. */
export type PageBatch = {
  readonly pages: readonly SourcePage[]
  readonly rowCount: number
  readonly lineBytes: number
  readonly sizeBytes: number
}

export type BatchSizes = {
  /** Of lines. */
  readonly lineBytes: number
  /** Of compressed columns. */
  readonly readBytes: number
  /** Undefined: any number. */
  readonly rows?: number
}

/** Of the first job of a query for rows that no stage drops: mostly a single page. */
const FIRST_PLAIN_BYTES = 256 * 1024

/** Bytes of lines of the first job of a log query. */
export function firstLineBytes({ firstBytes }: JobSizes, isSelective: boolean): number {
  return isSelective ? firstBytes : Math.min(firstBytes, FIRST_PLAIN_BYTES)
}

/** Takes pages from position `at`, one at least, until they hold as much as `most` says. */
export function takeBatch(pages: readonly SourcePage[], at: number, most: BatchSizes): PageBatch {
  const maxRows = most.rows ?? Infinity
  const taken: SourcePage[] = []
  let [rowCount, lineBytes, sizeBytes] = [0, 0, 0]
  for (let i = at; i < pages.length; i++) {
    const page = pages[i]!
    const isLarge = lineBytes + page.lineBytes > most.lineBytes || sizeBytes + page.sizeBytes > most.readBytes
    if (taken.length > 0 && (isLarge || rowCount + page.rowCount > maxRows)) break
    taken.push(page)
    rowCount += page.rowCount
    lineBytes += page.lineBytes
    sizeBytes += page.sizeBytes
  }
  return { pages: taken, rowCount, lineBytes, sizeBytes }
}

const TINY_ROWS = 4096
const TINY_BYTES = 256 * 1024

/** Without stages a page is only decoded, and of its lines those that are handed out. */
const LIGHT_ROWS = 16_384
const LIGHT_BYTES = 1024 * 1024

/** Whether a job that keeps rows as they are takes a few milliseconds. */
export function isLight({ rowCount, lineBytes }: Pick<PageBatch, 'rowCount' | 'lineBytes'>): boolean {
  return rowCount <= LIGHT_ROWS && lineBytes <= LIGHT_BYTES
}

export function isTiny({ rowCount, lineBytes }: Pick<PageBatch, 'rowCount' | 'lineBytes'>): boolean {
  return rowCount <= TINY_ROWS && lineBytes <= TINY_BYTES
}

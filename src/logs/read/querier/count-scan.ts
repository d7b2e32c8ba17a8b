import type { ScanCounts } from '#/logs/read/scan/scan-job.ts'
import type { QueryStats } from '#/logs/wire/query.ts'
import type { PageBatch } from './page-batch.ts'

/** Adds what a job looked at to the statistics, divided between heads and blocks as its pages are. */
export function countScan(stats: QueryStats, { pages, rowCount }: PageBatch, counts: ScanCounts): void {
  const headRows = pages.reduce((sum, page) => sum + (page.source.data.kind === 'head' ? page.rowCount : 0), 0)
  const headShare = rowCount === 0 ? 0 : headRows / rowCount
  const divide = (total: number): readonly [head: number, block: number] => {
    const head = Math.round(total * headShare)
    return [head, total - head]
  }
  const [rowsOfHeads, rowsOfBlocks] = divide(counts.rows)
  const [bytesOfHeads, bytesOfBlocks] = divide(counts.lineBytes)
  stats.headRows += rowsOfHeads
  stats.blockRows += rowsOfBlocks
  stats.headBytes += bytesOfHeads
  stats.blockBytes += bytesOfBlocks
  stats.postFilterRows += counts.passedRows
  stats.pagesWithoutHit += counts.filteredPages
}

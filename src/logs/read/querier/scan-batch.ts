/** Runs the job of one batch: memory, pages, thread, statistics, and memory back whatever comes of it. */
import type { ScanJob, ScanResult } from '#/logs/read/scan/scan-job.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import { countScan } from './count-scan.ts'
import { readBatch, type DayScan } from './day-scan.ts'
import { isTiny, type PageBatch } from './page-batch.ts'
import type { QueryRun } from './query-run.ts'

export type BatchJob = Pick<ScanJob, 'key' | 'stages' | 'needed' | 'task'> & {
  readonly columns: PageColumns
  /** What the job holds of the query's memory while it runs. */
  readonly bytes: number
}

/** @throws BadRequest when the query has no memory left for the job, and what the job throws. */
export async function scanBatch(
  run: QueryRun,
  scan: DayScan,
  batch: PageBatch,
  { columns, bytes, ...job }: BatchJob,
): Promise<ScanResult> {
  await run.reserve(bytes)
  const memory = run.buffers.lease()
  try {
    const { day, from, to } = scan
    const parts = await readBatch(run, scan, batch, { columns, memory })
    const scanJob: ScanJob = { ...job, kind: 'scan', nowNs: run.nowNs, day, from, to, parts }
    const result = (await run.runJob(scanJob, isTiny(batch))) as ScanResult
    countScan(run.stats, batch, result.counts)
    return result
  } finally {
    run.release(bytes)
    memory.release()
  }
}

/** Bytes of a batch, compressed and decompressed: what a job may hold that keeps lines. Heads are memory of others. */
export function heldBytes({ sizeBytes, lineBytes }: PageBatch): number {
  return sizeBytes + (sizeBytes > 0 ? lineBytes : 0)
}

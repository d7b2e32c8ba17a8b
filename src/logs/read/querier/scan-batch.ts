/** Runs the job of one batch: memory, pages, thread, statistics, and memory back whatever comes of it. */
import type { GroupResult, ScanJob, ScanResult } from '#/logs/read/scan/scan-job.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import type { SharedLease } from '#/platform/memory/shared-buffers.ts'
import type { FileReads } from '#/platform/objstore/read-file.ts'
import { countScan } from './count-scan.ts'
import { readBatch, type DayScan } from './day-scan.ts'
import { isTiny, type PageBatch } from './page-batch.ts'
import type { QueryRun } from './query-run.ts'

export type BatchJob = Pick<ScanJob, 'key' | 'stages' | 'needed' | 'task'> & {
  readonly columns: PageColumns
  /** What the job holds of the query's memory while it runs. */
  readonly bytes: number
  /** Whether it is done here and not in a thread; by default when it is tiny. */
  readonly isInline?: boolean
}

/** @throws BadRequest when the query has no memory left for the job, and what the job throws. */
export async function scanBatch(
  run: QueryRun,
  scan: DayScan,
  batch: PageBatch,
  { columns, bytes, isInline = isTiny(batch), ...job }: BatchJob,
): Promise<ScanResult> {
  await run.reserve(bytes)
  const lease = run.buffers.lease()
  try {
    const { made, whenRead } = await makeJob(run, { scan, batch, job, columns }, lease, isInline)
    const result = (await run.runJob(made, isInline)) as ScanResult
    whenRead.forEach((then) => then())
    countScan(run.stats, batch, result.counts)
    return result
  } finally {
    run.release(bytes)
    lease.release()
  }
}

export type ScanToDo = { readonly scan: DayScan; readonly batch: PageBatch; readonly job: BatchJob }

/** As {@link scanBatch} for several jobs, which are posted together. */
export async function scanBatches(run: QueryRun, all: readonly ScanToDo[]): Promise<readonly ScanResult[]> {
  const [first] = all
  if (first !== undefined && all.length === 1) return [await scanBatch(run, first.scan, first.batch, first.job)]
  const totalBytes = all.reduce((sum, { job }) => sum + job.bytes, 0)
  const isInline = isTiny({
    rowCount: all.reduce((sum, { batch }) => sum + batch.rowCount, 0),
    lineBytes: all.reduce((sum, { batch }) => sum + batch.lineBytes, 0),
  })
  await run.reserve(totalBytes)
  const lease = run.buffers.lease()
  try {
    const jobs: MadeJob[] = []
    for (const { scan, batch, job } of all) {
      const { columns, bytes: _, isInline: __, ...rest } = job
      jobs.push(await makeJob(run, { scan, batch, columns, job: rest }, lease, isInline))
    }
    const group = { kind: 'group', jobs: jobs.map(({ made }) => made) } as const
    const { results } = (await run.runJob(group, isInline)) as GroupResult
    for (const { whenRead } of jobs) whenRead.forEach((then) => then())
    for (const [i, { counts }] of results.entries()) countScan(run.stats, all[i]!.batch, counts)
    return results
  } finally {
    run.release(totalBytes)
    lease.release()
  }
}

type JobParts = Omit<ScanToDo, 'job'> & {
  readonly columns: PageColumns
  readonly job: Omit<BatchJob, 'columns' | 'bytes' | 'isInline'>
}

/** `whenRead` is to be called once the job is done. */
type MadeJob = { readonly made: ScanJob; readonly whenRead: readonly (() => void)[] }

/** The job over a batch, ready to be posted, or to be run here. */
async function makeJob(
  run: QueryRun,
  { scan, batch, columns, job }: JobParts,
  lease: SharedLease,
  isInline: boolean,
): Promise<MadeJob> {
  const { day, from, to } = scan
  const reads: FileReads[] = []
  const whenRead: (() => void)[] = []
  const readLater = run.isThreaded && !isInline ? (one: FileReads): void => void reads.push(one) : undefined
  const take = (sizeBytes: number): SharedArrayBuffer => lease.take(sizeBytes)
  const memory = { take, readLater, whenRead: (then: () => void): void => void whenRead.push(then) }
  const parts = await readBatch(run, scan, batch, { columns, memory })
  const { nowNs, buffers } = run
  const made = { ...job, kind: 'scan', nowNs, day, from, to, parts, reads, droppedBytes: buffers.droppedBytes } as const
  return { made, whenRead }
}

/** Bytes of a batch, compressed and decompressed: what a job may hold that keeps lines. Heads are memory of others. */
export function heldBytes({ sizeBytes, lineBytes }: PageBatch): number {
  return sizeBytes + (sizeBytes > 0 ? lineBytes : 0)
}

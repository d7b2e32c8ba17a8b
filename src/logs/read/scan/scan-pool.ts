/** Where the querier runs its jobs. */
import type { WorkerJob, WorkerResult } from './scan-job.ts'

export interface ScanPool {
  /** Jobs that can run at the same time. */
  readonly concurrency: number
  /** Whether jobs run in threads, which may wait for a disk. */
  readonly isThreaded?: boolean
  /** Rejects with the job's own error, or with that of `signal` when it is aborted first. */
  run(job: WorkerJob, signal: AbortSignal): Promise<WorkerResult>
}

/** Where the querier runs its jobs. */
import type { WorkerJob, WorkerResult } from './scan-job.ts'

export interface ScanPool {
  /** Jobs that can run at the same time. */
  readonly concurrency: number
  /** Rejects with the job's own error, or with that of `signal` when it is aborted first. */
  run(job: WorkerJob, signal: AbortSignal): Promise<WorkerResult>
}

/** The scan pool on worker threads. */
import type { WorkerJob, WorkerResult } from './scan-job.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'
import type { ScanPool } from './scan-pool.ts'

const scanWorker = new URL('./scan.worker.ts', import.meta.url)

export function workerScanPool(pool: WorkerPool): ScanPool {
  return {
    concurrency: pool.stats().threads,
    isThreaded: true,
    run: (job: WorkerJob, signal: AbortSignal) =>
      pool.run<WorkerResult>(scanWorker, job, { priority: 'query', signal }),
  }
}

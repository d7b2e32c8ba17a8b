/** The scan pool without threads: for tests and tools. */
import { throwIfAborted } from '#/kernel/errors.ts'
import { runJob } from './run-job.ts'
import type { ScanPool } from './scan-pool.ts'

export function inlineScanPool(concurrency: number): ScanPool {
  return {
    concurrency,
    run: async (job, signal) => runJob(job, () => throwIfAborted(signal)),
  }
}

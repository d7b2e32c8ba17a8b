/** Merges in the worker pool, behind queries. */
import type { BuiltOutput } from '#/logs/compactor/merge/build-output.ts'
import type { MergeThreads } from '#/logs/compactor/merge/merge-threads.ts'
import type { MergePlan } from '#/logs/compactor/merge/plan-merge.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'

const planWorker = new URL('./plan-merge.worker.ts', import.meta.url)
const buildWorker = new URL('./build-output.worker.ts', import.meta.url)

export function workerMergeThreads(pool: WorkerPool): MergeThreads {
  return {
    plan: (job, signal) => pool.run<MergePlan>(planWorker, job, { priority: 'background', signal }),
    build: (job, signal) => pool.run<BuiltOutput>(buildWorker, job, { priority: 'background', signal }),
  }
}

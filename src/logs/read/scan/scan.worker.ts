/** The scan in a worker thread. */
import { dropShared } from '#/platform/memory/shared-garbage.ts'
import { defineTask } from '#/platform/workers/task.ts'
import { runJob } from './run-job.ts'
import type { WorkerJob } from './scan-job.ts'

export const run = defineTask((job: WorkerJob, cancel) => {
  try {
    return runJob(job, () => cancel.check())
  } finally {
    dropShared(blockBytes(job) * (1 + TYPICAL_RATIO))
  }
})

/** Decompressed bytes for each compressed one: the collector would wait for 64 MB of them in each thread. */
const TYPICAL_RATIO = 4

/** Bytes of block pages; those of heads are used again by their ingester. */
function blockBytes({ parts }: WorkerJob): number {
  let bytes = 0
  for (const { pages } of parts)
    for (const { data } of pages) if (data.kind === 'block') bytes += data.bytes.bytes.length
  return bytes
}

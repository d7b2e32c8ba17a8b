/** The scan in a worker thread. */
import { dropShared } from '#/platform/memory/shared-garbage.ts'
import { defineTask } from '#/platform/workers/task.ts'
import { runJob } from './run-job.ts'
import type { WorkerJob } from './scan-job.ts'

export const run = defineTask((job: WorkerJob, cancel) => {
  try {
    return runJob(job, () => cancel.check())
  } finally {
    dropShared(blockBytes(job))
  }
})

/** Bytes of block pages, which this thread keeps alive when the main thread has let go of them; those of heads are used again. */
function blockBytes(job: WorkerJob): number {
  if (job.kind === 'patterns') return job.data.kind === 'block' ? job.data.bytes.bytes.length : 0
  const pages = job.kind === 'sizes' ? job.pages.map(({ page }) => page) : job.parts.flatMap((part) => part.pages)
  let bytes = 0
  for (const { data } of pages) if (data.kind === 'block') bytes += data.bytes.bytes.length
  return bytes
}

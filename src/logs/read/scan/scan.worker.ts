/** The scan in a worker thread. */
import { unreachable } from '#/kernel/assert.ts'
import { dropShared } from '#/platform/memory/shared-garbage.ts'
import { defineTask } from '#/platform/workers/task.ts'
import { runJob } from './run-job.ts'
import type { ScanPage, WorkerJob } from './scan-job.ts'

export const run = defineTask((job: WorkerJob, cancel) => {
  try {
    return runJob(job, () => cancel.check())
  } finally {
    dropShared(garbageOf(job))
  }
})

/** What this thread has been told of `droppedBytes`. */
let knownDropped = 0

/** Bytes that only this thread keeps alive: memory that the main thread uses again is no garbage. */
function garbageOf(job: WorkerJob): number {
  const first = job.kind === 'group' ? job.jobs[0] : job
  if (first?.kind !== 'scan' || first.droppedBytes === undefined) return blockBytes(job)
  const dropped = Math.max(0, first.droppedBytes - knownDropped)
  knownDropped += dropped
  return dropped
}

/** Bytes of block pages, which this thread keeps alive when the main thread has let go of them; those of heads are used again. */
function blockBytes(job: WorkerJob): number {
  if (job.kind === 'patterns' && job.data.kind === 'block') return job.data.bytes.bytes.length
  let bytes = 0
  for (const { data } of pagesOf(job)) if (data.kind === 'block') bytes += data.bytes.bytes.length
  return bytes
}

function pagesOf(job: WorkerJob): readonly ScanPage[] {
  switch (job.kind) {
    case 'group':
      return job.jobs.flatMap(pagesOf)
    case 'scan':
    case 'duplicates':
      return job.parts.flatMap((part) => part.pages)
    case 'sizes':
    case 'leftover':
      return job.pages.map(({ page }) => page)
    case 'patterns':
      return job.data.kind === 'pages' ? job.data.pages : []
    default:
      return unreachable(job)
  }
}

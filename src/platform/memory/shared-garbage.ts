/**
 * Gives dropped shared memory back. The collector does not see the size of SharedArrayBuffers: to it a dropped head of 64 MiB is a
 * few small objects, so it sees no reason to run, and the process grows far beyond what is in use. Each thread that lets go of
 * shared memory says so here; when enough has come together, the thread's collector is run. That takes some 20 ms in the main thread and
 * a few in a worker, once per 24 MiB.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const COLLECT_AFTER_BYTES = 24 * 1024 * 1024

let droppedBytes = 0
let isDue = false
let collect: (() => void) | undefined

/** Tells that this thread has let go, or is about to within this turn, of `bytes` of shared memory. */
export function dropShared(bytes: number): void {
  droppedBytes += bytes
  if (droppedBytes < COLLECT_AFTER_BYTES || isDue) return
  isDue = true
  // the caller's own references must be gone first
  setImmediate(() => {
    isDue = false
    droppedBytes = 0
    collector()()
  })
}

function collector(): () => void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  return collect
}

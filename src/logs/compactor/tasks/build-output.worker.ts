/** Worker task: one output of a merge. */
import { compileErasers } from './compile-erasers.ts'
import { buildOutput, type BuiltOutput, type OutputJob } from '#/logs/compactor/merge/build-output.ts'
import { type CancelFlag, defineTask, Transfer } from '#/platform/workers/task.ts'

export const run = defineTask((job: OutputJob, cancel: CancelFlag): Transfer<BuiltOutput> => {
  const built = buildOutput(job, compileErasers, () => cancel.check())
  return new Transfer(built, built.block?.parts.map(({ buffer }) => buffer) ?? [])
})

/** Merges on the thread of the caller, for tests and benches. */
import { compileErasers } from './compile-erasers.ts'
import { throwIfAborted } from '#/kernel/errors.ts'
import { buildOutput } from '#/logs/compactor/merge/build-output.ts'
import type { CompileErasers } from '#/logs/compactor/merge/erase.ts'
import type { MergeThreads } from '#/logs/compactor/merge/merge-threads.ts'
import { planMerge } from '#/logs/compactor/merge/plan-merge.ts'

export function inlineMergeThreads(compile: CompileErasers = compileErasers): MergeThreads {
  return {
    plan: async (job) => planMerge(job),
    build: async (job, signal) => buildOutput(job, compile, () => throwIfAborted(signal)),
  }
}

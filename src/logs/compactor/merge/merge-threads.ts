/** Where the CPU work of a merge is done. */
import type { BuiltOutput, OutputJob } from './build-output.ts'
import type { MergePlan, PlanJob } from './plan-merge.ts'

export interface MergeThreads {
  plan(job: PlanJob, signal: AbortSignal | undefined): Promise<MergePlan>
  build(job: OutputJob, signal: AbortSignal | undefined): Promise<BuiltOutput>
}

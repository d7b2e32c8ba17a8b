/** Worker task: the plan of a merge. */
import { type PlanJob, planMerge } from '#/logs/compactor/merge/plan-merge.ts'
import { defineTask } from '#/platform/workers/task.ts'

export const run = defineTask((job: PlanJob) => planMerge(job))

/** The first step of a merge, in a worker thread: streams get ranks, outputs and slices are cut. */
import type { IndexOfInput } from './merge-input.ts'
import { type PlanLimits, type PlannedOutput, planOutputs } from './plan-outputs.ts'
import { unionStreams } from './union-streams.ts'

export type PlanJob = { readonly inputs: readonly IndexOfInput[]; readonly limits: PlanLimits }

export type MergePlan = {
  readonly streamCount: number
  /** For each input, the rank of each of its streams. */
  readonly rankOf: readonly Uint32Array<SharedArrayBuffer>[]
  /** In the order of their rows. */
  readonly outputs: readonly PlannedOutput[]
}

export function planMerge({ inputs, limits }: PlanJob): MergePlan {
  const { count, rankOf } = unionStreams(inputs.map(({ labels }) => labels))
  const ranked = inputs.map((input, position) => ({ ...input, rankOf: rankOf[position]! }))
  return { streamCount: count, rankOf, outputs: planOutputs(ranked, count, limits) }
}

/**
 * Rewrites the stages of a selection so that they cost less and answer the same: the same entries with the same lines, labels and
 * errors. Each rule is a file in ./rules, which says why it is sound.
 */
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { rules } from './rules/index.ts'

/** Queries with more stages are run as they are written: rules compare stages with each other. */
const MAX_STAGES = 256

export type AppliedRule = { readonly rule: string; readonly notes: readonly string[] }

export type OptimizedStages = {
  readonly stages: readonly RowStageNode[]
  /** Rules that changed something, in the order in which they did. */
  readonly applied: readonly AppliedRule[]
}

export function optimizeStages(stages: readonly RowStageNode[]): OptimizedStages {
  const applied: AppliedRule[] = []
  if (stages.length > MAX_STAGES) return { stages, applied }
  let current = stages
  for (const { name, apply } of rules) {
    const rewrite = apply(current)
    if (rewrite.notes.length > 0) applied.push({ rule: name, notes: rewrite.notes })
    current = rewrite.stages
  }
  return { stages: current, applied }
}

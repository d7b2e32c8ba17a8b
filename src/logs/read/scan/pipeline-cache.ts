/** Compiled pipelines of this thread. A query scans many jobs; compiling once keeps regular expressions and their code warm. */
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import type { NeededLabels, Pipeline } from '#/logs/logql/pipeline/row.ts'

const MAX_PIPELINES = 64

/** Least recently used first. */
const pipelines = new Map<string, Pipeline>()

/** The pipeline of `stages`; `key` stands for them and for `needed`. @throws BadRequest when a stage is not evaluated yet. */
export function pipelineOf(key: string, stages: readonly StageNode[], needed: NeededLabels): Pipeline {
  const known = pipelines.get(key)
  if (known !== undefined) {
    pipelines.delete(key)
    pipelines.set(key, known)
    return known
  }
  const made = compilePipeline(stages, { needed })
  pipelines.set(key, made)
  const oldest = pipelines.keys().next().value
  if (pipelines.size > MAX_PIPELINES && oldest !== undefined) pipelines.delete(oldest)
  return made
}

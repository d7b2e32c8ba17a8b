/** Compiled pipelines of this thread. A query scans many jobs; compiling once keeps regular expressions and their code warm. */
import type { LabelPredicate, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import type { NeededLabels, Pipeline } from '#/logs/logql/pipeline/row.ts'

const MAX_PIPELINES = 64
/** Values of subqueries in all of them: they are not seen again when the query is over. */
const MAX_SUBQUERY_VALUES = 30_000

/** Least recently used first. */
const pipelines = new Map<string, CachedPipeline>()
let subqueryValues = 0

type CachedPipeline = { readonly pipeline: Pipeline; readonly values: number }

/** The pipeline of `stages`; `key` stands for them and for `needed`. @throws BadRequest when a stage is not evaluated yet. */
export function pipelineOf(key: string, stages: readonly RowStageNode[], needed: NeededLabels): Pipeline {
  const known = pipelines.get(key)
  if (known !== undefined) {
    pipelines.delete(key)
    pipelines.set(key, known)
    return known.pipeline
  }
  const pipeline = compilePipeline(stages, { needed })
  const values = stages.reduce((sum, stage) => sum + (stage.kind === 'label_filter' ? valueCount(stage.filter) : 0), 0)
  pipelines.set(key, { pipeline, values })
  subqueryValues += values
  dropOldest(key)
  return pipeline
}

/** Makes room for `newest`, which stays in any case. */
function dropOldest(newest: string): void {
  for (const [key, { values }] of pipelines) {
    const isFull = pipelines.size > MAX_PIPELINES || subqueryValues > MAX_SUBQUERY_VALUES
    if (!isFull || key === newest) return
    if (pipelines.size <= MAX_PIPELINES && values === 0) continue
    pipelines.delete(key)
    subqueryValues -= values
  }
}

function valueCount(predicate: LabelPredicate): number {
  if (predicate.kind === 'and' || predicate.kind === 'or') {
    return predicate.terms.reduce((sum, term) => sum + valueCount(term), 0)
  }
  return predicate.kind === 'in' ? (predicate.values?.length ?? 0) : 0
}

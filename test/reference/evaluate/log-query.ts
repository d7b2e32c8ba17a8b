/** Log queries: the entries that survive the pipeline, before limits. */
import type { LogExpr } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, RowStageNode, StageNode, TailNode } from '#/logs/logql/ast/stage-nodes.ts'
import { visibleLabels, type Fields, type StoredEntry } from './entry-state.ts'
import { runPipeline } from './pipeline.ts'

export type ReferenceRow = {
  readonly timeNs: bigint
  readonly line: string
  readonly labels: Fields
  /** The stream that the entry is stored in: between streams entries of one time have no order. */
  readonly stored: Fields
}
/** Every surviving entry, in order of time, equal times in order of `entries`. */
export function referenceRows(expr: LogExpr, entries: readonly StoredEntry[]): ReferenceRow[] {
  const stages = withValues(rowStages(expr.stages), entries)
  return runPipeline({ matchers: expr.matchers, stages }, entries, 'all')
    .map((state) => ({
      timeNs: state.timeNs,
      line: state.line,
      labels: visibleLabels(state),
      stored: state.base,
    }))
    .toSorted((a, b) => Number(a.timeNs - b.timeNs))
}

const tailKinds: readonly string[] = ['distinct', 'sort', 'limit'] satisfies TailNode['kind'][]

/** Stages that look at one entry at a time. */
export function rowStages(stages: readonly StageNode[]): RowStageNode[] {
  return stages.filter((stage): stage is RowStageNode => !tailKinds.includes(stage.kind))
}

/**
 * `name in ({…} | keep other)`: the stages with the values that the queries within find. `entries` are those of the range of time.
 */
export function withValues(stages: readonly RowStageNode[], entries: readonly StoredEntry[]): RowStageNode[] {
  return stages.map((stage) =>
    stage.kind === 'label_filter' ? { ...stage, filter: filled(stage.filter, entries) } : stage,
  )
}

function filled(predicate: LabelPredicate, entries: readonly StoredEntry[]): LabelPredicate {
  if (predicate.kind === 'in') return { ...predicate, values: valuesOf(predicate.query, entries) }
  if (predicate.kind !== 'and' && predicate.kind !== 'or') return predicate
  return { ...predicate, terms: predicate.terms.map((term) => filled(term, entries)) }
}

/** The last stage keeps one label, whose values these are. Entries without it say nothing. */
function valuesOf(query: LogExpr, entries: readonly StoredEntry[]): string[] {
  const last = query.stages.at(-1)
  const name = last?.kind === 'keep' ? last.choices[0]!.name : ''
  const rows = referenceRows(query, entries)
  return [...new Set(rows.map(({ labels }) => labels[name] ?? ''))].filter((value) => value !== '')
}

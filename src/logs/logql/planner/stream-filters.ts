/**
 * Label filters that speak of streams: `{app="a"} | json | pod="x"` is false for all entries of a stream whose label `pod` is another,
 * as parsers never overwrite a stream's label. Such streams, and the pages that have no other, are left out before anything is read.
 */
import type { LabelPredicate, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { StreamFilter } from './plan.ts'
import { isPlainLabel } from './rules/label-origin.ts'
import { predicateNames, readsTextOnly } from './rules/rule.ts'

export function streamFilters(stages: readonly RowStageNode[]): readonly StreamFilter[] {
  return stages.flatMap((node, index) =>
    node.kind === 'label_filter' ? filtersOf(node.filter, stages.slice(0, index)) : [],
  )
}

function filtersOf(filter: LabelPredicate, before: readonly RowStageNode[]): readonly StreamFilter[] {
  if (filter.kind === 'and') return filter.terms.flatMap((term) => filtersOf(term, before))
  const [name, ...others] = predicateNames(filter)
  if (name === undefined || others.length > 0) return []
  return readsTextOnly(filter) && isPlainLabel(name, before) ? [{ name, filter }] : []
}

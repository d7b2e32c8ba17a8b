/** Whether a query deals with pipeline errors itself. */
import { unreachable } from '#/kernel/assert.ts'
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, StageNode } from '#/logs/logql/ast/stage-nodes.ts'

const errorLabels = new Set(['__error__', '__error_details__'])

/** True when a label filter or the labels of `by` name `__error__` or its details. */
export function mentionsError(stages: readonly StageNode[], grouping: Grouping): boolean {
  if (grouping.kind === 'by' && grouping.labels.some((name) => errorLabels.has(name))) return true
  return stages.some((stage) => stage.kind === 'label_filter' && predicateMentions(stage.filter))
}

function predicateMentions(predicate: LabelPredicate): boolean {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return predicate.terms.some(predicateMentions)
    case 'text':
    case 'number':
    case 'duration':
    case 'bytes':
    case 'ip':
    case 'in':
      return errorLabels.has(predicate.name)
    default:
      return unreachable(predicate)
  }
}

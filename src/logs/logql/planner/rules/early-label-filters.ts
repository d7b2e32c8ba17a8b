/**
 * `| json | detected_level="error"`: where the stream or the metadata has the label, no parser changes what the filter sees, so the
 * entry can be dropped before it is parsed. The filter itself stays: it decides about entries that get the label from the line.
 */
import type { LabelFilterNode, LabelPredicate, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { isPlainLabel } from './label-origin.ts'
import { isParser, predicateNames, readsTextOnly, unchanged, type Rule } from './rule.ts'

export const earlyLabelFilters: Rule = {
  name: 'label filters before parsers',
  apply(stages) {
    const parser = stages.findIndex(isParser)
    if (parser < 0) return unchanged(stages)
    const start = stages.findIndex(({ kind }) => kind !== 'line_filter' && kind !== 'label_filter')
    const known = new Set(stages.slice(0, start).map(printStage))
    const early: LabelFilterNode[] = []
    for (const [index, node] of stages.entries()) {
      if (index < parser || node.kind !== 'label_filter') continue
      for (const filter of terms(node.filter)) {
        if (!isDecidedEarly(filter, stages.slice(0, index))) continue
        const added: LabelFilterNode = { kind: 'label_filter', filter: unlessMissing(filter), at: node.at }
        if (known.has(printStage(added))) continue
        known.add(printStage(added))
        early.push(added)
      }
    }
    return {
      stages: [...stages.slice(0, start), ...early, ...stages.slice(start)],
      notes: early.map((node) => `${printStage(node)} drops entries before they are parsed`),
    }
  },
}

/** Conditions that must all hold. */
function terms(filter: LabelPredicate): readonly LabelPredicate[] {
  return filter.kind === 'and' ? filter.terms.flatMap(terms) : [filter]
}

/** Whether a value that is there before all parsers is the one that the filter sees. */
function isDecidedEarly(filter: LabelPredicate, before: readonly RowStageNode[]): boolean {
  return readsTextOnly(filter) && [...predicateNames(filter)].every((name) => isPlainLabel(name, before))
}

/** The filter, with entries that lack one of its labels let through. */
function unlessMissing(filter: LabelPredicate): LabelPredicate {
  const missing = [...predicateNames(filter)].map((name): LabelPredicate => ({
    kind: 'text',
    name,
    op: '=',
    value: '',
    raw: false,
  }))
  return { kind: 'or', terms: [...missing, ...(filter.kind === 'or' ? filter.terms : [filter])] }
}

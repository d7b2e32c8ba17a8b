/**
 * A filter on the text of labels goes before stages that neither make nor change these labels: a template is not filled, an
 * expression not tried, for an entry that is dropped afterwards. Only filters on texts move: the others look at errors, and make some.
 */
import type { LabelFilterNode, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { outputsOf, touches } from './label-origin.ts'
import { predicateNames, readsTextOnly, type Rule } from './rule.ts'

/** Stages that cost more than a label filter. */
const costly: ReadonlySet<RowStageNode['kind']> = new Set([
  'json',
  'logfmt',
  'regexp',
  'pattern',
  'line_format',
  'label_format',
  'decolorize',
])

export const moveLabelFilters: Rule = {
  name: 'move label filters',
  apply(stages) {
    const moved: RowStageNode[] = [...stages]
    const notes: string[] = []
    for (const node of stages) {
      if (node.kind !== 'label_filter' || !readsTextOnly(node.filter)) continue
      const from = moved.indexOf(node)
      const to = earliest(node, moved, from)
      if (to === from) continue
      notes.push(`${printStage(node)} does not depend on ${printStage(moved[to]!)}`)
      moved.splice(from, 1)
      moved.splice(to, 0, node)
    }
    return notes.length === 0 ? { stages, notes } : { stages: moved, notes }
  },
}

/** The earliest place from which on all stages may as well run behind the filter; only stages that cost something are worth it. */
function earliest(node: LabelFilterNode, stages: readonly RowStageNode[], from: number): number {
  const names = [...predicateNames(node.filter)]
  let to = from
  for (let at = from - 1; at >= 0; at--) {
    const passed = stages[at]!
    const outputs = outputsOf(passed)
    if (outputs === undefined || names.some((name) => outputs.includes(name) || touches(passed, name))) break
    if (costly.has(passed.kind)) to = at
  }
  return to
}

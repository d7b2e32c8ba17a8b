/**
 * Line filters on the stored line go first, the quickest and most selective before the others: a filter drops the same lines whether
 * parsers and label filters ran before it or not.
 */
import { printStage } from '#/logs/logql/stages/index.ts'
import { lineFilterRank } from './line-filter-class.ts'
import { isLineFilter, storedLineStages, unchanged, type Rule } from './rule.ts'

export const orderLineFilters: Rule = {
  name: 'order line filters',
  apply(stages) {
    const stored = stages.slice(0, storedLineStages(stages))
    const filters = stored.filter(isLineFilter)
    const rank = new Map(filters.map((node) => [node, lineFilterRank(node)]))
    const ordered = filters.toSorted((a, b) => rank.get(a)! - rank.get(b)!)
    if (ordered.every((node, i) => node === stages[i])) return unchanged(stages)
    const rest = stages.filter((node, i) => i >= stored.length || !isLineFilter(node))
    return {
      stages: [...ordered, ...rest],
      notes: [`line filters see whole pages before any other stage runs: ${ordered.map(printStage).join(' ')}`],
    }
  },
}

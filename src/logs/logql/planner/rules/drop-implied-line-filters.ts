/** A line filter that says no more than another one on the same line: `|= "err"` beside `|= "error"`, or the same one twice. */
import type { LineFilterNode, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { implies } from './implies.ts'
import { isLineFilter, writesLine, type Rule } from './rule.ts'

/** Each filter is compared with each other one; beyond this many there is no end to it. */
const MAX_COMPARED = 64

export const dropImpliedLineFilters: Rule = {
  name: 'drop implied line filters',
  apply(stages) {
    const dropped = new Map<RowStageNode, LineFilterNode>()
    for (const filters of filtersByLine(stages)) {
      if (filters.length > MAX_COMPARED) continue
      // from the last one on, so that of equal ones the first stays
      for (const filter of filters.toReversed()) {
        const stricter = filters.find((other) => other !== filter && !dropped.has(other) && implies(other, filter))
        if (stricter) dropped.set(filter, stricter)
      }
    }
    return {
      stages: stages.filter((node) => !dropped.has(node)),
      notes: [...dropped].map(([node, by]) => `${printStage(node)} follows from ${printStage(by)}`),
    }
  },
}

/** Line filters in groups that see the same line. */
function filtersByLine(stages: readonly RowStageNode[]): LineFilterNode[][] {
  const groups: LineFilterNode[][] = [[]]
  for (const node of stages) {
    if (isLineFilter(node)) groups.at(-1)!.push(node)
    if (writesLine(node)) groups.push([])
  }
  return groups
}

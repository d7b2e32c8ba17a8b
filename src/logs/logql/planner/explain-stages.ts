/** What the stages of a selection do, one by one: over which bytes, for which labels, and how fast. */
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import { printStage, stageOf } from '#/logs/logql/stages/index.ts'
import type { StagePlan } from './explained.ts'
import type { Selection } from './plan.ts'
import { lineFilterClass, type LineFilterClass } from './rules/line-filter-class.ts'
import { isLineFilter, isParser, storedLineStages } from './rules/rule.ts'
import { stageSpeed } from './stage-cost.ts'

const searches: Readonly<Record<LineFilterClass, string>> = {
  text: 'bytes of the page as a whole',
  folded: 'bytes of the page in lower case',
  regex_text: 'lines that have a text which every match contains',
  regex_folded: 'lines that have such a text in any case',
  pattern: 'line by line',
  ip: 'line by line',
  regex: 'line by line',
}

/** Stages in the order in which they run. */
export function explainStages({ stages, needed }: Selection): readonly StagePlan[] {
  const stored = storedLineStages(stages)
  const explained: StagePlan[] = []
  let after: NeededLabels = needed
  for (const [index, node] of [...stages.entries()].toReversed()) {
    explained.unshift(explainStage(node, after, index < stored))
    after = stageOf(node).needs(node, after)
  }
  return [...explained.filter(({ over }) => over === 'page'), ...explained.filter(({ over }) => over === 'row')]
}

function explainStage(node: RowStageNode, needed: NeededLabels, seesStoredLine: boolean): StagePlan {
  const isFilter = isLineFilter(node)
  return {
    stage: printStage(node),
    over: isFilter && seesStoredLine ? 'page' : 'row',
    ...(isParser(node) && { extracts: extracted(needed) }),
    ...(isFilter && { search: searches[lineFilterClass(node)] }),
    ...(isFilter &&
      node.unlessLabels && { unless: `${node.unlessLabels.join(' or ')} is a label of the stream or metadata` }),
    megabytesPerSecond: stageSpeed(node, needed),
  }
}

function extracted(needed: NeededLabels): 'all' | 'nothing' | readonly string[] {
  if (needed === 'all') return 'all'
  return needed.size === 0 ? 'nothing' : [...needed].toSorted()
}

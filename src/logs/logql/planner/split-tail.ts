/** Divides the stages of a query into those that look at one entry at a time and those that need all entries at once. */
import type { RowStageNode, StageNode, TailNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { RowTail } from './plan.ts'

export type SplitStages = { readonly rowStages: readonly RowStageNode[]; readonly tail: RowTail }

/** The parser has seen to it that `distinct`, `sort` and `limit` stand behind all others, at most one of each. */
export function splitTail(stages: readonly StageNode[]): SplitStages {
  const rowStages: RowStageNode[] = []
  let tail: RowTail = { distinct: undefined, sort: undefined, limit: undefined }
  for (const node of stages) {
    if (isTail(node)) tail = withTail(tail, node)
    else rowStages.push(node)
  }
  return { rowStages, tail }
}

function isTail(node: StageNode): node is TailNode {
  return node.kind === 'distinct' || node.kind === 'sort' || node.kind === 'limit'
}

function withTail(tail: RowTail, node: TailNode): RowTail {
  switch (node.kind) {
    case 'distinct':
      return { ...tail, distinct: node.labels }
    case 'sort':
      return { ...tail, sort: { label: node.label, descending: node.descending } }
    case 'limit':
      return { ...tail, limit: node.count }
  }
}

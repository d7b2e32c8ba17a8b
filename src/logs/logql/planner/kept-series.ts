/**
 * Which series of a leaf an evaluation at one time has use for. `topk` and `bottomk` over all series of a leaf look at the best few,
 * so that the others need not become series at all.
 */
import type { LabelGrouping } from '#/series/labels.ts'
import type { Extremes } from '#/series/top-k.ts'
import type { MetricLeaf, MetricNode } from './plan.ts'

/** By leaf; undefined where all series count. Each leaf stands in the tree once. */
export function keptSeries(root: MetricNode, leaves: readonly MetricLeaf[]): readonly (Extremes | undefined)[] {
  const kept = leaves.map((): Extremes | undefined => undefined)
  const visit = (node: MetricNode): void => {
    if (node.kind === 'binary' || node.kind === 'set') {
      visit(node.left)
      visit(node.right)
    } else if (node.kind === 'label_replace') {
      visit(node.input)
    } else if (node.kind === 'aggregate') {
      const { op, grouping, input, parameter } = node
      const leaf = leafBelow(input, leaves)
      const isExtreme = (op === 'topk' || op === 'bottomk') && isOneGroup(grouping)
      if (isExtreme && leaf !== undefined) kept[leaf] = { op, k: parameter ?? 0 }
      visit(input)
    }
  }
  visit(root)
  return kept
}

function isOneGroup(grouping: LabelGrouping | undefined): boolean {
  return grouping === undefined || (grouping.kind === 'by' && grouping.labels.length === 0)
}

/** The leaf whose series are those of `node`: itself, or sums that have one series in each group. */
function leafBelow(node: MetricNode, leaves: readonly MetricLeaf[]): number | undefined {
  if (node.kind === 'leaf') return node.leaf
  if (node.kind !== 'aggregate' || node.op !== 'sum' || node.grouping?.kind !== 'by') return undefined
  const below = leafBelow(node.input, leaves)
  if (below === undefined) return undefined
  const { grouping } = leaves[below]!
  const { labels } = node.grouping
  return grouping.kind === 'by' && grouping.labels.every((name) => labels.includes(name)) ? below : undefined
}

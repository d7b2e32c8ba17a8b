/**
 * Which parts of a metric query can be computed over shards (each a part of the streams, over the whole time) and put together
 * afterwards. What is above such a part is evaluated once, over the merged series.
 *
 * A range function can be divided when its values over parts of the entries add up (`sum`) or compare (`min`, `max`), or when series
 * keep all labels of their streams, so that each comes from one shard (`concat`). A vector aggregation goes into the shards as well
 * where it may be applied in two steps: sums of sums always; the others only when whole series come from one shard, as the least of
 * partial counts is not the least count.
 *
 * Series that keep all labels of their streams may still meet: entries of `{a="b"}` that bring `pod="x"` in their metadata or their
 * line make the series of the stream `{a="b", pod="x"}`. Merging with `concat` sees the series twice and can have the part computed
 * again undivided; an aggregation inside the shards cannot, which `isExact` says.
 */
import type { MetricLeaf, MetricNode, MetricPlan } from './plan.ts'

/** How the series of shards become one set: those with equal labels are added or compared, or there are none. */
export type ShardMerge = 'sum' | 'min' | 'max' | 'concat' | 'sum_and_count'

/** A subtree with one leaf, and how it is computed. */
export type ShardPart = {
  readonly leaf: number
  /** The aggregation around the leaf that shards compute as well. */
  readonly aggregation: string | undefined
  /** Undefined: the part must see all streams at once. */
  readonly merge: ShardMerge | undefined
  /** False when series of different streams that happen to have equal labels would count as two. */
  readonly isExact: boolean
  readonly reason: string
}

type Merge = Pick<ShardPart, 'merge' | 'isExact' | 'reason'>

/** One part for each leaf. */
export function shardParts({ root, leaves }: Pick<MetricPlan, 'root' | 'leaves'>): readonly ShardPart[] {
  const parts: ShardPart[] = []
  visit(root, leaves, parts)
  return parts.toSorted((a, b) => a.leaf - b.leaf)
}

function visit(node: MetricNode, leaves: readonly MetricLeaf[], parts: ShardPart[]): void {
  switch (node.kind) {
    case 'leaf':
    case 'absent':
      parts.push({ leaf: node.leaf, aggregation: undefined, ...leafMerge(leaves[node.leaf]!) })
      return
    case 'aggregate': {
      const { input, op } = node
      const merge = input.kind === 'leaf' ? aggregateMerge(op, leaves[input.leaf]!) : undefined
      if (input.kind === 'leaf' && merge) parts.push({ leaf: input.leaf, aggregation: op, ...merge })
      else visit(input, leaves, parts)
      return
    }
    case 'label_replace':
      return visit(node.input, leaves, parts)
    case 'binary':
    case 'set':
      visit(node.left, leaves, parts)
      return visit(node.right, leaves, parts)
    case 'number':
    case 'vector':
      return
  }
}

/** What values over parts of the entries of a series come to. */
const leafMerges: Readonly<Record<string, ShardMerge>> = {
  count_over_time: 'sum',
  rate: 'sum',
  bytes_over_time: 'sum',
  bytes_rate: 'sum',
  sum_over_time: 'sum',
  absent_over_time: 'sum',
  min_over_time: 'min',
  max_over_time: 'max',
  avg_over_time: 'sum_and_count',
}

/** What values over parts of the series come to. */
const aggregateMerges: Readonly<Record<string, ShardMerge>> = {
  sum: 'sum',
  min: 'min',
  max: 'max',
  count: 'sum',
  avg: 'sum_and_count',
}

/** Undefined when the aggregation must wait until the series are whole. */
function aggregateMerge(op: string, leaf: MetricLeaf): Merge | undefined {
  const merge = aggregateMerges[op]
  if (merge === undefined) return undefined
  if (op !== 'count' && op !== 'avg' && merge === leafMerges[leaf.op]) {
    return { merge, isExact: true, reason: `the ${op} of what the shards find is the ${op} over all` }
  }
  if (!keepsStreams(leaf)) return undefined
  return { merge, isExact: false, reason: `each series belongs to one stream, so ${op} can be put together` }
}

function leafMerge(leaf: MetricLeaf): Merge {
  const merge = leafMerges[leaf.op]
  if (merge !== undefined) return { merge, isExact: true, reason: `${leaf.op} can be put together from parts` }
  if (keepsStreams(leaf)) return { merge: 'concat', isExact: true, reason: 'each series belongs to one stream' }
  const reason = `${leaf.op} needs all entries of a series, which may come from streams of several shards`
  return { merge: undefined, isExact: true, reason }
}

/** Whether a series has all labels of its stream: no stage and no grouping takes one away. */
function keepsStreams({ grouping, stages }: MetricLeaf): boolean {
  const hidesLabels = stages.some(({ kind }) => kind === 'drop' || kind === 'keep' || kind === 'label_format')
  return grouping.kind === 'without' && grouping.labels.length === 0 && !hidesLabels
}

/** A plan in words: what is done with series, how samples are made, what is asked of all entries together. */
import { formatGoDuration, formatPrometheusDuration } from '#/kernel/duration.ts'
import { printGrouping, printUnwrap } from '#/logs/logql/format/print.ts'
import type { Operation, SamplePlan } from './explained.ts'
import type { MetricLeaf, MetricNode, MetricPlan, RowTail } from './plan.ts'
import { mergeable } from './range-leaf.ts'
import { shardParts, type ShardPart } from './shardable.ts'

/** The tree of a metric query; numbers stand in its leaves. */
export function explainTree(node: MetricNode, leaves: readonly MetricLeaf[]): Operation {
  switch (node.kind) {
    case 'leaf':
      return { operation: leaves[node.leaf]!.op, selection: node.leaf }
    case 'absent':
      return { operation: 'absent_over_time', selection: node.leaf }
    case 'number':
      return { operation: String(node.value) }
    case 'vector':
      return { operation: `vector(${node.value})` }
    case 'aggregate': {
      const parameter = node.parameter === undefined ? '' : ` ${node.parameter}`
      const grouping = node.grouping === undefined ? '' : ` ${printGrouping(node.grouping)}`
      return { operation: `${node.op}${parameter}${grouping}`, inputs: [explainTree(node.input, leaves)] }
    }
    case 'binary':
    case 'set': {
      const inputs = [explainTree(node.left, leaves), explainTree(node.right, leaves)]
      const bool = node.kind === 'binary' && node.returnBool ? ' bool' : ''
      return { operation: `${node.op}${bool}${printMatching(node.matching)}`, inputs }
    }
    case 'label_replace':
      return { operation: `label_replace ${node.target}`, inputs: [explainTree(node.input, leaves)] }
  }
}

/** One for each leaf. */
export function explainSamples(plan: MetricPlan): readonly SamplePlan[] {
  const parts = shardParts(plan)
  return plan.leaves.map((leaf, index) => {
    const pushedDown = pushedDownGroups(plan.root, index, leaf)
    return {
      function: leaf.op,
      measure: measureText(leaf),
      range: formatPrometheusDuration(Number(leaf.rangeNs)),
      ...(leaf.offsetNs !== 0n && { offset: formatGoDuration(Number(leaf.offsetNs)) }),
      series: seriesText(leaf),
      ...(pushedDown !== undefined && { pushedDown }),
      errors: leaf.preserveErrors ? 'keep' : 'fail',
      sharding: shardingOf(parts[index]!),
    }
  })
}

export function explainTail({ distinct, sort, limit }: RowTail): readonly string[] {
  const parts: string[] = []
  if (distinct !== undefined) parts.push(`the first entry of each value of ${distinct.join(', ')}`)
  if (sort !== undefined) parts.push(`ordered by ${sort.label}${sort.descending ? ', greatest first' : ''}`)
  if (limit !== undefined) parts.push(`at most ${limit} entries`)
  return parts
}

function printMatching(matching: (MetricNode & { readonly kind: 'binary' })['matching']): string {
  if (matching === undefined) return ''
  const { kind, labels, group } = matching
  const include = group === undefined ? '' : ` group_${group.side} (${group.include.join(',')})`
  return ` ${kind} (${labels.join(',')})${include}`
}

function measureText({ measure, unwrap, countedLabel }: MetricLeaf): string {
  switch (measure) {
    case 'rows':
      return 'entries'
    case 'bytes':
      return 'bytes of lines'
    case 'value':
      return unwrap === undefined ? 'values' : printUnwrap(unwrap).join(' ')
    case 'label':
      return `values of ${countedLabel ?? ''}`
  }
}

function seriesText({ grouping }: MetricLeaf): string {
  if (grouping.labels.length > 0) return printGrouping(grouping)
  return grouping.kind === 'by' ? 'one' : 'all labels'
}

/** The aggregation around a leaf, when the leaf makes its groups already. */
function pushedDownGroups(node: MetricNode, index: number, leaf: MetricLeaf): string | undefined {
  if (node.kind === 'label_replace') return pushedDownGroups(node.input, index, leaf)
  if (node.kind === 'binary' || node.kind === 'set') {
    return pushedDownGroups(node.left, index, leaf) ?? pushedDownGroups(node.right, index, leaf)
  }
  if (node.kind !== 'aggregate') return undefined
  const { input, op, grouping } = node
  if (input.kind !== 'leaf' || input.leaf !== index) return pushedDownGroups(input, index, leaf)
  const isPushed = mergeable[op]?.has(leaf.op) === true && leaf.grouping.kind === (grouping?.kind ?? 'by')
  return isPushed ? `${op}${grouping === undefined ? '' : ` ${printGrouping(grouping)}`}` : undefined
}

function shardingOf({ merge, aggregation, isExact, reason }: ShardPart): SamplePlan['sharding'] {
  return { merge: merge ?? 'none', ...(aggregation !== undefined && { aggregation }), exact: isExact, reason }
}

/** Aggregations of a vector, and `label_replace`. */
import type { LabelReplace, VectorAggregation } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import { without } from './entry-state.ts'
import { areClose, Undecided } from './outcome.ts'
import { sum, variance } from './range-functions.ts'
import { grouped, keyOf, type Sample, type Vector } from './samples.ts'

/** Groups in order of their first sample; sorted only by `sort` and `sort_desc`. */
export function aggregateVector({ op, parameter, grouping }: VectorAggregation<StageNode>, input: Vector): Vector {
  if (op === 'sort') return input.toSorted((a, b) => a.value - b.value)
  if (op === 'sort_desc') return input.toSorted((a, b) => b.value - a.value)
  const groups = Map.groupBy(input, ({ labels }) => keyOf(grouped(labels, grouping ?? { kind: 'by', labels: [] })))
  return [...groups.values()].flatMap((members) => {
    if (op === 'topk' || op === 'bottomk' || op === 'approx_topk')
      return best(members, parameter ?? 0, op !== 'bottomk')
    const values = members.map(({ value }) => value)
    return [{ labels: grouped(members[0]!.labels, grouping ?? { kind: 'by', labels: [] }), value: fold(op, values) }]
  })
}

/** The largest or smallest; what is not a number comes last. */
function best(members: readonly Sample[], count: number, isLargest: boolean): Vector {
  const rank = (value: number): number => (Number.isNaN(value) ? Infinity : isLargest ? -value : value)
  const ordered = members.toSorted((a, b) => compareRanks(rank(a.value), rank(b.value)))
  const [lastIn, firstOut] = [ordered[count - 1], ordered[count]]
  if (lastIn && firstOut && areClose(rank(lastIn.value), rank(firstOut.value)))
    throw new Undecided('equal values at the cut')
  return ordered.slice(0, count)
}

function compareRanks(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function fold(op: string, values: readonly number[]): number {
  switch (op) {
    case 'sum':
      return sum(values)
    case 'avg':
      return sum(values) / values.length
    case 'min':
      return values.reduce((least, value) => (value < least || Number.isNaN(least) ? value : least))
    case 'max':
      return values.reduce((most, value) => (value > most || Number.isNaN(most) ? value : most))
    case 'count':
      return values.length
    case 'stdvar':
      return variance(values)
    case 'stddev':
      return Math.sqrt(variance(values))
    default:
      throw new Error(`the reference does not know ${op}`)
  }
}

export function replaceLabels(expr: LabelReplace<StageNode>, input: Vector): Vector {
  const { target, replacement, source, regex } = expr
  const compiled = compileRegex(regex, { anchored: true, dotAll: false })
  return input.map(({ labels, value }) => {
    const match = compiled.exec(labels[source] ?? '')
    if (match === undefined) return { labels, value }
    const text = replacement.replaceAll(/\$(\d)|\$\{(\w+)\}/g, (_, digit?: string, name?: string) => {
      const reference = digit ?? name ?? ''
      return (
        match.groups[/^\d+$/.test(reference) ? Number(reference) : compiled.groupNames.indexOf(reference) + 1] ?? ''
      )
    })
    const others = without(labels, target)
    return { labels: text === '' ? others : { ...others, [target]: text }, value }
  })
}

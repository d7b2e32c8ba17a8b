/** Evaluates the tree of a metric query over the series of its leaves. */
import { defined, unreachable } from '#/kernel/assert.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import { aggregate } from '#/series/aggregate.ts'
import { noLabels } from '#/series/labels.ts'
import { operateScalars } from '#/series/operators.ts'
import { operateWithScalar } from '#/series/scalar-operation.ts'
import { constantSeries, newSeries, withoutEmpty, type Series, type SeriesSet } from '#/series/series-set.ts'
import { replaceLabel } from '#/series/replace-label.ts'
import { combineSets, operateOnSets } from '#/series/vector-matching.ts'
import { expandTemplate } from './expand-template.ts'
import type { MetricNode } from './plan.ts'

/** `leaves[i]` is the set of leaf `i`. @throws BadRequest when vectors cannot be matched. */
export function evaluateTree(root: MetricNode, leaves: readonly SeriesSet[], stepCount: number): SeriesSet {
  return withoutEmpty(asSet(evaluate(root, { leaves, stepCount }), stepCount))
}

type Context = { readonly leaves: readonly SeriesSet[]; readonly stepCount: number }

function evaluate(node: MetricNode, context: Context): SeriesSet | number {
  const { stepCount } = context
  switch (node.kind) {
    case 'leaf':
      return leafSet(node.leaf, context)
    case 'absent':
      return { stepCount, series: [absentSeries(leafSet(node.leaf, context), node.labels)] }
    case 'number':
      return node.value
    case 'vector':
      return { stepCount, series: [constantSeries(noLabels, stepCount, node.value)] }
    case 'aggregate':
      return aggregate(asSet(evaluate(node.input, context), stepCount), node)
    case 'binary':
      return evaluateBinary(node, context)
    case 'set': {
      const left = asSet(evaluate(node.left, context), stepCount)
      const right = asSet(evaluate(node.right, context), stepCount)
      return combineSets(left, right, node.op, node.matching)
    }
    case 'label_replace':
      return relabel(node, asSet(evaluate(node.input, context), stepCount))
    default:
      return unreachable(node)
  }
}

function relabel(node: MetricNode & { readonly kind: 'label_replace' }, set: SeriesSet): SeriesSet {
  const { target, source, replacement } = node
  const regex = compileRegex(node.regex, { anchored: true, dotAll: false })
  const replace = (value: string): string | undefined => {
    const match = regex.exec(value)
    return match && expandTemplate(replacement, regex, match)
  }
  return replaceLabel(set, { target, source, replace })
}

function evaluateBinary(node: MetricNode & { readonly kind: 'binary' }, context: Context): SeriesSet | number {
  const left = evaluate(node.left, context)
  const right = evaluate(node.right, context)
  const { op, returnBool, matching } = node
  if (typeof left === 'number') {
    if (typeof right === 'number') return operateScalars(op, left, right)
    return operateWithScalar(right, { op, scalar: left, scalarSide: 'left', returnBool })
  }
  if (typeof right === 'number') return operateWithScalar(left, { op, scalar: right, scalarSide: 'right', returnBool })
  return operateOnSets(left, right, { op, returnBool, matching })
}

/** A number where series are asked for is one series without labels. */
function asSet(value: SeriesSet | number, stepCount: number): SeriesSet {
  return typeof value === 'number' ? { stepCount, series: [constantSeries(noLabels, stepCount, value)] } : value
}

function leafSet(leaf: number, { leaves }: Context): SeriesSet {
  return defined(leaves[leaf], `series of leaf ${leaf}`)
}

/** 1 at each step at which no series has a sample. */
function absentSeries({ stepCount, series }: SeriesSet, labels: Series['labels']): Series {
  const result = newSeries(labels, stepCount)
  for (let step = 0; step < stepCount; step++) {
    if (series.some(({ present }) => present[step] === 1)) continue
    result.values[step] = 1
    result.present[step] = 1
  }
  return result
}

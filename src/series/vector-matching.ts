/**
 * Operators between two sets of series. At each step a sample of one side meets the samples of the other side that have the
 * same signature: all labels, only those of `on (…)`, or all but those of `ignoring (…)`.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { dropLabels, keepLabels, labelsKey, labelValue, setLabel, type SeriesLabels } from './labels.ts'
import { operate, type ArithmeticOp, type ComparisonOp, type SetOp } from './operators.ts'
import { newSeries, SeriesBuilder, withoutEmpty, type Series, type SeriesSet } from './series-set.ts'

export type Matching = {
  readonly kind: 'on' | 'ignoring'
  readonly labels: readonly string[]
  /** `group_left`: many samples of the left side may meet one of the right; `group_right` the other way round. */
  readonly group: { readonly side: 'left' | 'right'; readonly include: readonly string[] } | undefined
}

export type VectorOperation = {
  readonly op: ArithmeticOp | ComparisonOp
  readonly returnBool: boolean
  readonly matching: Matching | undefined
}

/** Arithmetic and comparison. @throws BadRequest when samples meet that the matching does not allow to meet. */
export function operateOnSets(left: SeriesSet, right: SeriesSet, operation: VectorOperation): SeriesSet {
  const { matching } = operation
  const manyIsLeft = matching?.group?.side !== 'right'
  const [many, one] = manyIsLeft ? [left, right] : [right, left]
  const bySignature = indexOneSide(one, matching, manyIsLeft ? 'right' : 'left')
  const results = new SeriesBuilder(left.stepCount)
  /** Steps at which a sample of the one side has met its partner already, by signature. */
  const met = new Map<string, Uint8Array>()
  for (const manySeries of many.series) {
    const signature = labelsKey(signatureOf(manySeries.labels, matching))
    const partners = bySignature.get(signature)
    if (partners === undefined) continue
    let metSteps = met.get(signature)
    if (metSteps === undefined) met.set(signature, (metSteps = new Uint8Array(left.stepCount)))
    joinSeries(manySeries, partners, { operation, manyIsLeft, results, metSteps })
  }
  return results.finish()
}

type OneSide = { readonly series: readonly Series[]; readonly atStep: Int32Array }
type Join = {
  readonly operation: VectorOperation
  readonly manyIsLeft: boolean
  readonly results: SeriesBuilder
  readonly metSteps: Uint8Array
}

/** The series of the one side by signature, and which of them has the sample of a step (-1: none). */
function indexOneSide(
  set: SeriesSet,
  matching: Matching | undefined,
  side: 'left' | 'right',
): ReadonlyMap<string, OneSide> {
  const index = new Map<string, { series: Series[]; atStep: Int32Array }>()
  for (const series of set.series) {
    const key = labelsKey(signatureOf(series.labels, matching))
    let entry = index.get(key)
    if (entry === undefined) index.set(key, (entry = { series: [], atStep: new Int32Array(set.stepCount).fill(-1) }))
    for (let step = 0; step < set.stepCount; step++) {
      if (series.present[step] === 0) continue
      if (entry.atStep[step] !== -1) {
        throw new BadRequest(
          `found duplicate series on the ${side} hand-side;many-to-many matching not allowed: matching labels must be unique on one side`,
        )
      }
      entry.atStep[step] = entry.series.length
    }
    entry.series.push(series)
  }
  return index
}

function joinSeries(many: Series, partners: OneSide, join: Join): void {
  const { operation, manyIsLeft, results, metSteps } = join
  const targets = new Map<number, Series>()
  for (let step = 0; step < many.present.length; step++) {
    const at = partners.atStep[step]!
    if (many.present[step] === 0 || at < 0) continue
    const one = partners.series[at]!
    const pair: [number, number] = manyIsLeft
      ? [many.values[step]!, one.values[step]!]
      : [one.values[step]!, many.values[step]!]
    const value = operate(operation.op, pair, { returnBool: operation.returnBool, kept: pair[0] })
    if (value === undefined) continue
    if (operation.matching?.group === undefined) {
      if (metSteps[step] === 1) {
        throw new BadRequest(
          'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
        )
      }
      metSteps[step] = 1
    }
    let target = targets.get(at)
    if (target === undefined) {
      targets.set(at, (target = results.at(resultLabels(many.labels, one.labels, operation.matching))))
    }
    if (target.present[step] === 1) {
      throw new BadRequest('multiple matches for labels: grouping labels must ensure unique matches')
    }
    target.values[step] = value
    target.present[step] = 1
  }
}

function signatureOf(labels: SeriesLabels, matching: Matching | undefined): SeriesLabels {
  if (matching === undefined) return labels
  return matching.kind === 'on' ? keepLabels(labels, matching.labels) : dropLabels(labels, matching.labels)
}

function resultLabels(many: SeriesLabels, one: SeriesLabels, matching: Matching | undefined): SeriesLabels {
  if (matching === undefined) return many
  if (matching.group === undefined) return signatureOf(many, matching)
  return matching.group.include.reduce((labels, name) => setLabel(labels, name, labelValue(one, name)), many)
}

/** `and`, `or`, `unless`: labels and values stay as they are. */
export function combineSets(left: SeriesSet, right: SeriesSet, op: SetOp, matching: Matching | undefined): SeriesSet {
  const { stepCount } = left
  if (op === 'or') {
    const added = selectSteps(right, stepsBySignature(left, matching), matching, 0)
    return mergeSets(left, added)
  }
  return withoutEmpty({
    stepCount,
    series: selectSteps(left, stepsBySignature(right, matching), matching, op === 'and' ? 1 : 0),
  })
}

/** For each signature the steps at which any series has a sample. */
function stepsBySignature(set: SeriesSet, matching: Matching | undefined): ReadonlyMap<string, Uint8Array> {
  const steps = new Map<string, Uint8Array>()
  for (const { labels, present } of set.series) {
    const key = labelsKey(signatureOf(labels, matching))
    let any = steps.get(key)
    if (any === undefined) steps.set(key, (any = new Uint8Array(set.stepCount)))
    for (let step = 0; step < set.stepCount; step++) any[step]! |= present[step]!
  }
  return steps
}

/** The samples whose signature is (`wanted` 1) or is not (0) among `others` at their step. */
function selectSteps(
  set: SeriesSet,
  others: ReadonlyMap<string, Uint8Array>,
  matching: Matching | undefined,
  wanted: 0 | 1,
): Series[] {
  return set.series.map((series) => {
    const other = others.get(labelsKey(signatureOf(series.labels, matching)))
    const result = newSeries(series.labels, set.stepCount)
    for (let step = 0; step < set.stepCount; step++) {
      if (series.present[step] === 0 || (other?.[step] ?? 0) !== wanted) continue
      result.values[step] = series.values[step]!
      result.present[step] = 1
    }
    return result
  })
}

/** Both, where series of equal labels become one; at no step do two such series have a sample. */
function mergeSets(left: SeriesSet, added: readonly Series[]): SeriesSet {
  const results = new SeriesBuilder(left.stepCount)
  for (const { labels, values, present } of [...left.series, ...added]) {
    const target = results.at(labels)
    for (let step = 0; step < left.stepCount; step++) {
      if (present[step] === 0 || target.present[step] === 1) continue
      target.values[step] = values[step]!
      target.present[step] = 1
    }
  }
  return results.finish()
}

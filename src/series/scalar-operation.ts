/** Arithmetic and comparison between a set of series and one number, either way round. */
import { operate, type ArithmeticOp, type ComparisonOp } from './operators.ts'
import { newSeries, withoutEmpty, type Series, type SeriesSet } from './series-set.ts'

export type ScalarOperation = {
  readonly op: ArithmeticOp | ComparisonOp
  readonly scalar: number
  /** On which side of the operator the number stands. */
  readonly scalarSide: 'left' | 'right'
  readonly returnBool: boolean
}

/** All labels stay. A comparison without `bool` keeps the set's own value, whichever side it stands on. */
export function operateWithScalar(set: SeriesSet, operation: ScalarOperation): SeriesSet {
  const series = set.series.map((one) => operateSeries(one, set.stepCount, operation))
  return withoutEmpty({ stepCount: set.stepCount, series })
}

function operateSeries(from: Series, stepCount: number, operation: ScalarOperation): Series {
  const { op, scalar, scalarSide, returnBool } = operation
  const result = newSeries(from.labels, stepCount)
  for (let step = 0; step < stepCount; step++) {
    if (from.present[step] === 0) continue
    const own = from.values[step]!
    const value = operate(op, scalarSide === 'right' ? [own, scalar] : [scalar, own], { returnBool, kept: own })
    if (value === undefined) continue
    result.values[step] = value
    result.present[step] = 1
  }
  return result
}

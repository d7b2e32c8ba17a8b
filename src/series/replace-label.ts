/** `label_replace`: gives a label a value made from another one's. */
import { labelValue, setLabel } from './labels.ts'
import type { SeriesSet } from './series-set.ts'

export type LabelReplacement = {
  readonly target: string
  readonly source: string
  /** The new value for a value of `source` ('' when missing); undefined leaves the series as it is, '' removes the label. */
  readonly replace: (value: string) => string | undefined
}

/** Label sets may coincide afterwards; that is not checked. */
export function replaceLabel(set: SeriesSet, { target, source, replace }: LabelReplacement): SeriesSet {
  const series = set.series.map((one) => {
    const value = replace(labelValue(one.labels, source))
    return value === undefined ? one : { ...one, labels: setLabel(one.labels, target, value) }
  })
  return { stepCount: set.stepCount, series }
}

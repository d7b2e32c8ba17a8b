/**
 * Labelled series of numbers over the steps of one query. The vector layer (aggregations, binary operations) works on whole
 * sets: a step is a position, time is known only to whoever made the set.
 *
 * Invariants: every series of a set has `stepCount` values; `values[i]` counts only where `present[i]` is 1; label sets are
 * unique in a set, except after label replacement, which does not check. A set and its series are never changed once made.
 */
import { compareLabels, labelsKey, type SeriesLabels } from './labels.ts'

export type Series = { readonly labels: SeriesLabels; readonly values: Float64Array; readonly present: Uint8Array }

export type SeriesSet = { readonly stepCount: number; readonly series: readonly Series[] }

export function newSeries(labels: SeriesLabels, stepCount: number): Series {
  return { labels, values: new Float64Array(stepCount), present: new Uint8Array(stepCount) }
}

/** A series with `value` at every step. */
export function constantSeries(labels: SeriesLabels, stepCount: number, value: number): Series {
  return {
    labels,
    values: new Float64Array(stepCount).fill(value),
    present: new Uint8Array(stepCount).fill(1),
  }
}

export function hasSamples(series: Series): boolean {
  return series.present.includes(1)
}

/** Leaves out series without a sample. */
export function withoutEmpty(set: SeriesSet): SeriesSet {
  return set.series.every(hasSamples) ? set : { stepCount: set.stepCount, series: set.series.filter(hasSamples) }
}

/** Series ordered by labels. */
export function sortedByLabels(series: readonly Series[]): readonly Series[] {
  return series.toSorted((a, b) => compareLabels(a.labels, b.labels))
}

/** Series made one by one under their labels: the first use of a label set makes an empty series. */
export class SeriesBuilder {
  readonly #stepCount: number
  readonly #byKey = new Map<string, Series>()

  constructor(stepCount: number) {
    this.#stepCount = stepCount
  }

  at(labels: SeriesLabels): Series {
    const key = labelsKey(labels)
    let series = this.#byKey.get(key)
    if (series === undefined) {
      series = newSeries(labels, this.#stepCount)
      this.#byKey.set(key, series)
    }
    return series
  }

  finish(): SeriesSet {
    return withoutEmpty({ stepCount: this.#stepCount, series: [...this.#byKey.values()] })
  }
}

/** Labelled numbers: what evaluations give and what is written. */
import { sortLabels } from '#/logs/model/labels.ts'
import type { TextMap } from './rule-group.ts'

/** Sorted by name, without empty values. */
export type LabelPairs = readonly (readonly [name: string, value: string])[]

export type Sample = { readonly labels: LabelPairs; readonly value: number }

/** Labels with `more` over them; an empty value takes a label away. */
export function withLabels(labels: LabelPairs, more: TextMap): LabelPairs {
  const all = { ...Object.fromEntries(labels), ...more }
  return sortLabels(Object.entries(all).filter(([, value]) => value !== ''))
}

/** One text per label set. */
export function labelKey(labels: LabelPairs): string {
  return JSON.stringify(labels)
}

/** Go's `%e` with the shortest digits: `1e+00`, as Prometheus' API shows values. */
export function formatExponent(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

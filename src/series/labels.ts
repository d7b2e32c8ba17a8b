/** Labels of a series: the identity under which samples are added up, matched and sorted. */

import { compareUtf8 } from '#/kernel/utf8.ts'

/** Name and value. */
export type SeriesLabel = readonly [name: string, value: string]
/** Sorted by name, names unique. */
export type SeriesLabels = readonly SeriesLabel[]

export const noLabels: SeriesLabels = []

/** Which labels of a series make its group: only those named (`by`), or all but those named (`without`). */
export type LabelGrouping = { readonly kind: 'by' | 'without'; readonly labels: readonly string[] }

/** A text that is equal for equal label sets and only for them. */
export function labelsKey(labels: SeriesLabels): string {
  let key = ''
  for (const [name, value] of labels) key += `${name.length}:${name}${value.length}:${value}`
  return key
}

/** Orders by the first label that differs, name before value; a prefix comes first. */
export function compareLabels(a: SeriesLabels, b: SeriesLabels): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const [nameA, valueA] = a[i]!
    const [nameB, valueB] = b[i]!
    if (nameA !== nameB) return compareUtf8(nameA, nameB)
    if (valueA !== valueB) return compareUtf8(valueA, valueB)
  }
  return a.length - b.length
}

export function keepLabels(labels: SeriesLabels, names: readonly string[]): SeriesLabels {
  return labels.filter(([name]) => names.includes(name))
}

export function dropLabels(labels: SeriesLabels, names: readonly string[]): SeriesLabels {
  return labels.filter(([name]) => !names.includes(name))
}

/** The labels that remain under `grouping`; none when it is undefined, as in `sum(…)`. */
export function groupLabels(labels: SeriesLabels, grouping: LabelGrouping | undefined): SeriesLabels {
  if (grouping === undefined) return noLabels
  return grouping.kind === 'by' ? keepLabels(labels, grouping.labels) : dropLabels(labels, grouping.labels)
}

/** `labels` with `name` set to `value`; an empty value removes it. */
export function setLabel(labels: SeriesLabels, name: string, value: string): SeriesLabels {
  const others = labels.filter(([other]) => other !== name)
  if (value === '') return others
  const at = others.findIndex(([other]) => other > name)
  return at < 0 ? [...others, [name, value]] : [...others.slice(0, at), [name, value], ...others.slice(at)]
}

export function labelValue(labels: SeriesLabels, name: string): string {
  return labels.find(([other]) => other === name)?.[1] ?? ''
}

/** A vector: values by label sets, at one time. */
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import type { Fields } from './entry-state.ts'

export type Sample = { readonly labels: Fields; readonly value: number }
export type Vector = readonly Sample[]

export function keyOf(labels: Fields): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

export function pickLabels(labels: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)))
}

export function omitLabels(labels: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)))
}

export function grouped(labels: Fields, { kind, labels: names }: Grouping): Fields {
  return kind === 'by' ? pickLabels(labels, names) : omitLabels(labels, names)
}

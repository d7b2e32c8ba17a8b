/** Rows of a log query as texts that can be compared. */
import { formatLabels } from '#/logs/model/labels.ts'
import type { Fields } from './evaluate/entry-state.ts'
import type { ReferenceRow } from './evaluate/log-query.ts'

export type FlatRow = { readonly timeNs: bigint; readonly labels: string; readonly line: string }
export type ExpectedRow = FlatRow & { readonly stored: string; readonly fields: Fields }

export const expectedRow = ({ timeNs, line, labels, stored }: ReferenceRow): ExpectedRow => ({
  timeNs,
  labels: textOf(Object.entries(labels)),
  line,
  stored: textOf(Object.entries(stored)),
  fields: labels,
})

/** Without the details of errors, whose wording is not the reference's. */
export function textOf(labels: readonly (readonly [string, string])[]): string {
  const shown = labels.filter(([name]) => name !== '__error_details__')
  return formatLabels(shown.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

export const rowText = ({ timeNs, labels, line }: FlatRow): string => `${timeNs} ${labels} ${line}`

/**
 * The metadata that decides which series a row counts in, as numbers: the codes of all such columns of a page put together into
 * one per row, a combination. Equal combinations of one page have equal values.
 */
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import { EXTRACTED_SUFFIX } from '#/logs/logql/pipeline/stream-view.ts'
import type { LogPage } from '#/logs/store/log-page.ts'

/** Beyond this many combinations in a page, rows are grouped one by one. */
const MAX_COMBINATIONS = 2 ** 20

export type CodeColumn = {
  readonly name: string
  readonly values: readonly string[]
  /** What a step of this code adds to the combination; 0 when all rows have the first value. */
  readonly factor: number
}

/** Bytes where the page has them. */
export type RowCodes = Uint8Array | Uint32Array

export type CodeColumns = {
  readonly columns: readonly CodeColumn[]
  /** Combinations are below it. */
  readonly combinations: number
  /** By row; undefined when all rows have combination 0. */
  readonly codes: RowCodes | undefined
}

const noColumns: CodeColumns = { columns: [], combinations: 1, codes: undefined }

/** Undefined when codes cannot tell the series of rows. */
export function codeColumns(page: LogPage, grouping: Grouping): CodeColumns | undefined {
  const names = page.metaNames.filter((name) => decides(name, grouping))
  if (page.metaNames.some((name) => name.startsWith('__error'))) return undefined
  if (names.length === 0) return noColumns
  const columns: CodeColumn[] = []
  const parts: { readonly codes: RowCodes; readonly factor: number }[] = []
  let combinations = 1
  for (const name of names) {
    const column = page.meta(name)
    if (column?.constant !== undefined) {
      columns.push({ name, values: [column.constant], factor: 0 })
      continue
    }
    const dictionary = column?.smallCodes ?? column?.dictionary
    if (dictionary === undefined) return undefined
    columns.push({ name, values: dictionary.values, factor: combinations })
    parts.push({ codes: dictionary.codes, factor: combinations })
    combinations *= dictionary.values.length + 1
    if (combinations > MAX_COMBINATIONS) return undefined
  }
  return { columns, combinations, codes: combine(parts) }
}

/** Position + 1 of the value that a combination has in a column, 0 without one. */
export function codeOf({ factor, values }: CodeColumn, combination: number): number {
  return factor === 0 ? 1 : Math.floor(combination / factor) % (values.length + 1)
}

/** Whether the series of a row depends on this metadata, under its own name or under the one it gets in a conflict. */
export function decides(name: string, { kind, labels }: Grouping): boolean {
  return kind === 'without' || labels.includes(name) || labels.includes(name + EXTRACTED_SUFFIX)
}

/** The first part has the factor 1. */
function combine(parts: readonly { readonly codes: RowCodes; readonly factor: number }[]): RowCodes | undefined {
  if (parts.length < 2) return parts[0]?.codes
  const combined = Uint32Array.from(parts[0]!.codes)
  for (const { codes, factor } of parts.slice(1)) {
    for (let row = 0; row < combined.length; row++) combined[row]! += codes[row]! * factor
  }
  return combined
}

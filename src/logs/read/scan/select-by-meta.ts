/** Leaves out rows by the codes or the bytes of their metadata, before anything else is known of them. */
import type { MetaFilter } from '#/logs/logql/pipeline/row.ts'
import type { MetaColumn } from '#/logs/store/log-page.ts'
import { EXTRACTED_SUFFIX } from '#/logs/logql/pipeline/stream-view.ts'
import type { PageOrigin } from './filter-applies.ts'

/**
 * Keeps of `rows` (`count` of them) those that `filter` may pass; returns how many. All are kept where codes do not tell: the
 * stages behind look at each row anyway.
 */
export function selectByMeta(filter: MetaFilter, origin: PageOrigin, rows: Uint32Array, count: number): number {
  const { name, passes } = filter
  const { page, labels, streams } = origin
  // what a row shows under the name must be metadata of that name and nothing else
  if (name.startsWith('__') || name.endsWith(EXTRACTED_SUFFIX) || labels.someHas(name, streams)) return count
  if (!page.metaNames.includes(name)) return passes('') ? count : 0
  const column = page.meta(name)
  if (column?.constant !== undefined) return passes(column.constant) ? count : 0
  const dictionary = column?.smallCodes ?? column?.dictionary
  if (dictionary === undefined) return selectByBytes(filter, column, rows, count)
  const verdicts = Uint8Array.from(['', ...dictionary.values], (value) => (passes(value) ? 1 : 0))
  const { codes } = dictionary
  let kept = 0
  for (let i = 0; i < count; i++) {
    const row = rows[i]!
    rows[kept] = row
    kept += verdicts[codes[row]!]!
  }
  return kept
}

/** The same by the bytes of values, of which there are many. Both lists of rows ascend. */
function selectByBytes({ only }: MetaFilter, column: MetaColumn | undefined, rows: Uint32Array, count: number): number {
  const found = only && column?.rowsWith?.(only)
  if (found === undefined) return count
  let kept = 0
  for (let i = 0, next = 0; i < count && next < found.length; i++) {
    const row = rows[i]!
    while (next < found.length && found[next]! < row) next++
    if (found[next] === row) rows[kept++] = row
  }
  return kept
}

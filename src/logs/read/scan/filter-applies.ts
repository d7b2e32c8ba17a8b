/** Whether a page filter holds for a page. */
import { selectByText } from '#/logs/logql/pipeline/cut-filter.ts'
import type { PageFilter } from '#/logs/logql/pipeline/row.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { StreamLabels } from './stream-labels.ts'

export type PageOrigin = {
  readonly page: LogPage
  readonly labels: StreamLabels
  /** 1 for each stream that is wanted; undefined: all. */
  readonly streams: Uint8Array | undefined
}

/** False for filters that were derived for labels which a row of this page may have from its stream or its metadata. */
export function filterApplies({ unlessLabels }: PageFilter, { page, labels, streams }: PageOrigin): boolean {
  if (unlessLabels === undefined) return true
  return !unlessLabels.some((name) => labels.someHas(name, streams) || page.metaNames.includes(name))
}

/** Whether the lines as a whole may hold one that passes; when not, no other column of the page need be decoded. */
export function pageMayPass(filters: readonly PageFilter[], origin: PageOrigin): boolean {
  const { page } = origin
  return filters.every((filter) => {
    const onCut = filter.worksOnCutLines ? filter : filter.onCutLines
    const cut = onCut && page.cutLines
    return (cut ? onCut.mayPass(cut.text) : filter.mayPass(page.lines)) || !filterApplies(filter, origin)
  })
}

/**
 * Keeps of the first `count` rows those that pass all filters that apply; returns how many. The short form of lines is asked as far
 * as it can tell, and only lines of rows that are left then are read.
 */
export function selectPassing(
  filters: readonly PageFilter[],
  origin: PageOrigin,
  rows: Uint32Array,
  count: number,
): number {
  const { page } = origin
  let left = count
  const onLines: PageFilter[] = []
  for (const filter of filters) {
    if (left === 0) return 0
    if (!filterApplies(filter, origin)) continue
    const onCut = filter.worksOnCutLines ? filter : filter.onCutLines
    const cut = onCut && page.cutLines
    if (cut) left = selectByText(onCut, cut, rows, left)
    if (!cut || !filter.worksOnCutLines) onLines.push(filter)
  }
  if (onLines.length === 0 || left === 0) return left
  page.chooseLines?.(rows.subarray(0, left))
  for (const filter of onLines) {
    if (left === 0) return 0
    left = filter.select(page.lines, page.lineStart, rows, left)
  }
  return left
}

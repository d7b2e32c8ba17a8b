/** Whether a page filter holds for a page. */
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
    const text = filter.worksOnCutLines ? (page.cutLines?.text ?? page.lines) : page.lines
    return filter.mayPass(text) || !filterApplies(filter, origin)
  })
}

/** As `filter.select` over the lines of a page, or over their short form where that does. */
export function selectPassing(filter: PageFilter, page: LogPage, rows: Uint32Array, count: number): number {
  const cut = filter.worksOnCutLines ? page.cutLines : undefined
  if (cut === undefined) return filter.select(page.lines, page.lineStart, rows, count)
  return filter.select(cut.text, cut.textStart, rows, count)
}

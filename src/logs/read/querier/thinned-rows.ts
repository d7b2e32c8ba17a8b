/** Log queries with `interval`: entries at least that far apart. */
import { BadRequest } from '#/kernel/errors.ts'
import type { RowTail } from '#/logs/logql/planner/plan.ts'
import { absoluteNs, type TimeRange } from '#/logs/model/day.ts'
import type { Direction, RangeQuery } from '#/logs/wire/query.ts'
import type { FoundRow } from './top-rows.ts'

/** Rows that are fetched at once for a query that keeps only some of them. */
const MIN_THINNED_BATCH = 1000

/** Thinning asks how far apart entries are in time, which means nothing once they are chosen or ordered by anything else. */
export function checkThinned({ distinct, sort, limit }: RowTail): void {
  const stage = distinct ? 'distinct' : sort ? 'sort' : limit === undefined ? undefined : 'limit'
  if (stage !== undefined) throw new BadRequest(`interval cannot be used with '| ${stage}'; leave one of them out`)
}

/**
 * Rows at least `intervalNs` apart. Which rows those are depends on all rows before, so they are fetched piece by piece, each piece
 * beginning where the next row may be.
 */
export async function findThinned(
  find: (range: TimeRange, limit: number) => Promise<readonly FoundRow[]>,
  { startNs, endNs, limit, direction, intervalNs }: RangeQuery,
): Promise<readonly FoundRow[]> {
  const batch = Math.max(limit, MIN_THINNED_BATCH)
  const kept: FoundRow[] = []
  let range: TimeRange = { startNs, endNs }
  while (kept.length < limit && range.startNs < range.endNs) {
    const rows = await find(range, batch)
    const previous = kept.at(-1)
    const lastNs = previous === undefined ? undefined : rowTimeNs(previous)
    kept.push(...thinRows(rows, { intervalNs, direction, lastNs }))
    const last = kept.at(-1)
    if (rows.length < batch || last === undefined) break
    const ns = rowTimeNs(last)
    range =
      direction === 'forward'
        ? { startNs: ns + intervalNs, endNs: range.endNs }
        : { startNs: range.startNs, endNs: ns - intervalNs + 1n }
  }
  return kept.slice(0, limit)
}

/** Leaves out rows that are closer than `intervalNs` to the last one that was kept; `lastNs` is the one before the first row. */
function thinRows(
  rows: readonly FoundRow[],
  {
    intervalNs,
    direction,
    lastNs,
  }: { readonly intervalNs: bigint; readonly direction: Direction; readonly lastNs: bigint | undefined },
): readonly FoundRow[] {
  let last = lastNs
  return rows.filter((row) => {
    const ns = rowTimeNs(row)
    const distance = last === undefined ? intervalNs : direction === 'forward' ? ns - last : last - ns
    if (distance < intervalNs) return false
    last = ns
    return true
  })
}

function rowTimeNs({ day, result, at }: FoundRow): bigint {
  return absoluteNs(day, result.time[at]!)
}

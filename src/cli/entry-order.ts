/** In which order the lines of an answer are printed, and whether they can be fetched piece by piece. */
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { compareSortValues, sortValue } from '#/logs/logql/pipeline/sort-value.ts'
import { splitTail } from '#/logs/logql/planner/split-tail.ts'
import type { RowTail } from '#/logs/logql/planner/plan.ts'
import type { LabelMap, LogStream } from './print-logs.ts'

export type Entry = { readonly labels: LabelMap; readonly timeNs: bigint; readonly line: string }

/** What a query asks of all its lines together: `distinct`, `sort` and `limit`. Such lines come in one answer or not at all. */
export function tailOf(query: string): RowTail | undefined {
  try {
    const expr = parseExpr(query)
    const { tail } = splitTail(expr.kind === 'log' ? expr.stages : [])
    const isEmpty = tail.distinct === undefined && tail.sort === undefined && tail.limit === undefined
    return isEmpty ? undefined : tail
  } catch {
    // what it is the server must know, which may be another one than ours
    return undefined
  }
}

/** The entries of all streams: by `sort` if there is one, then in the order of time that was asked for. */
export function entriesOf(
  streams: readonly LogStream[],
  { direction, sort }: { readonly direction: string; readonly sort: RowTail['sort'] },
): Entry[] {
  const sign = direction === 'FORWARD' ? 1 : -1
  const byTime = (a: Entry, b: Entry): number => (a.timeNs < b.timeNs ? -sign : a.timeNs > b.timeNs ? sign : 0)
  const entries = streams.flatMap(({ stream, values }) =>
    values.map(([ns, line]) => ({ labels: stream, timeNs: BigInt(ns), line })),
  )
  if (sort === undefined) return entries.toSorted(byTime)
  const { label, descending } = sort
  const placed = entries.map((entry) => ({ entry, value: sortValue(entry.labels[label] ?? '') }))
  return placed
    .toSorted((a, b) => compareSortValues(a.value, b.value, descending) || byTime(a.entry, b.entry))
    .map(({ entry }) => entry)
}

/** Finds the rows of a log query, in the way that its stages, its interval and its paging ask for. */
import { assert } from '#/kernel/assert.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { timeInDay, type TimeRange } from '#/logs/model/day.ts'
import { optimizePlan } from '#/logs/logql/planner/optimize-plan.ts'
import type { LogPlan, RowTail } from '#/logs/logql/planner/plan.ts'
import type { RowPlace } from '#/logs/read/scan/scan-job.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { RangeQuery } from '#/logs/wire/query.ts'
import type { RowCursor } from '#/logs/wire/query-stream.ts'
import { compactRows, resultBytes } from './compact-rows.ts'
import type { QueryRun } from './query-run.ts'
import { RowOutput } from './row-output.ts'
import { runRows } from './run-rows.ts'
import { streamRows, type RowStreamQuery } from './stream-rows.ts'
import { fillLogPlan } from './subquery.ts'
import { checkThinned, findThinned } from './thinned-rows.ts'
import type { FoundRow } from './top-rows.ts'
import { blockCount, narrowView, takeView, type View } from './view.ts'

/** Of rows that are known all together. */
const ROWS_AT_ONCE = 1000

type Opened = { readonly view: View; readonly plan: LogPlan; readonly key: string }

/** What of all rows together is asked for: then nothing can be handed out before everything is read. */
function tailStage({ distinct, sort }: RowTail): 'distinct' | 'sort' | undefined {
  return distinct ? 'distinct' : sort ? 'sort' : undefined
}

async function open(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  plainPlan: LogPlan,
  { tenant, startNs, endNs }: RangeQuery,
): Promise<Opened> {
  const range = { startNs, endNs }
  const view = await takeView(run, ingesters, tenant, range)
  run.stats.blocksTotal = blockCount(view)
  const { plan: filled, key } = await fillLogPlan(run, view, plainPlan, range)
  const narrowed = narrowView(view, range)
  run.stats.blocksByTime = run.stats.blocksTotal - blockCount(narrowed)
  run.progress.begin(narrowed, 1)
  const plan = optimizePlan(filled)
  assert(plan.kind === 'logs', 'an optimized plan is of the same kind')
  return { view, plan, key }
}

export type FoundRows = { readonly rows: readonly FoundRow[]; readonly next: RowCursor | undefined }

/** The rows of one answer. */
export async function findRows(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  plainPlan: LogPlan,
  query: RangeQuery,
): Promise<FoundRows> {
  const { tail } = plainPlan
  if (query.intervalNs > 0n) checkThinned(tail)
  if (query.paging !== undefined) return findPage(run, ingesters, plainPlan, query)
  const { view, plan, key } = await open(run, ingesters, plainPlan, query)
  const { startNs, endNs, limit, direction, intervalNs } = query
  const base = { key: `${query.query}${key}`, selection: plan.selection, tail, direction }
  const find = (range: TimeRange, rowLimit: number): Promise<readonly FoundRow[]> =>
    runRows(run, view, { ...base, range, limit: rowLimit })
  const rows = intervalNs === 0n ? await find({ startNs, endNs }, limit) : await findThinned(find, query)
  return { rows, next: undefined }
}

async function findPage(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  plan: LogPlan,
  query: RangeQuery,
): Promise<FoundRows> {
  const rows: FoundRow[] = []
  const next = await sendRows(run, ingesters, { plan, query }, async (some) => {
    const copies = copyRows(some)
    await run.reserve(copies.bytes)
    rows.push(...copies.rows)
  })
  return { rows, next }
}

type RowsQuery = { readonly plan: LogPlan; readonly query: RangeQuery }

/** Takes rows, with the cursor behind the last one of them. */
type SendRows = (rows: readonly FoundRow[], cursor: RowCursor | undefined) => Promise<void>

/** Sends rows as soon as it is known that they are next; returns where a further page begins, if there may be one. */
export async function sendRows(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  { plan: plainPlan, query }: RowsQuery,
  send: SendRows,
): Promise<RowCursor | undefined> {
  const { tail } = plainPlan
  checkSendable(tail, query)
  const { view, plan, key } = await open(run, ingesters, plainPlan, query)
  const { startNs, endNs, direction, paging } = query
  const limit = Math.min(query.limit, tail.limit ?? Infinity)
  const base = { key: `${query.query}${key}`, selection: plan.selection, direction }
  if (tailStage(tail) !== undefined) {
    const rows = await runRows(run, view, { ...base, tail, range: { startNs, endNs }, limit })
    run.stats.totalEntriesReturned = rows.length
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) await send(rows.slice(at, at + ROWS_AT_ONCE), undefined)
    return undefined
  }
  const output = new RowOutput({ ...query, limit })
  const sendTaken = async (rows: readonly FoundRow[]): Promise<void> => {
    run.stats.totalEntriesReturned += rows.length
    if (rows.length > 0) await send(rows, output.cursor())
  }
  const rowQuery = { ...base, byStream: paging !== undefined, ...behind(query, paging?.after) }
  await streamRows(run, view, rowQuery, {
    wanted: () => output.wanted(),
    take: (rows) => sendTaken(output.take(rows)),
  })
  await sendTaken(output.finish())
  return output.next()
}

function checkSendable(tail: RowTail, { intervalNs, limit, paging }: RangeQuery): void {
  const stage = tailStage(tail)
  if (intervalNs > 0n) checkThinned(tail)
  if (paging !== undefined && (stage ?? tail.limit) !== undefined) {
    throw new BadRequest(
      `a cursor cannot be used with '| ${stage ?? 'limit'}', which asks for all lines together; leave one of them out`,
    )
  }
  if (stage !== undefined && Math.min(limit, tail.limit ?? Infinity) === Infinity) {
    throw new BadRequest(`limit=all cannot be used with '| ${stage}'; say how many lines, in the query or as the limit`)
  }
}

/** The range behind a cursor, and the first row of the same time and stream as its own. */
function behind(
  { startNs, endNs, direction }: RangeQuery,
  after: RowCursor | undefined,
): Pick<RowStreamQuery, 'range' | 'first'> {
  if (after === undefined) return { range: { startNs, endNs }, first: undefined }
  const { timeNs, stream } = after
  // the lookback may have cut off the place where the page ended
  if (timeNs < startNs || timeNs >= endNs) {
    return { range: direction === 'forward' ? { startNs, endNs } : { startNs, endNs: startNs }, first: undefined }
  }
  const edge = direction === 'forward' ? -1 : Infinity
  const first: RowPlace = { time: timeInDay(timeNs), key: stream, order: edge, row: edge }
  const range = direction === 'forward' ? { startNs: timeNs, endNs } : { startNs, endNs: timeNs + 1n }
  return { range, first }
}

/** Rows without the results that they come from, which have others as well. */
function copyRows(rows: readonly FoundRow[]): { readonly rows: readonly FoundRow[]; readonly bytes: number } {
  const positions = Map.groupBy(rows, ({ result }) => result)
  let bytes = 0
  const copies = new Map(
    [...positions].map(([result, own]) => {
      const copy = compactRows(
        result,
        Uint32Array.from(own, ({ at }) => at),
      )
      bytes += resultBytes(copy)
      return [result, { copy, at: 0 }]
    }),
  )
  const copied = rows.map(({ day, result }) => {
    const to = copies.get(result)!
    return { day, result: to.copy, at: to.at++ }
  })
  return { rows: copied, bytes }
}

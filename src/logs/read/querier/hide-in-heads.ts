/**
 * Hides rows of heads that delete requests mean: the head that a query sees has other times for them, which lie in no day. A row
 * outside of every range of time is nowhere counted and nowhere shown, whatever is asked.
 */
import { streamMatchers } from '#/logs/logql/planner/label-matchers.ts'
import { clipToDay, NS_PER_DAY, type TimeRange } from '#/logs/model/day.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import type { HiddenRows } from '#/logs/wire/deletes.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import { findHidden } from './find-hidden.ts'
import type { QueryRun } from './query-run.ts'
import { headSource } from './source.ts'

/** A time in no day. */
const HIDDEN_TIME = NS_PER_DAY * 2

/** What is hidden of a tenant, as far as it may lie in `range`. */
export function hiddenInRange(run: QueryRun, tenant: string, { startNs, endNs }: TimeRange): readonly HiddenRows[] {
  return run.deletes.hiddenRows(tenant).filter((one) => one.startNs < endNs && one.endNs > startNs)
}

/** Heads without the rows that are hidden; those without any stay as they are. */
export async function hideInHeads(
  run: QueryRun,
  heads: readonly HeadSnapshot[],
  requests: readonly HiddenRows[],
): Promise<readonly HeadSnapshot[]> {
  if (requests.length === 0) return heads
  return Promise.all(heads.map((head) => hideInHead(run, head, requests)))
}

async function hideInHead(run: QueryRun, head: HeadSnapshot, requests: readonly HiddenRows[]): Promise<HeadSnapshot> {
  const pages = head.pages.filter(({ rowCount }) => rowCount > 0)
  const source = headSource(head, 0)
  const changed = new Map<number, Float64Array<SharedArrayBuffer>>()
  for (const request of requests) {
    const { query } = request
    const selection = run.masks.selectionOf(request)
    const { from, to } = clipToDay(request, head.day)
    if (from >= to || source.minTime >= to || source.maxTime < from) continue
    const ordinals = head.streams.match(streamMatchers(selection))
    if (ordinals.length === 0) continue
    const masks = await findHidden(run, source, { query, selection, day: head.day, from, to, ordinals })
    for (const [position, mask] of masks) {
      const page = pages[position]!
      let time = changed.get(position)
      if (time === undefined) changed.set(position, (time = await copyTimes(run, page)))
      for (let row = 0; row < page.rowCount; row++) {
        if ((mask[row >> 3]! & (1 << (row & 7))) !== 0) time[row] = HIDDEN_TIME
      }
    }
  }
  if (changed.size === 0) return head
  return { ...head, pages: pages.map((page, position) => withTimes(page, changed.get(position))) }
}

async function copyTimes(run: QueryRun, { rowCount, time }: HeadPageColumns): Promise<Float64Array<SharedArrayBuffer>> {
  await run.reserve(rowCount * 8)
  const copy = new Float64Array(new SharedArrayBuffer(rowCount * 8))
  copy.set(time.subarray(0, rowCount))
  return copy
}

/** The greatest time lies in no range, so that nobody takes all rows of the page for visible. */
function withTimes(page: HeadPageColumns, time: Float64Array<SharedArrayBuffer> | undefined): HeadPageColumns {
  return time === undefined ? page : { ...page, time, maxTime: HIDDEN_TIME }
}

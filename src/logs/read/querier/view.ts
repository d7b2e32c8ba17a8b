/** One consistent look at all ingesters: what a query reads, by day. Everything that follows works on it alone. */
import { clipToDay, dayOf, type Day, type TimeRange } from '#/logs/model/day.ts'
import type { HiddenRows } from '#/logs/wire/deletes.ts'
import type { HeadSnapshot, IngesterReader } from '#/logs/wire/head-view.ts'
import { tenantsOf } from '#/platform/tenant/tenant-id.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { LabelMatcher } from '#/storage/index/label-index.ts'
import { hideInBlock } from './hide-in-block.ts'
import { hiddenInRange, hideInHeads } from './hide-in-heads.ts'
import type { QueryRun } from './query-run.ts'
import { blockSource, headSource, type Source } from './source.ts'
import { wantsTenant, withTenantLabel } from './tenant-labels.ts'

export type DayView = {
  readonly day: Day
  readonly heads: readonly HeadSnapshot[]
  readonly blocks: readonly BlockMeta[]
  /** By tenant, what delete requests hide in the range of the view; heads here are without these rows already. */
  readonly hidden: ReadonlyMap<string, readonly HiddenRows[]>
  /** Set when several tenants are read: blocks then show their tenant as a label, as the heads here do already. */
  readonly showsTenants: boolean
}

/** Days that have anything, ascending. */
export type View = readonly DayView[]

/** Blocks that are opened at the same time. */
const OPEN_CONCURRENCY = 8

/** Everything of `tenant`, one or several, that may lie in `range`. Heads stay as they are until the run has finished. */
export async function takeView(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  tenant: string,
  range: TimeRange,
): Promise<View> {
  if (range.endNs <= range.startNs) return []
  const [first, last] = [dayOf(range.startNs), dayOf(range.endNs - 1n)]
  const tenants = tenantsOf(tenant)
  const showsTenants = tenants.length > 1
  // before the data: what a request has hidden until now stays hidden, also when it is erased between here and there
  const hidden = new Map(tenants.map((one) => [one, hiddenInRange(run, one, range)]))
  const views = await Promise.all(
    tenants.flatMap((one) =>
      ingesters.map(async (ingester) => {
        const view = await ingester.view(one, first, last)
        if (view.release !== undefined) run.onFinish(view.release)
        const heads = await hideInHeads(run, view.heads, hidden.get(one)!)
        return { ...view, heads: showsTenants ? heads.map((head) => showTenant(head, one)) : heads }
      }),
    ),
  )
  const days = new Map<Day, { heads: HeadSnapshot[]; blocks: Map<string, BlockMeta> }>()
  const at = (day: Day): { heads: HeadSnapshot[]; blocks: Map<string, BlockMeta> } => {
    const known = days.get(day) ?? { heads: [], blocks: new Map<string, BlockMeta>() }
    days.set(day, known)
    return known
  }
  for (const { heads, blocks } of views) {
    for (const head of heads) if (head.day >= first && head.day <= last) at(head.day).heads.push(head)
    for (const block of blocks) if (block.day >= first && block.day <= last) at(block.day).blocks.set(block.key, block)
  }
  return [...days]
    .toSorted(([a], [b]) => a - b)
    .map(([day, { heads, blocks }]) => ({
      day,
      heads,
      blocks: [...blocks.values()].toSorted(byInsertion),
      hidden,
      showsTenants,
    }))
}

function showTenant(head: HeadSnapshot, tenant: string): HeadSnapshot {
  return { ...head, streams: withTenantLabel(head.streams, tenant) }
}

/** Leaves out blocks of tenants that none of `selectors` wants: their indexes need not be read. */
export function narrowTenants(view: DayView, selectors: readonly (readonly LabelMatcher[])[]): DayView {
  if (!view.showsTenants) return view
  return { ...view, blocks: view.blocks.filter(({ tenant }) => wantsTenant(selectors, tenant)) }
}

export function blockCount(view: View): number {
  return view.reduce((sum, { blocks }) => sum + blocks.length, 0)
}

/** The part of a view in `range`: whole days and blocks outside of it are left out. */
export function narrowView(view: View, range: TimeRange): View {
  return view.flatMap((one) => {
    const { from, to } = clipToDay(range, one.day)
    const blocks = one.blocks.filter(({ minTime, maxTime }) => minTime < to && maxTime >= from)
    return from >= to || blocks.length + one.heads.length === 0 ? [] : [{ ...one, blocks }]
  })
}

/** What a day is opened for: times in day, and which streams, all where there is no selector. */
export type DayWindow = {
  readonly from: number
  readonly to: number
  readonly selectors: readonly (readonly LabelMatcher[])[]
}

/** Opens the blocks of a day; sources come in the order in which their rows were inserted. */
export async function openDay(
  run: QueryRun,
  { day, heads, blocks, hidden, showsTenants }: DayView,
  window: DayWindow,
): Promise<readonly Source[]> {
  const sources: Source[] = []
  let order = 0
  const add = (source: Source): void => {
    if (source.pages.length > 0) sources.push(source)
    order += source.pages.length
  }
  for (let i = 0; i < blocks.length; i += OPEN_CONCURRENCY) {
    const opened = await Promise.all(blocks.slice(i, i + OPEN_CONCURRENCY).map((meta) => run.cache.get(meta)))
    for (const block of opened) {
      const selectors = showsTenants ? [] : window.selectors
      const requests = hidden.get(block.meta.tenant) ?? []
      const left = await hideInBlock(run, block, { ...window, day, selectors, hidden: requests })
      add(blockSource(left.block, order, showsTenants, left.hidden))
    }
  }
  for (const head of heads) add(headSource(head, order))
  return sources
}

/** Blocks by the WAL records that they hold; merged ones, which do not say, come first, as they are older. */
function byInsertion(a: BlockMeta, b: BlockMeta): number {
  const sequence = (meta: BlockMeta): number => meta.source?.fromSequence ?? -1
  return sequence(a) - sequence(b) || compareIds(a.key, b.key)
}

/** The end of a key is an id that grows with time. */
function compareIds(a: string, b: string): number {
  const [idA, idB] = [a.slice(a.lastIndexOf('-')), b.slice(b.lastIndexOf('-'))]
  return idA < idB ? -1 : idA > idB ? 1 : 0
}

/**
 * Hides rows of blocks that delete requests mean. What a query then sees is a block whose runs count what is left, so that answers
 * from the index are right, and masks for the pages, so that scans are. A run of which nothing is left has no time, and so no stream
 * in any range.
 */
import { streamMatchers } from '#/logs/logql/planner/label-matchers.ts'
import { clipToDay, type Day } from '#/logs/model/day.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { HiddenRows } from '#/logs/wire/deletes.ts'
import type { LabelMatcher } from '#/storage/index/label-index.ts'
import { countLeft } from './count-left.ts'
import { findHidden, type Meant } from './find-hidden.ts'
import { HiddenBlock } from './hidden-block.ts'
import type { LeftInBlock, RowMasks } from './mask-cache.ts'
import type { QueryRun } from './query-run.ts'
import { blockSource, type HiddenInBlock } from './source.ts'

export type HidingWindow = {
  readonly day: Day
  /** What a query looks at: times in day, and the streams of any of these selectors, all when there is none. */
  readonly from: number
  readonly to: number
  readonly selectors: readonly (readonly LabelMatcher[])[]
  readonly hidden: readonly HiddenRows[]
}

export type BlockLeft = { readonly block: LogBlock; readonly hidden: HiddenInBlock | undefined }

export async function hideInBlock(run: QueryRun, block: LogBlock, window: HidingWindow): Promise<BlockLeft> {
  if (window.hidden.length === 0) return { block, hidden: undefined }
  const touching = requestsFor(run, block, window)
  if (touching.length === 0) return { block, hidden: undefined }
  const { key } = block.meta
  const requests = touching.map(({ request }) => request)
  let left = run.masks.left(key, requests)
  if (left === undefined) {
    left = await findLeft(run, block, touching)
    run.masks.keepLeft(key, requests, left)
  }
  const { hidden, runs } = left
  return runs === undefined ? { block, hidden } : { block: new HiddenBlock(block, runs), hidden }
}

type Touching = { readonly request: HiddenRows; readonly meant: Meant }

/** Requests that may hide rows of the block which the query looks at. */
function requestsFor(run: QueryRun, block: LogBlock, window: HidingWindow): readonly Touching[] {
  const { key, minTime, maxTime } = block.meta
  const { day, selectors, hidden } = window
  let isWanted: Uint8Array | undefined
  return hidden.flatMap((request) => {
    const { from, to } = clipToDay(request, day)
    if (from >= Math.min(to, window.to) || to <= window.from || minTime >= to || maxTime < from) return []
    if (request.isErasedFrom(key)) return []
    const selection = run.masks.selectionOf(request)
    const ordinals = block.streams.match(streamMatchers(selection))
    isWanted ??= wantedStreams(block, selectors)
    if (!ordinals.some((ordinal) => isWanted![ordinal] === 1)) return []
    return [{ request, meant: { query: request.query, selection, day, from, to, ordinals } }]
  })
}

function wantedStreams({ streams }: LogBlock, selectors: HidingWindow['selectors']): Uint8Array {
  const isWanted = new Uint8Array(streams.count).fill(selectors.length === 0 ? 1 : 0)
  for (const matchers of selectors) for (const ordinal of streams.match(matchers)) isWanted[ordinal] = 1
  return isWanted
}

async function findLeft(run: QueryRun, block: LogBlock, touching: readonly Touching[]): Promise<LeftInBlock> {
  const masks = new Map<number, Uint8Array<SharedArrayBuffer>>()
  for (const one of touching) {
    for (const [position, mask] of await masksOf(run, block, one)) {
      const known = masks.get(position)
      if (known === undefined) masks.set(position, mask)
      else masks.set(position, union(known, mask))
    }
  }
  if (masks.size === 0) return { hidden: undefined, runs: undefined }
  const runs = await countLeft(run, block, masks)
  return { hidden: { masks, storedRows: block.runs.rowCount }, runs }
}

async function masksOf(run: QueryRun, block: LogBlock, { request, meant }: Touching): Promise<RowMasks> {
  const { key } = block.meta
  const known = run.masks.masks(key, request)
  if (known !== undefined) return known
  const masks = await findHidden(run, blockSource(block, 0, false), meant)
  run.masks.keepMasks(key, request, masks)
  return masks
}

function union(a: Uint8Array, b: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const both = new Uint8Array(new SharedArrayBuffer(a.length))
  for (let i = 0; i < a.length; i++) both[i] = a[i]! | b[i]!
  return both
}

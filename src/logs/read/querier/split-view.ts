/** Cuts what there is of a day into pieces that lie one behind the other in time, so that a query may stop before it has opened all of them. */
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { DayView } from './view.ts'

/** No row of a piece has a time that another piece has, too: what decides between rows of one time stays inside of it. */
export type ViewPiece = { readonly view: DayView; readonly minTime: number; readonly maxTime: number }

type Spanned = { readonly minTime: number; readonly maxTime: number }
type Part = Spanned & ({ readonly head: HeadSnapshot } | { readonly block: BlockMeta })
type Span = { minTime: number; maxTime: number; readonly parts: Set<unknown> }

/** Pieces by their times, ascending. */
export function splitByTime(view: DayView): readonly ViewPiece[] {
  const parts: Part[] = [
    ...view.blocks.map((block) => ({ block, minTime: block.minTime, maxTime: block.maxTime })),
    ...view.heads.map((head) => ({ head, ...spanOf(head) })),
  ]
  const spans: Span[] = []
  for (const part of parts.toSorted((a, b) => a.minTime - b.minTime)) {
    const item = 'head' in part ? part.head : part.block
    const last = spans.at(-1)
    if (last !== undefined && part.minTime <= last.maxTime) {
      last.maxTime = Math.max(last.maxTime, part.maxTime)
      last.parts.add(item)
    } else {
      spans.push({ minTime: part.minTime, maxTime: part.maxTime, parts: new Set([item]) })
    }
  }
  // heads and blocks keep the order in which they were inserted
  return spans.map(({ minTime, maxTime, parts: own }) => ({
    view: {
      ...view,
      heads: view.heads.filter((head) => own.has(head)),
      blocks: view.blocks.filter((block) => own.has(block)),
    },
    minTime,
    maxTime,
  }))
}

function spanOf({ pages }: HeadSnapshot): Spanned {
  let [minTime, maxTime] = [Infinity, -Infinity]
  for (const page of pages) {
    if (page.rowCount === 0) continue
    minTime = Math.min(minTime, page.minTime)
    maxTime = Math.max(maxTime, page.maxTime)
  }
  return { minTime, maxTime }
}

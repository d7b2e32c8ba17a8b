/** Heads and blocks of one day as the querier sees them: pages to prune, and a way to hand them to a job. */
import type { LogBlock, PageColumns, PageMemory } from '#/logs/store/log-block.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import { firstUsesOf } from '#/logs/store/meta-first-uses.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { ScanPage } from '#/logs/read/scan/scan-job.ts'
import type { LabelIndex } from '#/storage/index/label-index.ts'
import { withTenantLabel } from './tenant-labels.ts'

/** A page before it is read. Times in day, both ends included. */
export type SourcePage = {
  readonly source: Source
  /** Position among the pages of its source. */
  readonly position: number
  /** Position among all pages of the day, in the order in which rows were inserted. */
  readonly order: number
  readonly rowCount: number
  readonly minTime: number
  readonly maxTime: number
  readonly lineBytes: number
  /** Compressed, 0 for heads. */
  readonly sizeBytes: number
}

export type SourceData =
  | { readonly kind: 'head'; readonly pages: readonly HeadPageColumns[] }
  | { readonly kind: 'block'; readonly block: LogBlock }

/** Rows of a block that queries do not see; the block of the source knows of its runs what is left. */
export type HiddenInBlock = {
  /** By position of the page, a bit for each row, row 0 in the lowest bit of byte 0. */
  readonly masks: ReadonlyMap<number, Uint8Array<SharedArrayBuffer>>
  /** Rows of each run, hidden ones too: they say where in its page a run begins. */
  readonly storedRows: Uint32Array
}

export type Source = {
  readonly id: string
  readonly index: LabelIndex
  readonly data: SourceData
  /** Whether its streams have the label of their tenant. */
  readonly showsTenant: boolean
  readonly minTime: number
  readonly maxTime: number
  readonly pages: readonly SourcePage[]
  /** Set when rows of a block are hidden: nothing that is found in it may be kept as a fact about the block. */
  readonly hidden?: HiddenInBlock | undefined
}

type PageFacts = Omit<SourcePage, 'source' | 'position' | 'order'>

export function headSource({ id, streams, pages }: HeadSnapshot, firstOrder: number): Source {
  const filled = pages
    .filter(({ rowCount }) => rowCount > 0)
    .map((page) => ({ ...page, metaFirstUses: firstUsesOf(page) }))
  const facts = filled.map(({ rowCount, minTime, maxTime, lineStart }) => ({
    rowCount,
    minTime,
    maxTime,
    lineBytes: lineStart[rowCount]! - lineStart[0]!,
    sizeBytes: 0,
  }))
  const data = { kind: 'head', pages: filled } as const
  return makeSource({ id, index: streams, data, showsTenant: false }, facts, firstOrder)
}

export function blockSource(block: LogBlock, firstOrder: number, showsTenant: boolean, hidden?: HiddenInBlock): Source {
  const { meta, streams, pages } = block
  const index = showsTenant ? withTenantLabel(streams, meta.tenant) : streams
  return makeSource({ id: meta.key, index, data: { kind: 'block', block }, showsTenant, hidden }, pages, firstOrder)
}

function makeSource(
  { id, index, data, showsTenant, hidden }: Pick<Source, 'id' | 'index' | 'data' | 'showsTenant' | 'hidden'>,
  facts: readonly PageFacts[],
  firstOrder: number,
): Source {
  const pages: SourcePage[] = []
  let minTime = Infinity
  let maxTime = -Infinity
  for (const page of facts) {
    minTime = Math.min(minTime, page.minTime)
    maxTime = Math.max(maxTime, page.maxTime)
  }
  const source: Source = { id, index, data, showsTenant, minTime, maxTime, pages, hidden }
  facts.forEach(({ rowCount, minTime: least, maxTime: most, lineBytes, sizeBytes }, position) => {
    const order = firstOrder + position
    pages.push({ source, position, order, rowCount, minTime: least, maxTime: most, lineBytes, sizeBytes })
  })
  return source
}

/** Pages of `source` that may hold a row of one of `ordinals` (undefined: any) with a time in [from, to). */
export function selectPages(
  source: Source,
  ordinals: Uint32Array | undefined,
  { from, to }: { readonly from: number; readonly to: number },
): readonly SourcePage[] {
  if (source.data.kind === 'block') {
    return source.data.block.selectPages(ordinals, from, to).map((position) => source.pages[position]!)
  }
  return source.pages.filter(({ minTime, maxTime }) => minTime < to && maxTime >= from)
}

/** What is hidden of a source, by the order of its pages. */
export function hiddenOf({ hidden, pages }: Source): ReadonlyMap<number, Uint8Array<SharedArrayBuffer>> {
  return new Map([...(hidden?.masks ?? [])].map(([position, mask]) => [pages[position]!.order, mask]))
}

/** Bytes of structured metadata of a page that are looked at when `meta` is read. Rows of heads have theirs in one piece. */
export function metadataBytes({ source: { data }, position }: SourcePage, meta: PageColumns['meta']): number {
  const isRead = (name: string): boolean => meta === 'all' || meta.includes(name)
  if (data.kind === 'head') {
    const { metaNames, metaStart, rowCount } = data.pages[position]!
    return metaNames.some(isRead) ? metaStart[rowCount]! - metaStart[0]! : 0
  }
  const { metaNames, metaBytes } = data.block.pages[position]!
  return metaNames.reduce((sum, name, i) => sum + (isRead(name) ? metaBytes[i]! : 0), 0)
}

export type ReadOptions = {
  readonly columns: PageColumns
  readonly from: number
  readonly to: number
  readonly dropped: ReadonlyMap<number, Uint8Array<SharedArrayBuffer>>
  readonly signal: AbortSignal
  /** Pages of blocks are read into it. */
  readonly memory: PageMemory
}

/** The data of pages of one source, ready for a job. */
export async function readPages(
  { data }: Source,
  pages: readonly SourcePage[],
  { columns, from, to, dropped, signal, memory }: ReadOptions,
): Promise<readonly ScanPage[]> {
  const facts = pages.map(({ order, minTime, maxTime }) => ({
    order,
    minTime,
    maxTime,
    isInside: minTime >= from && maxTime < to,
    dropped: dropped.get(order),
  }))
  if (data.kind === 'head') {
    return pages.map(({ position }, i) => ({ data: { kind: 'head', columns: data.pages[position]! }, ...facts[i]! }))
  }
  const positions = pages.map(({ position }) => position)
  const bytes = await data.block.readPages(positions, columns, signal, memory)
  return bytes.map((one, i) => ({ data: { kind: 'block', bytes: one }, ...facts[i]! }))
}

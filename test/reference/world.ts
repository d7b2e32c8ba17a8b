/** The real read path over a random data set, and what the data set comes to for the reference. */
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import { nothingHidden, type HiddenRowsReader } from '#/logs/wire/deletes.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { isCutLines } from '#/storage/column/encoding.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { keyOf } from './evaluate/samples.ts'
import { mergeAll } from './merge-all.ts'
import type { DataSet } from './random-data.ts'
import { withExactFilter } from './exact-filter.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

export type World = {
  readonly querier: Querier
  /** All entries in order of insertion, those that several sources have once. */
  readonly entries: readonly Entry[]
  /** Answers so far, and those for which pages were left out as nothing of them passes. */
  readonly answers: { total: number; pruned: number }
  /** Pages of blocks, and those of them whose lines are stored without what varies. */
  readonly pages: { readonly total: number; readonly cut: number }
}

/** `deletes`: what queries may not see; it is still in `entries`. */
export async function buildWorld(
  { sources, pageRows, filters, isMerged = false }: DataSet,
  deletes: HiddenRowsReader = nothingHidden,
): Promise<World> {
  const store = new MemoryStore(realClock)
  const heads: HeadSnapshot[] = []
  let blocks: BlockMeta[] = []
  for (const [position, { kind, entries }] of sources.entries()) {
    for (const head of makeHeads(`s${position}`, entries, pageRows)) {
      if (kind === 'head') heads.push(head)
      else blocks.push(await writeBlock(store, head, { tenant: 'test', sequence: position, pageRows }))
    }
  }
  if (isMerged) blocks = await mergeAll(store, blocks, pageRows)
  const pages = await countPages(store, blocks)
  const querier = new Querier({
    ingesters: [new FixedIngester(heads, blocks)],
    openBlock: filters === 'exact' ? withExactFilter(blockOpener(store)) : blockOpener(store),
    pool: inlineScanPool(2),
    budget: new MemoryBudget(256 * 1024 * 1024),
    clock: realClock,
    deletes,
    // every page is a job of its own, or nearly so
    jobSizes: { firstBytes: 1, maxBytes: 100 },
  })
  return {
    querier,
    pages,
    answers: { total: 0, pruned: 0 },
    entries: withoutRepeats(sources.map(({ entries }) => entries)),
  }
}

async function countPages(store: MemoryStore, metas: readonly BlockMeta[]): Promise<World['pages']> {
  const counts = { total: 0, cut: 0 }
  for (const meta of metas) {
    const block = await openLogBlock(store, meta)
    const everything = { lengths: true, lines: true, meta: 'all' } as const
    for (const { columns } of await block.readPages([...block.pages.keys()], everything, undefined)) {
      counts.total++
      if (columns.some(({ encoding }) => isCutLines(encoding))) counts.cut++
    }
  }
  return counts
}

/** An entry of a later source that an earlier one has too does not count. */
function withoutRepeats(sources: readonly (readonly Entry[])[]): Entry[] {
  const seen = new Set<string>()
  const kept: Entry[] = []
  for (const source of sources) {
    const keys = source.map(({ stream, timeNs, line, metadata }) =>
      JSON.stringify([stream, String(timeNs), line, keyOf(metadata)]),
    )
    kept.push(...source.filter((_, i) => !seen.has(keys[i]!)))
    for (const key of keys) seen.add(key)
  }
  return kept
}

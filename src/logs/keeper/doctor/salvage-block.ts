/** Writes what is left of a damaged block as a new one: its sound pages as they are, without the sections that only make it faster. */
import { makeUlid } from '#/kernel/ulid.ts'
import type { World } from '#/kernel/world.ts'
import type { BlockCheck } from '#/logs/store/check-block.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import { formatBlockKey } from '#/storage/block/block-key.ts'
import type { StreamRuns } from '#/storage/block/contents.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { BlockWriter } from '#/storage/block/v1/writer.ts'
import type { OpenedBlock } from '#/storage/block/v1/reader.ts'

const SIGNAL = 'logs'
/** A block is held in memory while it is written. */
export const maxSalvageBytes = 1024 * 1024 * 1024

/** Undefined when no page is sound. The new block replaces the old one, and whatever that replaced. */
export async function salvageBlock(
  { clock, random }: Pick<World, 'clock' | 'random'>,
  store: ObjectStore,
  { block, badPages }: BlockCheck & { readonly block: OpenedBlock },
): Promise<BlockMeta | undefined> {
  const kept = [...block.pages.keys()].filter((page) => !badPages.has(page))
  if (kept.length === 0) return undefined
  const { key: old, sizeBytes: _sizeBytes, ...meta } = block.meta
  const writer = new BlockWriter()
  for (const position of kept) {
    const { rowCount, minTime, maxTime, columns } = block.pages[position]!
    const read = columns.map(async ({ name, encoding, offset, sizeBytes, stats }) => {
      const bytes = new Uint8Array(sizeBytes)
      await store.readInto(old, offset, bytes)
      return { name, column: { encoding, bytes }, stats }
    })
    writer.addPage({ rowCount, minTime, maxTime, columns: await Promise.all(read) })
  }
  const runs = runsOf(block.runs, kept)
  const { minTime, maxTime } = boundsOf(kept.map((position) => block.pages[position]!))
  const rowCount = kept.reduce((sum, position) => sum + block.pages[position]!.rowCount, 0)
  const ulid = makeUlid(clock.nowMs(), random.bytes(10))
  const { tenant, day, level } = meta
  const key = formatBlockKey({ tenant, signal: SIGNAL, day, minTime, maxTime, level, ulid })
  const stored = {
    ...meta,
    minTime,
    maxTime,
    rowCount,
    pageCount: kept.length,
    rawBytes: runs.rawBytes.reduce((sum, bytes) => sum + bytes, 0),
    replaces: [old, ...(meta.replaces ?? [])],
  }
  const made = writer.finish(key, stored, { labels: block.labels.bytes, runs })
  await store.put(key, made.parts)
  return made.meta
}

function runsOf(runs: StreamRuns, pages: readonly number[]): StreamRuns {
  const kept: number[] = []
  const pageEnds: number[] = []
  for (const page of pages) {
    for (let run = page === 0 ? 0 : runs.pageEnds[page - 1]!; run < runs.pageEnds[page]!; run++) kept.push(run)
    pageEnds.push(kept.length)
  }
  const u32 = (values: Uint32Array): Uint32Array => Uint32Array.from(kept, (run) => values[run]!)
  const f64 = (values: Float64Array): Float64Array => Float64Array.from(kept, (run) => values[run]!)
  return {
    pageEnds: Uint32Array.from(pageEnds),
    stream: u32(runs.stream),
    rowCount: u32(runs.rowCount),
    rawBytes: u32(runs.rawBytes),
    ...(runs.lineBytes !== undefined && { lineBytes: u32(runs.lineBytes) }),
    minTime: f64(runs.minTime),
    maxTime: f64(runs.maxTime),
  }
}

function boundsOf(pages: readonly { readonly minTime: number; readonly maxTime: number }[]): {
  readonly minTime: number
  readonly maxTime: number
} {
  return {
    minTime: Math.min(...pages.map((page) => page.minTime)),
    maxTime: Math.max(...pages.map((page) => page.maxTime)),
  }
}

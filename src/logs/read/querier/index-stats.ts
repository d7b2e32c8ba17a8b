/** How many streams, pages, entries and bytes a selector covers, from indexes alone. */
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { IndexStats } from '#/logs/wire/index-query.ts'
import type { MetadataQuery } from '#/logs/wire/query.ts'
import { dropShared } from '#/platform/memory/shared-garbage.ts'
import { Pace } from './pace.ts'
import type { QueryRun } from './query-run.ts'
import { eachOrdinal, selectStreams, type SelectedStreams } from './select-streams.ts'
import { selectPages } from './source.ts'
import { SeenStreams } from './seen-streams.ts'
import { streamSizes } from './stream-sizes.ts'

/** Memory for the numbers and values of a stream's labels, estimated. */
const BYTES_PER_STREAM = 200

export async function findIndexStats(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<IndexStats> {
  const seen = new SeenStreams()
  const pace = new Pace(run)
  let [chunks, bytes, entries] = [0, 0, 0]
  for await (const selected of selectStreams(run, ingesters, query)) {
    const sizes = streamSizes(selected)
    const before = seen.count
    let place = 0
    seen.begin(selected.source.index, selected.ordinals)
    for (const ordinal of eachOrdinal(selected)) {
      if (pace.isTired()) await pace.rest()
      const stream = place++
      if (sizes.entries[ordinal] === 0) continue
      seen.add(stream)
      bytes += sizes.bytes[ordinal]!
      entries += sizes.entries[ordinal]!
    }
    chunks += countPages(selected)
    await run.reserve((seen.count - before) * BYTES_PER_STREAM)
  }
  dropShared(seen.sharedBytes)
  return { streams: seen.count, chunks, bytes: Math.round(bytes), entries: Math.round(entries) }
}

/** Pages are what comes closest to Loki's chunks. Those of heads mix all streams, and count when they have a wanted row. */
function countPages({ source, ordinals, from, to }: SelectedStreams): number {
  if (source.data.kind === 'block') return selectPages(source, ordinals, { from, to }).length
  const isWanted = new Uint8Array(source.index.count).fill(ordinals === undefined ? 1 : 0)
  for (const ordinal of ordinals ?? []) isWanted[ordinal] = 1
  return source.data.pages.filter(({ rowCount, stream, time }) => {
    for (let row = 0; row < rowCount; row++) {
      if (time[row]! >= from && time[row]! < to && isWanted[stream[row]!] === 1) return true
    }
    return false
  }).length
}

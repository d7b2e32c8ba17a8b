/** How many streams, pages, entries and bytes a selector covers, from indexes alone. */
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { IndexStats } from '#/logs/wire/index-query.ts'
import type { MetadataQuery } from '#/logs/wire/query.ts'
import { Pace } from './pace.ts'
import type { QueryRun } from './query-run.ts'
import { eachOrdinal, selectStreams, type SelectedStreams } from './select-streams.ts'
import { selectPages } from './source.ts'
import { streamSizes } from './stream-sizes.ts'

/** Memory for the text of a stream, estimated. */
const BYTES_PER_STREAM = 200

export async function findIndexStats(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<IndexStats> {
  const streams = new Set<string>()
  const pace = new Pace(run)
  let [chunks, bytes, entries] = [0, 0, 0]
  for await (const selected of selectStreams(run, ingesters, query)) {
    const sizes = streamSizes(selected)
    const before = streams.size
    for (const ordinal of eachOrdinal(selected)) {
      if (sizes.entries[ordinal] === 0) continue
      streams.add(selected.source.index.text(ordinal))
      bytes += sizes.bytes[ordinal]!
      entries += sizes.entries[ordinal]!
      if (pace.isTired()) await pace.rest()
    }
    chunks += countPages(selected)
    await run.reserve((streams.size - before) * BYTES_PER_STREAM)
  }
  return { streams: streams.size, chunks, bytes: Math.round(bytes), entries: Math.round(entries) }
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

/** Divides the streams of a selector by the hash of their labels into parts of about the same size. */
import { hash64, hashWords } from '#/kernel/hash64.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { IndexShard, ShardsQuery } from '#/logs/wire/index-query.ts'
import { Pace } from './pace.ts'
import type { QueryRun } from './query-run.ts'
import { eachOrdinal, selectStreams, type SelectedStreams } from './select-streams.ts'
import { streamSizes } from './stream-sizes.ts'

const MAX_HASH = 2n ** 64n - 1n
/** Memory for a stream's text and counts, estimated. */
const BYTES_PER_STREAM = 300

type StreamSize = { readonly hash: bigint; chunks: number; bytes: number; entries: number }

/** At least one, together all hashes; a part is larger than asked for only by its last stream. */
export async function findShards(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: ShardsQuery,
): Promise<readonly IndexShard[]> {
  const streams = new Map<string, StreamSize>()
  const pace = new Pace(run)
  for await (const selected of selectStreams(run, ingesters, query)) {
    const { bytes, entries } = streamSizes(selected)
    const chunks = pagesByStream(selected)
    const before = streams.size
    for (const ordinal of eachOrdinal(selected)) {
      if (entries[ordinal] === 0) continue
      const text = selected.source.index.text(ordinal)
      let size = streams.get(text)
      if (size === undefined) streams.set(text, (size = { hash: hashOf(text), chunks: 0, bytes: 0, entries: 0 }))
      size.chunks += chunks[ordinal]!
      size.bytes += bytes[ordinal]!
      size.entries += entries[ordinal]!
      if (pace.isTired()) await pace.rest()
    }
    await run.reserve((streams.size - before) * BYTES_PER_STREAM)
  }
  const ordered = [...streams.values()].toSorted((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
  return cutShards(ordered, query.targetBytes)
}

function cutShards(streams: readonly StreamSize[], targetBytes: number): readonly IndexShard[] {
  const shards: IndexShard[] = []
  let min = 0n
  let sum = { streams: 0, chunks: 0, bytes: 0, entries: 0 }
  const close = (max: bigint): void => {
    const { bytes, entries } = sum
    shards.push({ min, max, stats: { ...sum, bytes: Math.round(bytes), entries: Math.round(entries) } })
    min = max + 1n
    sum = { streams: 0, chunks: 0, bytes: 0, entries: 0 }
  }
  for (const [i, { hash, chunks, bytes, entries }] of streams.entries()) {
    sum.streams++
    sum.chunks += chunks
    sum.bytes += bytes
    sum.entries += entries
    const next = streams[i + 1]
    if (next !== undefined && next.hash !== hash && sum.bytes >= targetBytes) close(hash)
  }
  close(MAX_HASH)
  return shards
}

function hashOf(text: string): bigint {
  hash64(text)
  return (BigInt(hashWords.high) << 32n) | BigInt(hashWords.low)
}

/** By ordinal, pages that have rows of a stream in the window. */
function pagesByStream({ source, from, to }: SelectedStreams): Uint32Array {
  const counts = new Uint32Array(source.index.count)
  /** The last page that was counted for a stream, plus one. */
  const counted = new Uint32Array(source.index.count)
  const count = (stream: number, page: number): void => {
    if (counted[stream] === page + 1) return
    counted[stream] = page + 1
    counts[stream]!++
  }
  if (source.data.kind === 'block') {
    const { pageEnds, stream, minTime, maxTime } = source.data.block.runs
    for (let run = 0, page = 0; run < stream.length; run++) {
      while (run >= pageEnds[page]!) page++
      if (minTime[run]! < to && maxTime[run]! >= from) count(stream[run]!, page)
    }
    return counts
  }
  for (const [page, { rowCount, stream, time }] of source.data.pages.entries()) {
    for (let row = 0; row < rowCount; row++) if (time[row]! >= from && time[row]! < to) count(stream[row]!, page)
  }
  return counts
}

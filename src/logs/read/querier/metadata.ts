/** Label names, label values and series, from the indexes of heads and blocks. */
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { MetadataQuery } from '#/logs/wire/query.ts'
import { dropShared } from '#/platform/memory/shared-garbage.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { Pace } from './pace.ts'
import { compareLabels } from './compare-labels.ts'
import { addStreams, SeenStreams } from './seen-streams.ts'
import type { QueryRun } from './query-run.ts'
import { selectStreams } from './select-streams.ts'

/** Memory for a stream of an answer: its text and labels, estimated. */
const BYTES_PER_SERIES = 512

export async function findLabelNames(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<readonly string[]> {
  const names = new Set<string>()
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    for (const name of source.index.names(ordinals)) names.add(name)
  }
  return [...names].toSorted(compareUtf8)
}

export async function findLabelValues(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
  name: string,
): Promise<readonly string[]> {
  const values = new Set<string>()
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    for (const value of source.index.values(name, ordinals)) values.add(value)
  }
  return [...values].toSorted(compareUtf8)
}

export async function findSeries(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<readonly Labels[]> {
  const seen = new SeenStreams()
  const pace = new Pace(run)
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    const before = seen.count
    await addStreams(seen, source.index, ordinals, pace)
    await run.reserve((seen.count - before) * BYTES_PER_SERIES)
  }
  const found = Array.from({ length: seen.count }, (_, number) => seen.labelsOf(number))
  dropShared(seen.sharedBytes)
  return found.toSorted(compareLabels)
}

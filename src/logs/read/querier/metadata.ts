/** Label names, label values and series, from the indexes of heads and blocks. */
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { MetadataQuery } from '#/logs/wire/query.ts'
import { StreamLabels } from '#/logs/read/scan/stream-labels.ts'
import { codeLabels, type CodedLabels } from '#/storage/index/coded-labels.ts'
import type { LabelIndex, Labels } from '#/storage/index/label-index.ts'
import { Pace } from './pace.ts'
import { compareLabels } from './compare-labels.ts'
import { SeenStreams } from './seen-streams.ts'
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
  const found: Labels[] = []
  const pace = new Pace(run)
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    const coded = chosenStreams(source.index, ordinals)
    const labelsOf = new StreamLabels(coded)
    const before = found.length
    seen.begin(coded)
    for (let stream = 0; stream < coded.ends.length; stream++) {
      if (pace.isTired()) await pace.rest()
      if (seen.add(stream)) found.push(labelsOf.of(stream))
    }
    await run.reserve((found.length - before) * BYTES_PER_SERIES)
  }
  return found.toSorted(compareLabels)
}

/** The labels of these streams (all when undefined), numbered from 0. */
function chosenStreams(index: LabelIndex, ordinals: Uint32Array | undefined): CodedLabels {
  if (ordinals === undefined) return index.coded()
  if (index.codedOf !== undefined) return index.codedOf({ ordinals })
  return codeLabels(ordinals.length, (i) => index.labels(ordinals[i]!))
}

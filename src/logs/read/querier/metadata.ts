/** Label names, label values and series, from the indexes of heads and blocks. */
import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { MetadataQuery } from '#/logs/wire/query.ts'
import { hashOfStream, haveSameLabels, type CodedStream } from '#/storage/index/coded-labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { Pace } from './pace.ts'
import type { QueryRun } from './query-run.ts'
import { eachOrdinal, selectStreams } from './select-streams.ts'

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
  const seen = new Map<number, CodedStream[]>()
  const found: { readonly text: string; readonly labels: Labels }[] = []
  const pace = new Pace(run)
  for await (const selected of selectStreams(run, ingesters, query)) {
    const { index } = selected.source
    const coded = index.coded()
    const before = found.length
    for (const stream of eachOrdinal(selected)) {
      if (pace.isTired()) await pace.rest()
      const one = { coded, stream }
      const hash = hashOfStream(coded, stream)
      const alike = seen.get(hash)
      if (alike?.some((known) => haveSameLabels(known, one)) === true) continue
      if (alike === undefined) seen.set(hash, [one])
      else alike.push(one)
      const labels = index.labels(stream)
      found.push({ text: formatLabels(labels), labels })
    }
    await run.reserve((found.length - before) * BYTES_PER_SERIES)
  }
  return found.toSorted((a, b) => compareUtf8(a.text, b.text)).map(({ labels }) => labels)
}

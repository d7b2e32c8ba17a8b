/**
 * How many bytes of lines and metadata groups of streams have, by time. Indexes answer nearly all of it:
 *
 *     heads            row by row, exact
 *     runs of blocks   a run inside one bucket counts in full
 *                      in one bucket for the whole range, a run across its ends counts in proportion (./stream-sizes.ts)
 *                      with a step, the times and lengths of its page say what belongs to which bucket (./run-sizes.ts); only
 *                      its metadata is divided evenly among its rows
 *
 * No line is read. Entries that are stored twice, by a replayed upload, count twice until they are merged.
 */
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { Volume, VolumeQuery } from '#/logs/wire/index-query.ts'
import { StreamLabels } from '#/logs/read/scan/stream-labels.ts'
import type { CodedLabels } from '#/storage/index/coded-labels.ts'
import { HeadSizes } from './head-sizes.ts'
import { Pace } from './pace.ts'
import type { QueryRun } from './query-run.ts'
import { divideRuns, type DividedRun } from './run-sizes.ts'
import { eachOrdinal, selectStreams, type SelectedStreams } from './select-streams.ts'
import { streamSizes } from './stream-sizes.ts'
import { bucketOf, VolumeBuckets, type DayBuckets } from './volume-buckets.ts'
import { VolumeGroups } from './volume-groups.ts'

export type FoundVolumes = { readonly volumes: readonly Volume[]; readonly bucketEndsNs: readonly bigint[] }

/** @throws BadRequest beyond `maxGroups` (0: no limit). */
export async function findVolumes(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: VolumeQuery,
  maxGroups: number,
): Promise<FoundVolumes> {
  const buckets = new VolumeBuckets(query, query.stepNs)
  const groups = new VolumeGroups(run, { query, maxGroups, bucketCount: buckets.count })
  const pace = new Pace(run)
  for await (const selected of selectStreams(run, ingesters, query)) {
    const labels = new StreamLabels(labelsOf(selected, groups.names))
    // streams that differ in other labels only are of the same groups
    const known = new Map<number | string, readonly number[]>()
    const groupsOf = new Array<readonly number[] | undefined>(selected.source.index.count).fill(undefined)
    for (const ordinal of eachOrdinal(selected)) {
      const key = labels.pairsKey(ordinal, groups.names)
      let own = known.get(key)
      if (own === undefined) known.set(key, (own = groups.of(labels.of(ordinal))))
      groupsOf[ordinal] = own
      if (pace.isTired()) await pace.rest()
    }
    await groups.reserve()
    const add = (ordinal: number, bucket: number, bytes: number): void => {
      const own = groupsOf[ordinal]
      if (own !== undefined) groups.add(own, bucket, bytes)
    }
    if (query.stepNs === 0n) addWhole(selected, add)
    else await addByBucket(run, selected, buckets.inDay(selected.day, selected.from), add)
  }
  return { volumes: groups.volumes(), bucketEndsNs: buckets.endsNs }
}

/** The labels of the streams of a source, as far as they make groups. */
function labelsOf({ source: { index } }: SelectedStreams, names: ReadonlySet<string> | undefined): CodedLabels {
  return (names && index.codedOf?.({ names })) ?? index.coded()
}

/** Streams that were not selected are ignored. */
type Add = (ordinal: number, bucket: number, bytes: number) => void

function addWhole(selected: SelectedStreams, add: Add): void {
  const { bytes } = streamSizes(selected)
  for (const [ordinal, sum] of bytes.entries()) add(ordinal, 0, sum)
}

async function addByBucket(run: QueryRun, selected: SelectedStreams, buckets: DayBuckets, add: Add): Promise<void> {
  const { source, from, to } = selected
  if (source.data.kind === 'head') {
    for (const page of source.data.pages) {
      const { rowCount, stream, time } = page
      const sizes = new HeadSizes(page)
      for (let row = 0; row < rowCount; row++) {
        const t = time[row]!
        if (t >= from && t < to) add(stream[row]!, bucketOf(buckets, t), sizes.of(row))
      }
    }
    return
  }
  const isWanted = new Uint8Array(source.index.count)
  for (const ordinal of eachOrdinal(selected)) isWanted[ordinal] = 1
  const { pageEnds, stream, rowCount, rawBytes, minTime, maxTime } = source.data.block.runs
  const divided: DividedRun[] = []
  const storedRows = source.hidden?.storedRows ?? rowCount
  let firstRow = 0
  for (let i = 0, page = 0; i < stream.length; i++, firstRow += storedRows[i - 1]!) {
    while (i >= pageEnds[page]!) {
      page++
      firstRow = 0
    }
    const [least, greatest] = [minTime[i]!, maxTime[i]!]
    if (isWanted[stream[i]!] === 0 || least >= to || greatest < from) continue
    const isInside = least >= from && greatest < to
    if (isInside && bucketOf(buckets, least) === bucketOf(buckets, greatest)) {
      add(stream[i]!, bucketOf(buckets, least), rawBytes[i]!)
    } else {
      divided.push({ ordinal: stream[i]!, page, firstRow, rowCount: storedRows[i]!, rawBytes: rawBytes[i]! })
    }
  }
  await divideRuns(run, { source, runs: divided, from, to, buckets }, add)
}

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
import { blockTotals, isBlock } from './block-totals.ts'
import { HeadSizes } from './head-sizes.ts'
import { Pace } from './pace.ts'
import type { QueryRun } from './query-run.ts'
import { divideRuns, type DividedRun } from './run-sizes.ts'
import { eachOrdinal, selectStreams, type SelectedStreams } from './select-streams.ts'
import { groupsOf } from './source-groups.ts'
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
    if (query.stepNs === 0n && addTotals(run, selected, groups)) {
      await groups.reserve()
      continue
    }
    const { of, count, labelsOf } = groupsOf(selected.source.index, groups.grouping)
    // by group of streams; the others were not selected
    const found = new Array<readonly number[] | undefined>(count).fill(undefined)
    const isWanted = new Uint8Array(of.length)
    for (const ordinal of eachOrdinal(selected)) {
      if (pace.isTired()) await pace.rest()
      isWanted[ordinal] = 1
      found[of[ordinal]!] ??= groups.of(labelsOf(of[ordinal]!))
    }
    await groups.reserve()
    const add = (ordinal: number, bucket: number, bytes: number): void => {
      if (isWanted[ordinal] === 1) groups.add(found[of[ordinal]!]!, bucket, bytes)
    }
    if (query.stepNs === 0n) addWhole(selected, add)
    else await addByBucket(run, selected, buckets.inDay(selected.day, selected.from), { isWanted, add })
  }
  return { volumes: groups.volumes(), bucketEndsNs: buckets.endsNs }
}

/** Adds a block that is wanted as a whole; whether it is one. */
function addTotals(run: QueryRun, selected: SelectedStreams, groups: VolumeGroups): boolean {
  const { source, ordinals, from, to } = selected
  const isInside = source.minTime >= from && source.maxTime < to
  if (!isBlock(source) || ordinals !== undefined || source.hidden !== undefined || !isInside) return false
  const totals = blockTotals(run, source, { grouping: groups.grouping, measure: 'raw bytes' })
  if (totals === undefined) return false
  for (const [i, labels] of totals.labels.entries()) groups.add(groups.of(labels), 0, totals.bytes![i]!)
  return true
}

/** Streams that were not selected are ignored. */
type Add = (ordinal: number, bucket: number, bytes: number) => void

function addWhole(selected: SelectedStreams, add: Add): void {
  const { bytes } = streamSizes(selected)
  for (let ordinal = 0; ordinal < bytes.length; ordinal++) add(ordinal, 0, bytes[ordinal]!)
}

type Wanted = { readonly isWanted: Uint8Array; readonly add: Add }

async function addByBucket(
  run: QueryRun,
  selected: SelectedStreams,
  buckets: DayBuckets,
  { isWanted, add }: Wanted,
): Promise<void> {
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

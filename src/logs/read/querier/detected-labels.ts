/** Labels that are worth a look, and how many values each has: those whose values are nothing but identifiers are left out. */
import { DistinctCount } from '#/kernel/distinct-count.ts'
import { parseGoFloat } from '#/kernel/go-number.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { DetectedLabel } from '#/logs/wire/index-query.ts'
import type { MetadataQuery } from '#/logs/wire/query.ts'
import { Pace } from './pace.ts'
import type { QueryRun } from './query-run.ts'
import { selectStreams } from './select-streams.ts'

/** Shown whatever their values look like. */
const alwaysShown = new Set(['cluster', 'namespace', 'instance', 'pod'])
/** A label with more values has its number estimated. */
const MAX_EXACT_VALUES = 8192
/** Memory for a label, and for a value that is kept, estimated. */
const BYTES_PER_LABEL = 1024
const BYTES_PER_VALUE = 128
const uuid = /^(?:urn:uuid:|\{)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$|^[0-9a-f]{32}$/i

type Seen = { readonly values: DistinctCount; hasText: boolean; hasOtherThanFlags: boolean }

export async function findDetectedLabels(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: MetadataQuery,
): Promise<readonly DetectedLabel[]> {
  const labels = new Map<string, Seen>()
  const pace = new Pace(run)
  for await (const { source, ordinals } of selectStreams(run, ingesters, query)) {
    let bytes = 0
    for (const name of source.index.names(ordinals)) {
      let seen = labels.get(name)
      if (seen === undefined) {
        seen = { values: new DistinctCount(MAX_EXACT_VALUES), hasText: false, hasOtherThanFlags: false }
        labels.set(name, seen)
        bytes += BYTES_PER_LABEL
      }
      for (const value of source.index.values(name, ordinals)) {
        if (addValue(seen, value) && seen.values.isExact) bytes += BYTES_PER_VALUE
        if (pace.isTired()) await pace.rest()
      }
    }
    await run.reserve(bytes)
  }
  return [...labels]
    .filter(([name, seen]) => isShown(name, seen))
    .map(([label, { values }]) => ({ label, cardinality: values.count }))
    .toSorted((a, b) => compareUtf8(a.label, b.label))
}

/** Returns false when the value is known. */
function addValue(seen: Seen, value: string): boolean {
  if (value === '' || !seen.values.add(value)) return false
  seen.hasText ||= !isId(value)
  seen.hasOtherThanFlags ||= value !== '0' && value !== '1'
  return true
}

function isShown(name: string, { values, hasText, hasOtherThanFlags }: Seen): boolean {
  if (values.count === 0) return false
  return alwaysShown.has(name) || hasText || !hasOtherThanFlags
}

/** Numbers and UUIDs tell streams apart, but say nothing to people. */
function isId(value: string): boolean {
  return typeof parseGoFloat(value) === 'number' || uuid.test(value)
}

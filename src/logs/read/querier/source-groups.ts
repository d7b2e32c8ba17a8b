/** The streams of a source in groups, numbered, by some of their labels or by all but some. */
import { StreamLabels } from '#/logs/read/scan/stream-labels.ts'
import type { LabelGrouping } from '#/series/labels.ts'
import type { LabelIndex, Labels } from '#/storage/index/label-index.ts'
import type { StreamGroups } from '#/storage/index/stream-groups.ts'

export function groupsOf(index: LabelIndex, grouping: LabelGrouping): StreamGroups {
  const names = groupingNames(index, grouping)
  return index.groupsOf?.(names) ?? groupByPairs(index, names)
}

function groupingNames(index: LabelIndex, { kind, labels }: LabelGrouping): ReadonlySet<string> {
  if (kind === 'by') return new Set(labels)
  return new Set(index.names(undefined)).difference(new Set(labels))
}

/** For heads, and for views of an index that have no columns. */
function groupByPairs(index: LabelIndex, names: ReadonlySet<string>): StreamGroups {
  const labels = new StreamLabels(index.codedOf?.({ names }) ?? index.coded())
  const of = new Uint32Array(labels.count)
  const groups: Labels[] = []
  const known = new Map<number | string, number>()
  for (let stream = 0; stream < of.length; stream++) {
    const key = labels.pairsKey(stream, names)
    let group = known.get(key)
    if (group === undefined) {
      group = groups.push(labels.of(stream).filter(([name]) => names.has(name))) - 1
      known.set(key, group)
    }
    of[stream] = group
  }
  return { count: groups.length, of, labelsOf: (group) => groups[group]! }
}

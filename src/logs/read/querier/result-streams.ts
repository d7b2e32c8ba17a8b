/** Groups the rows of a log query into the streams of its answer. */
import { absoluteNs } from '#/logs/model/day.ts'
import { formatLabels, sortLabels } from '#/logs/model/labels.ts'
import type { LabelCategory } from '#/logs/logql/pipeline/row.ts'
import { labelsOfSet, type SetLabel } from '#/logs/read/scan/label-sets.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { Direction, QueryData, ResultEntry, ResultStream } from '#/logs/wire/query.ts'
import type { Label, Labels } from '#/storage/index/label-index.ts'
import type { FoundRow } from './top-rows.ts'

/** The labels of a set, in the ways in which an answer needs them. */
type EntryLabels = {
  readonly all: Labels
  readonly allText: string
  readonly stream: Labels
  readonly streamText: string
  readonly structuredMetadata: Labels
  readonly parsed: Labels
}

export function resultStreams(rows: readonly FoundRow[]): QueryData & { readonly kind: 'streams' } {
  const labelsOf = new Map<RowsResult, Map<number, EntryLabels>>()
  const full = new StreamGroups()
  const categorized = new StreamGroups()
  for (const { day, result, at } of rows) {
    const labels = entryLabels(labelsOf, result, result.labelSet[at]!)
    const [start, end] = [result.lineStart[at]!, result.lineStart[at + 1]!]
    const { buffer, byteOffset } = result.lines
    const entry: ResultEntry = {
      timeNs: absoluteNs(day, result.time[at]!),
      line: Buffer.from(buffer, byteOffset + start, end - start),
      structuredMetadata: labels.structuredMetadata,
      parsed: labels.parsed,
    }
    full.add(labels.allText, labels.all, entry)
    categorized.add(labels.streamText, labels.stream, entry)
  }
  return { kind: 'streams', streams: full.sorted(), categorized: categorized.sorted() }
}

function entryLabels(known: Map<RowsResult, Map<number, EntryLabels>>, result: RowsResult, set: number): EntryLabels {
  let ofResult = known.get(result)
  if (ofResult === undefined) known.set(result, (ofResult = new Map()))
  let labels = ofResult.get(set)
  if (labels === undefined) ofResult.set(set, (labels = makeLabels(labelsOfSet(result.labelSets, set))))
  return labels
}

function makeLabels(set: readonly SetLabel[]): EntryLabels {
  const pick = (category?: LabelCategory): Labels =>
    sortLabels(
      set
        .filter((label) => category === undefined || label.category === category)
        .map(({ name, value }): Label => [name, value]),
    )
  const all = pick()
  const stream = pick('stream')
  return {
    all,
    allText: formatLabels(all),
    stream,
    streamText: formatLabels(stream),
    structuredMetadata: pick('metadata'),
    parsed: pick('parsed'),
  }
}

class StreamGroups {
  readonly #groups = new Map<string, { readonly labels: Labels; readonly entries: ResultEntry[] }>()

  add(text: string, labels: Labels, entry: ResultEntry): void {
    const group = this.#groups.get(text)
    if (group === undefined) this.#groups.set(text, { labels, entries: [entry] })
    else group.entries.push(entry)
  }

  sorted(): readonly ResultStream[] {
    return [...this.#groups].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, group]) => group)
  }
}

/** Leaves out rows that are closer than `intervalNs` to the last one that was kept; `lastNs` is the one before the first row. */
export function thinRows(
  rows: readonly FoundRow[],
  {
    intervalNs,
    direction,
    lastNs,
  }: { readonly intervalNs: bigint; readonly direction: Direction; readonly lastNs: bigint | undefined },
): readonly FoundRow[] {
  let last = lastNs
  return rows.filter((row) => {
    const ns = rowTimeNs(row)
    const distance = last === undefined ? intervalNs : direction === 'forward' ? ns - last : last - ns
    if (distance < intervalNs) return false
    last = ns
    return true
  })
}

export function rowTimeNs({ day, result, at }: FoundRow): bigint {
  return absoluteNs(day, result.time[at]!)
}

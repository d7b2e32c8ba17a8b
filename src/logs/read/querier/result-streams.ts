/** Groups the rows of a log query into the streams of its answer. */
import { compareUtf8 } from '#/kernel/utf8.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import { formatLabels, sortLabels } from '#/logs/model/labels.ts'
import type { LabelCategory } from '#/logs/logql/pipeline/row.ts'
import { labelsOfSet, type SetLabel } from '#/logs/read/scan/label-sets.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { QueryData, ResultEntry, ResultStream } from '#/logs/wire/query.ts'
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

/**
 * Streams come in the order of their labels or, for rows that are sorted by a label, in the order of their first rows; entries keep
 * the order of `rows`. As all entries of a stream have the same labels, those streams are in the order of the sort label, too. By
 * categories they need not be: there a stream may have several values of a parsed label.
 */
export function resultStreams(
  rows: readonly FoundRow[],
  { isSorted }: { readonly isSorted: boolean },
): QueryData & { readonly kind: 'streams' } {
  const maker = new EntryMaker()
  const full = new StreamGroups()
  const categorized = new StreamGroups()
  for (const row of rows) {
    const { entry, labels } = maker.make(row)
    full.add(labels.allText, labels.all, entry)
    categorized.add(labels.streamText, labels.stream, entry)
  }
  return isSorted
    ? { kind: 'streams', streams: full.found(), categorized: categorized.found() }
    : { kind: 'streams', streams: full.sorted(), categorized: categorized.sorted() }
}

/** Rows in their order: neighbours with equal labels share a stream, and the same labels may come again. */
export function resultRuns(
  rows: readonly FoundRow[],
  maker: EntryMaker,
): Omit<QueryData & { readonly kind: 'streams' }, 'kind'> {
  const full: RunOfEntries[] = []
  const categorized: RunOfEntries[] = []
  for (const row of rows) {
    const { entry, labels } = maker.make(row)
    addToRuns(full, labels.allText, labels.all, entry)
    addToRuns(categorized, labels.streamText, labels.stream, entry)
  }
  return { streams: full, categorized }
}

type RunOfEntries = { readonly text: string; readonly labels: Labels; readonly entries: ResultEntry[] }

function addToRuns(runs: RunOfEntries[], text: string, labels: Labels, entry: ResultEntry): void {
  const last = runs.at(-1)
  if (last?.text === text) last.entries.push(entry)
  else runs.push({ text, labels, entries: [entry] })
}

/** Makes entries of rows; remembers labels, which many rows of a result share, as long as the result is used. */
export class EntryMaker {
  readonly #labels = new WeakMap<RowsResult, Map<number, EntryLabels>>()

  make({ day, result, at }: FoundRow): { readonly entry: ResultEntry; readonly labels: EntryLabels } {
    const labels = this.#labelsOf(result, result.labelSet[at]!)
    const [start, end] = [result.lineStart[at]!, result.lineStart[at + 1]!]
    const { buffer, byteOffset } = result.lines
    const entry: ResultEntry = {
      timeNs: absoluteNs(day, result.time[at]!),
      line: Buffer.from(buffer, byteOffset + start, end - start),
      structuredMetadata: labels.structuredMetadata,
      parsed: labels.parsed,
    }
    return { entry, labels }
  }

  #labelsOf(result: RowsResult, set: number): EntryLabels {
    let ofResult = this.#labels.get(result)
    if (ofResult === undefined) this.#labels.set(result, (ofResult = new Map()))
    let labels = ofResult.get(set)
    if (labels === undefined) ofResult.set(set, (labels = makeLabels(labelsOfSet(result.labelSets, set))))
    return labels
  }
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

  /** In the order in which they were first added to. */
  found(): readonly ResultStream[] {
    return [...this.#groups.values()]
  }

  sorted(): readonly ResultStream[] {
    return [...this.#groups].toSorted(([a], [b]) => compareUtf8(a, b)).map(([, group]) => group)
  }
}

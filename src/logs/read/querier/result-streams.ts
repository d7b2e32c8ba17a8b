/** Groups the rows of a log query into the streams of its answer. */
import { compareUtf8 } from '#/kernel/utf8.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { QueryData, ResultEntry, ResultStream } from '#/logs/wire/query.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { ShownLabels, type ShownSet } from './shown-labels.ts'
import type { FoundRow } from './top-rows.ts'

/** What rows are grouped by: a text that says which labels, and these. */
type Grouping = {
  readonly textOf: (labels: ShownSet) => string
  readonly labelsOf: (labels: ShownSet) => Labels
}

const byAllLabels: Grouping = { textOf: (labels) => labels.allText, labelsOf: (labels) => labels.all }
const byStream: Grouping = { textOf: (labels) => labels.streamText, labelsOf: (labels) => labels.stream }

/** What both groupings of rows make, each when it is asked for: a client sees one of them. */
class GroupedRows {
  readonly kind = 'streams'
  readonly #group: (grouping: Grouping) => readonly ResultStream[]
  #streams: readonly ResultStream[] | undefined
  #categorized: readonly ResultStream[] | undefined

  constructor(group: (grouping: Grouping) => readonly ResultStream[]) {
    this.#group = group
  }

  get streams(): readonly ResultStream[] {
    return (this.#streams ??= this.#group(byAllLabels))
  }

  get categorized(): readonly ResultStream[] {
    return (this.#categorized ??= this.#group(byStream))
  }
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
  return new GroupedRows((grouping) => {
    const groups = new StreamGroups(grouping)
    for (const row of rows) groups.add(maker.make(row))
    return isSorted ? groups.found() : groups.sorted()
  })
}

/** Rows in their order: neighbours with equal labels share a stream, and the same labels may come again. */
export function resultRuns(rows: readonly FoundRow[], maker: EntryMaker): Pick<GroupedRows, 'streams' | 'categorized'> {
  const group = (grouping: Grouping): readonly ResultStream[] => {
    const runs: RunOfEntries[] = []
    for (const row of rows) addToRuns(runs, maker.make(row), grouping)
    return runs
  }
  return { streams: group(byAllLabels), categorized: group(byStream) }
}

type RunOfEntries = { readonly text: string; readonly labels: Labels; readonly entries: ResultEntry[] }

function addToRuns(runs: RunOfEntries[], { entry, labels }: MadeEntry, { textOf, labelsOf }: Grouping): void {
  const last = runs.at(-1)
  const text = textOf(labels)
  if (last?.text === text) last.entries.push(entry)
  else runs.push({ text, labels: labelsOf(labels), entries: [entry] })
}

export type MadeEntry = { readonly entry: ResultEntry; readonly labels: ShownSet }

/** A row as an entry; labels of categories are put together for those who ask. */
class RowEntry implements ResultEntry {
  readonly timeNs: bigint
  readonly line: Buffer
  readonly #labels: ShownSet

  constructor({ day, result, at }: FoundRow, labels: ShownSet) {
    const [start, end] = [result.lineStart[at]!, result.lineStart[at + 1]!]
    const { buffer, byteOffset } = result.lines
    this.timeNs = absoluteNs(day, result.time[at]!)
    this.line = Buffer.from(buffer, byteOffset + start, end - start)
    this.#labels = labels
  }

  get structuredMetadata(): Labels {
    return this.#labels.structuredMetadata
  }

  get parsed(): Labels {
    return this.#labels.parsed
  }
}

/** Makes entries of rows; remembers labels, which many rows of a result share, as long as the result is used. */
export class EntryMaker {
  readonly #labels = new WeakMap<RowsResult, ShownLabels>()

  make(row: FoundRow): MadeEntry {
    const { result, at } = row
    let shown = this.#labels.get(result)
    if (shown === undefined) this.#labels.set(result, (shown = new ShownLabels(result.labelSets)))
    const labels = shown.of(result.labelSet[at]!)
    return { entry: new RowEntry(row, labels), labels }
  }
}

class StreamGroups {
  readonly #grouping: Grouping
  readonly #groups = new Map<string, { readonly labels: Labels; readonly entries: ResultEntry[] }>()

  constructor(grouping: Grouping) {
    this.#grouping = grouping
  }

  add({ entry, labels }: MadeEntry): void {
    const text = this.#grouping.textOf(labels)
    const group = this.#groups.get(text)
    if (group === undefined) this.#groups.set(text, { labels: this.#grouping.labelsOf(labels), entries: [entry] })
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

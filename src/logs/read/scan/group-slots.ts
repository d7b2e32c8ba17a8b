/**
 * From a stream and a combination of metadata values to the number of a series. Streams whose labels make no difference to the
 * series are one class: they share what is known of combinations.
 */
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import { EXTRACTED_SUFFIX } from '#/logs/logql/pipeline/stream-view.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { labelsKey, type SeriesLabel, type SeriesLabels } from '#/series/labels.ts'
import { codeOf, type CodeColumn } from './code-columns.ts'
import type { SeriesSlots } from './series-slots.ts'
import type { StreamLabels } from './stream-labels.ts'

/** Combinations that are remembered across pages; beyond, all are forgotten and learned anew. */
const MAX_KNOWN = 65_536

export class GroupSlots {
  readonly #series: SeriesSlots
  readonly #grouping: Grouping
  /** Labels of streams that can make a difference; undefined: all. */
  readonly relevant: ReadonlySet<string> | undefined
  readonly #classes = new Map<string, number>()
  readonly #known = new Map<string, number>()
  /** By ordinal of the source at hand; -1 unknown. */
  #classOf = new Int32Array(0)
  /** Of the same source. */
  #classOfPairs = new Map<number | string, number>()
  #labels: StreamLabels | undefined

  constructor(series: SeriesSlots, grouping: Grouping) {
    this.#series = series
    this.#grouping = grouping
    this.relevant = grouping.kind === 'by' ? relevantNames(grouping.labels) : undefined
  }

  beginPart(labels: StreamLabels): void {
    this.#labels = labels
    this.#classOf = new Int32Array(labels.count).fill(-1)
    this.#classOfPairs = new Map()
  }

  /** Whether no stream of the source at hand has a label that makes a difference: all are one class. */
  isOneClass(): boolean {
    const labels = this.#labels!
    return this.relevant !== undefined && ![...this.relevant].some((name) => labels.someHas(name, undefined))
  }

  /** Numbers from 0, the same for all sources. */
  classOf(ordinal: number): number {
    const known = this.#classOf[ordinal]!
    return known >= 0 ? known : this.#findClass(ordinal)
  }

  /** The series of the rows of a stream with this combination. */
  slotOf(ordinal: number, columns: readonly CodeColumn[], combination: number): number {
    let key = String(this.classOf(ordinal))
    for (const column of columns) {
      const code = codeOf(column, combination)
      if (code > 0) key += `\n${column.name}\n${column.values[code - 1]!.length} ${column.values[code - 1]!}`
    }
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    const slot = this.#series.of(this.#seriesLabels(ordinal, columns, combination))
    this.#known.set(key, slot)
    return slot
  }

  #findClass(ordinal: number): number {
    const pairs = this.#labels!.pairsKey(ordinal, this.relevant)
    let found = this.#classOfPairs.get(pairs)
    if (found === undefined) this.#classOfPairs.set(pairs, (found = this.#classByLabels(ordinal)))
    return (this.#classOf[ordinal] = found)
  }

  #classByLabels(ordinal: number): number {
    const all = this.#labels!.of(ordinal)
    const key = labelsKey(this.relevant === undefined ? all : all.filter(([name]) => this.relevant!.has(name)))
    let found = this.#classes.get(key)
    if (found === undefined) this.#classes.set(key, (found = this.#classes.size))
    return found
  }

  /** As `seriesLabels` in ./row-labels.ts has it for a row that no stage changed. */
  #seriesLabels(ordinal: number, columns: readonly CodeColumn[], combination: number): SeriesLabels {
    const { kind, labels } = this.#grouping
    // an empty value of a stream's label counts as missing
    const stream = new Map(this.#labels!.of(ordinal).filter(([, value]) => value !== ''))
    const meta = new Map<string, string>()
    for (const column of columns) {
      const code = codeOf(column, combination)
      if (code > 0) meta.set(column.name, column.values[code - 1]!)
    }
    if (kind === 'without') return sorted(allLabels(stream, meta).filter(([name]) => !labels.includes(name)))
    const found: SeriesLabel[] = []
    for (const name of new Set(labels)) {
      const value = metaValue(name, stream, meta) ?? stream.get(name)
      if (value !== undefined) found.push([name, value])
    }
    return sorted(found)
  }
}

type Values = ReadonlyMap<string, string>

/** What metadata shows as `name`: that of the name, or of the name before `_extracted` if the stream has it. */
function metaValue(name: string, stream: Values, meta: Values): string | undefined {
  const own = stream.has(name) ? undefined : meta.get(name)
  if (own !== undefined || !name.endsWith(EXTRACTED_SUFFIX)) return own
  const base = name.slice(0, -EXTRACTED_SUFFIX.length)
  return stream.has(base) ? meta.get(base) : undefined
}

function allLabels(stream: Values, meta: Values): SeriesLabel[] {
  const labels: SeriesLabel[] = [...stream]
  for (const [name, value] of meta) {
    if (!stream.has(name)) labels.push([name, value])
    else if (!meta.has(name + EXTRACTED_SUFFIX)) labels.push([name + EXTRACTED_SUFFIX, value])
  }
  return labels
}

function sorted(labels: SeriesLabel[]): SeriesLabels {
  return labels.sort((a, b) => compareUtf8(a[0], b[0]))
}

function relevantNames(labels: readonly string[]): ReadonlySet<string> {
  const names = new Set(labels)
  for (const name of labels) if (name.endsWith(EXTRACTED_SUFFIX)) names.add(name.slice(0, -EXTRACTED_SUFFIX.length))
  return names
}

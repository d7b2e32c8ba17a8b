/** Erasers for merges: the rows that a log query selects, by the same pipeline by which queries hide them until then. */
import { asBuffer } from '#/kernel/byte-reader.ts'
import type { BlockEraser, EraseOrder, RowEraser } from '#/logs/compactor/merge/erase.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import { labelMatchers, streamMatchers } from '#/logs/logql/planner/label-matchers.ts'
import { rowQuery } from '#/logs/logql/planner/row-query.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { firstPairOf, valueOfPair, type CodedLabels } from '#/storage/index/coded-labels.ts'
import type { LabelMatcher, Labels } from '#/storage/index/label-index.ts'

const noCheck = (): void => undefined

/** @throws ParseError when the query of an order is none. */
export function rowEraser(order: EraseOrder): RowEraser {
  return new QueryEraser(order)
}

class QueryEraser implements RowEraser {
  readonly id: string
  readonly #order: EraseOrder
  readonly #matchers: readonly LabelMatcher[]
  readonly #unless: readonly (readonly LabelMatcher[])[]
  readonly #pipeline: Pipeline | undefined

  constructor(order: EraseOrder) {
    this.id = order.id
    this.#order = order
    const selection = order.query === '' ? undefined : rowQuery(order.query)
    this.#matchers = selection === undefined ? [] : streamMatchers(selection)
    this.#unless = (order.unless ?? []).map((selector) => labelMatchers(rowQuery(selector).matchers))
    const stages = selection?.stages ?? []
    this.#pipeline = stages.length === 0 ? undefined : compilePipeline(stages, { needed: new Set() })
  }

  open(streams: CodedLabels): BlockEraser | undefined {
    const isMeant = matchCoded(streams, this.#matchers)
    for (const matchers of this.#unless) {
      const stays = matchCoded(streams, matchers)
      for (let stream = 0; stream < isMeant.length; stream++) if (stays[stream] === 1) isMeant[stream] = 0
    }
    if (!isMeant.includes(1)) return undefined
    return new OpenEraser(this.#order, { isMeant, pipeline: this.#pipeline, streams })
  }
}

type Meant = { readonly isMeant: Uint8Array; readonly pipeline: Pipeline | undefined; readonly streams: CodedLabels }

class OpenEraser implements BlockEraser {
  readonly #times: { readonly from: number; readonly to: number }
  readonly #meant: Meant
  readonly #labels: (Labels | undefined)[] = []

  constructor(times: { readonly from: number; readonly to: number }, meant: Meant) {
    this.#times = times
    this.#meant = meant
  }

  eraseRows(page: LogPage, flags: Uint8Array): void {
    const { isMeant, pipeline } = this.#meant
    const { from, to } = this.#times
    const { rowCount, stream, time } = page
    const rows = new Uint32Array(rowCount)
    let count = 0
    for (let row = 0; row < rowCount; row++) {
      const t = time[row]!
      if (isMeant[stream[row]!] === 1 && t >= from && t < to && flags[row] === 0) rows[count++] = row
    }
    if (count === 0) return
    if (pipeline === undefined) for (let i = 0; i < count; i++) flags[rows[i]!] = 1
    else this.#runStages(pipeline, { page, rows, count }, flags)
  }

  #runStages(
    pipeline: Pipeline,
    { page, rows, count }: { readonly page: LogPage; readonly rows: Uint32Array; readonly count: number },
    flags: Uint8Array,
  ): void {
    let left = count
    for (const filter of pipeline.pageFilters) {
      // filters with conditions are there to save work; the stages look again
      if (filter.unlessLabels === undefined) left = filter.select(page.lines, page.lineStart, rows, left)
    }
    const entry: PipelineEntry = { page, row: 0, day: 0, streamLabels: [] }
    pipeline.begin(0n, noCheck)
    for (let i = 0; i < left; i++) {
      const row = (entry.row = rows[i]!)
      entry.streamLabels = this.#labelsOf(page.stream[row]!)
      if (pipeline.isTrivial || pipeline.run(entry) !== undefined) flags[row] = 1
    }
  }

  #labelsOf(stream: number): Labels {
    return (this.#labels[stream] ??= labelsOf(this.#meant.streams, stream))
  }
}

function labelsOf(coded: CodedLabels, stream: number): Labels {
  const { pairs, ends, names, nameOfPair } = coded
  return Array.from(pairs.subarray(firstPairOf(coded, stream), ends[stream]), (pair) => [
    names[nameOfPair[pair]!]!,
    valueOfPair(coded, pair),
  ])
}

/** By stream, 1 where all matchers hold. Each is asked once per distinct value. */
export function matchCoded(coded: CodedLabels, matchers: readonly LabelMatcher[]): Uint8Array {
  const { names, nameOfPair, values, valueEnds, pairs, ends } = coded
  const matched = new Uint8Array(ends.length).fill(1)
  const text = asBuffer(values)
  for (const { name, matches } of matchers) {
    const position = names.indexOf(name)
    const passesWithout = matches('')
    const passes = new Uint8Array(nameOfPair.length)
    for (let pair = 0; pair < nameOfPair.length; pair++) {
      if (nameOfPair[pair] !== position) continue
      const start = pair === 0 ? 0 : valueEnds[pair - 1]!
      passes[pair] = matches(text.toString('utf8', start, valueEnds[pair])) ? 1 : 0
    }
    for (let stream = 0; stream < matched.length; stream++) {
      let isPassing = passesWithout
      for (let i = firstPairOf(coded, stream); i < ends[stream]!; i++) {
        if (nameOfPair[pairs[i]!] === position) isPassing = passes[pairs[i]!] === 1
      }
      if (!isPassing) matched[stream] = 0
    }
  }
  return matched
}

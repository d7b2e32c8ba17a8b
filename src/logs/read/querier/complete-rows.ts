/**
 * Adds the labels of streams to rows that were found without them. Where nothing looks at these labels, so few are needed in the end that
 * reading them from the indexes takes far less than bringing those of all streams to the threads.
 */
import { codeOfCategory, packSets } from '#/logs/read/scan/label-sets.ts'
import { EXTRACTED_SUFFIX } from '#/logs/logql/pipeline/stream-view.ts'
import type { LabelSetTable, RowsResult } from '#/logs/read/scan/scan-job.ts'
import { resultBytes } from './compact-rows.ts'
import type { Source } from './source.ts'
import type { FoundRow } from './top-rows.ts'

const STREAM = codeOfCategory('stream')
const METADATA = codeOfCategory('metadata')

type Completed = {
  readonly rows: readonly FoundRow[]
  /** What the results of these rows take, beyond lines. */
  readonly bytes: number
}

/** `rows` with all labels. Their results have no labels for rows that are not among them. */
export function completeRows(rows: readonly FoundRow[], sourceOf: (row: FoundRow) => Source): Completed {
  const open = new Map<RowsResult, { readonly sets: CompletedSets; readonly labelSet: Uint32Array }>()
  for (const row of rows) {
    const { result, at } = row
    let one = open.get(result)
    if (one === undefined) {
      one = { sets: new CompletedSets(result.labelSets), labelSet: new Uint32Array(result.rowCount) }
      open.set(result, one)
    }
    one.labelSet[at] = one.sets.add(result.labelSet[at]!, sourceOf(row), result.streams![at]!)
  }
  const completed = new Map<RowsResult, RowsResult>()
  let bytes = 0
  for (const [result, { sets, labelSet }] of open) {
    const copy = { ...result, streams: undefined, labelSet, labelSets: sets.finish() }
    bytes += resultBytes(copy) - copy.lines.length
    completed.set(result, copy)
  }
  return { rows: rows.map(({ day, result, at }) => ({ day, result: completed.get(result)!, at })), bytes }
}

/** A stream in the symbols of a table, and sets that have been joined with it, by their number. */
type StreamSymbols = {
  readonly names: readonly number[]
  readonly values: readonly number[]
  readonly sets: Map<number, number>
}

/** Label sets, each joined with the labels of a stream: numbers alone are copied for each. */
class CompletedSets {
  readonly #table: LabelSetTable
  readonly #symbols: string[]
  /** Symbols of names; one name has one. */
  readonly #nameSymbols = new Map<string, number>()
  readonly #streams = new Map<Source, Map<number, StreamSymbols>>()
  readonly #ends: number[] = []
  readonly #names: number[] = []
  readonly #values: number[] = []
  readonly #categories: number[] = []

  constructor(table: LabelSetTable) {
    this.#table = table
    this.#symbols = [...table.symbols]
    const isKnown = new Uint8Array(table.symbols.length)
    for (const symbol of table.names) {
      if (isKnown[symbol] === 1) continue
      isKnown[symbol] = 1
      this.#nameSymbols.set(table.symbols[symbol]!, symbol)
    }
  }

  /** The set `set` of a row of a stream. */
  add(set: number, source: Source, ordinal: number): number {
    const stream = this.#streamOf(source, ordinal)
    const known = stream.sets.get(set)
    if (known !== undefined) return known
    const { ends, names, values, categories } = this.#table
    for (const [i, name] of stream.names.entries()) this.#push(name, stream.values[i]!, STREAM)
    const first = set === 0 ? 0 : ends[set - 1]!
    for (let at = first; at < ends[set]!; at++) {
      let name = names[at]!
      // what metadata has under the name of a label of the stream is called otherwise, if nothing is called so
      if (categories[at] === METADATA && stream.names.includes(name)) {
        name = this.#nameSymbol(this.#symbols[name]! + EXTRACTED_SUFFIX)
        if (this.#hasMetadata(first, ends[set]!, name)) continue
      }
      this.#push(name, values[at]!, categories[at]!)
    }
    const joined = this.#ends.push(this.#names.length) - 1
    stream.sets.set(set, joined)
    return joined
  }

  finish(): LabelSetTable {
    return packSets({
      symbols: this.#symbols,
      ends: this.#ends,
      names: this.#names,
      values: this.#values,
      categories: this.#categories,
    })
  }

  #hasMetadata(first: number, end: number, name: number): boolean {
    const { names, categories } = this.#table
    for (let at = first; at < end; at++) if (categories[at] === METADATA && names[at] === name) return true
    return false
  }

  #push(name: number, value: number, category: number): void {
    this.#names.push(name)
    this.#values.push(value)
    this.#categories.push(category)
  }

  #streamOf(source: Source, ordinal: number): StreamSymbols {
    let ofSource = this.#streams.get(source)
    if (ofSource === undefined) this.#streams.set(source, (ofSource = new Map()))
    let stream = ofSource.get(ordinal)
    if (stream === undefined) {
      const labels = source.index.labels(ordinal)
      const names = labels.map(([name]) => this.#nameSymbol(name))
      const values = labels.map(([, value]) => this.#symbols.push(value) - 1)
      ofSource.set(ordinal, (stream = { names, values, sets: new Map() }))
    }
    return stream
  }

  #nameSymbol(name: string): number {
    let symbol = this.#nameSymbols.get(name)
    if (symbol === undefined) {
      symbol = this.#symbols.push(name) - 1
      this.#nameSymbols.set(name, symbol)
    }
    return symbol
  }
}

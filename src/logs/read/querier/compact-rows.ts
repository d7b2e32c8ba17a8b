/** Copies what is left of the rows of a job, so that the memory of those that have fallen out of the answer can go. */
import type { LabelSetTable, RowsResult } from '#/logs/read/scan/scan-job.ts'

/** What a text takes beyond its characters. */
const TEXT_OVERHEAD_BYTES = 24

/** Bytes of lines and labels. */
export function resultBytes({ lines, labelSets }: RowsResult): number {
  const { symbols, names, values, categories, ends } = labelSets
  const texts = symbols.reduce((sum, text) => sum + text.length + TEXT_OVERHEAD_BYTES, 0)
  return lines.length + texts + names.byteLength + values.byteLength + categories.byteLength + ends.byteLength
}

/** The rows at `positions`, in that order; position i of the answer is `positions[i]` of `result`. */
export function compactRows(result: RowsResult, positions: Uint32Array): RowsResult {
  const rowCount = positions.length
  const lineStart = new Uint32Array(rowCount + 1)
  for (const [i, at] of positions.entries()) {
    lineStart[i + 1] = lineStart[i]! + result.lineStart[at + 1]! - result.lineStart[at]!
  }
  const lines = new Uint8Array(lineStart[rowCount]!)
  for (const [i, at] of positions.entries()) {
    lines.set(result.lines.subarray(result.lineStart[at], result.lineStart[at + 1]), lineStart[i])
  }
  const sets = compactSets(
    result.labelSets,
    positions.map((at) => result.labelSet[at]!),
  )
  return {
    kind: 'rows',
    counts: result.counts,
    rowCount,
    time: Float64Array.from(positions, (at) => result.time[at]!),
    order: positions.map((at) => result.order[at]!),
    row: positions.map((at) => result.row[at]!),
    streams: result.streams && positions.map((at) => result.streams![at]!),
    key: result.key && Float64Array.from(positions, (at) => result.key![at]!),
    lineStart,
    lines,
    ...sets,
  }
}

/** `labelSet` of each row, made anew, with a table of these sets alone. */
function compactSets(table: LabelSetTable, labelSet: Uint32Array): Pick<RowsResult, 'labelSet' | 'labelSets'> {
  const used = [...new Set(labelSet)]
  const newSet = new Map(used.map((set, i) => [set, i]))
  const startOf = (set: number): number => (set === 0 ? 0 : table.ends[set - 1]!)
  const size = used.reduce((sum, set) => sum + table.ends[set]! - startOf(set), 0)
  const newSymbol = new Map<number, number>()
  const symbolOf = (symbol: number): number => {
    const known = newSymbol.get(symbol) ?? newSymbol.size
    newSymbol.set(symbol, known)
    return known
  }
  const names = new Uint32Array(size)
  const values = new Uint32Array(size)
  const categories = new Uint8Array(size)
  const ends = new Uint32Array(used.length)
  let at = 0
  for (const [i, set] of used.entries()) {
    for (let from = startOf(set); from < table.ends[set]!; from++, at++) {
      names[at] = symbolOf(table.names[from]!)
      values[at] = symbolOf(table.values[from]!)
      categories[at] = table.categories[from]!
    }
    ends[i] = at
  }
  const symbols = [...newSymbol.keys()].map((symbol) => table.symbols[symbol]!)
  return { labelSet: labelSet.map((set) => newSet.get(set)!), labelSets: { symbols, ends, names, values, categories } }
}

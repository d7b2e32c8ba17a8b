/** Label sets of result rows, each stored once, in flat columns that are cheap to post. */
import type { LabelCategory, Row } from '#/logs/logql/pipeline/row.ts'
import type { LabelSetTable } from './scan-job.ts'

const categories: readonly LabelCategory[] = ['stream', 'metadata', 'parsed']

/** How {@link LabelSetTable} has a category. */
export function codeOfCategory(category: LabelCategory): number {
  return categories.indexOf(category)
}

/** Of a code in {@link LabelSetTable}. */
export function categoryOfCode(code: number): LabelCategory {
  return categories[code]!
}

export class LabelSetBuilder {
  readonly #setOfKey = new Map<string, number>()
  readonly #symbolOf = new Map<string, number>()
  readonly #symbols: string[] = []
  readonly #ends: number[] = []
  readonly #names: number[] = []
  readonly #values: number[] = []
  readonly #categories: number[] = []

  /** Position of the set of labels that `row` shows. */
  add(row: Row): number {
    const start = this.#names.length
    let key = ''
    row.forEachLabel((name, value, category) => {
      const nameSymbol = this.#symbol(name)
      const valueSymbol = this.#symbol(value)
      const categoryCode = categories.indexOf(category)
      this.#names.push(nameSymbol)
      this.#values.push(valueSymbol)
      this.#categories.push(categoryCode)
      key += `${nameSymbol}.${valueSymbol}.${categoryCode},`
    })
    const known = this.#setOfKey.get(key)
    if (known !== undefined) {
      this.#names.length = start
      this.#values.length = start
      this.#categories.length = start
      return known
    }
    const set = this.#ends.length
    this.#ends.push(this.#names.length)
    this.#setOfKey.set(key, set)
    return set
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

  #symbol(text: string): number {
    let symbol = this.#symbolOf.get(text)
    if (symbol === undefined) {
      symbol = this.#symbols.length
      this.#symbols.push(text)
      this.#symbolOf.set(text, symbol)
    }
    return symbol
  }
}

type PlainSets = {
  readonly symbols: string[]
  readonly ends: readonly number[]
  readonly names: readonly number[]
  readonly values: readonly number[]
  readonly categories: readonly number[]
}

/** A table as it is posted. */
export function packSets({ symbols, ends, names, values, categories }: PlainSets): LabelSetTable {
  return {
    symbols,
    ends: Uint32Array.from(ends),
    names: Uint32Array.from(names),
    values: Uint32Array.from(values),
    categories: Uint8Array.from(categories),
  }
}

export type SetLabel = { readonly name: string; readonly value: string; readonly category: LabelCategory }

/** The labels of set `set`, in no particular order. */
export function labelsOfSet(table: LabelSetTable, set: number): SetLabel[] {
  const labels: SetLabel[] = []
  for (let i = set === 0 ? 0 : table.ends[set - 1]!; i < table.ends[set]!; i++) {
    labels.push({
      name: table.symbols[table.names[i]!]!,
      value: table.symbols[table.values[i]!]!,
      category: categories[table.categories[i]!]!,
    })
  }
  return labels
}

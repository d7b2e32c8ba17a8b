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
    return {
      symbols: this.#symbols,
      ends: Uint32Array.from(this.#ends),
      names: Uint32Array.from(this.#names),
      values: Uint32Array.from(this.#values),
      categories: Uint8Array.from(this.#categories),
    }
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

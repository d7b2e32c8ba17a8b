/**
 * The labels of the label sets of one result, in the ways in which an answer needs them, each made when it is asked for. Rows with ids in
 * their metadata have a set each, but nearly all sets have the same names: what depends on the names alone is found once.
 */
import { quoteGo } from '#/kernel/go-quote.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { isLabelName } from '#/logs/model/labels.ts'
import type { LabelCategory } from '#/logs/logql/pipeline/row.ts'
import { categoryOfCode } from '#/logs/read/scan/label-sets.ts'
import type { LabelSetTable } from '#/logs/read/scan/scan-job.ts'
import type { Label, Labels } from '#/storage/index/label-index.ts'

/** Forms that are tried one by one; sets with names of their own beyond that find theirs each. */
const MAX_FORMS = 16

/** What sets with the same names in the same places have in common. */
type Form = {
  /** Symbols of the names as the table has them. */
  readonly names: Uint32Array
  /** Places of the labels in the order of their names. */
  readonly order: Uint32Array
  /** What stands before each value in the canonical text, in that order. */
  readonly prefixes: readonly string[]
}

/** The label sets of one result. */
export class ShownLabels {
  readonly #table: LabelSetTable
  readonly #forms: Form[] = []
  readonly #sets: (ShownSet | undefined)[] = []

  constructor(table: LabelSetTable) {
    this.#table = table
  }

  of(set: number): ShownSet {
    return (this.#sets[set] ??= this.#open(set))
  }

  #open(set: number): ShownSet {
    const first = set === 0 ? 0 : this.#table.ends[set - 1]!
    return new ShownSet(this.#table, first, this.#formOf(this.#table.names.subarray(first, this.#table.ends[set])))
  }

  #formOf(names: Uint32Array): Form {
    const known = this.#forms.find((form) => hasNames(form, names))
    if (known !== undefined) return known
    const form = makeForm(this.#table.symbols, names)
    if (this.#forms.length < MAX_FORMS) this.#forms.push(form)
    return form
  }
}

function hasNames(form: Form, names: Uint32Array): boolean {
  if (form.names.length !== names.length) return false
  for (let i = 0; i < names.length; i++) if (form.names[i] !== names[i]) return false
  return true
}

function makeForm(symbols: readonly string[], names: Uint32Array): Form {
  const order = Uint32Array.from(names.keys()).sort(
    (a, b) => compareUtf8(symbols[names[a]!]!, symbols[names[b]!]!) || a - b,
  )
  return { names, order, prefixes: Array.from(order, (place) => prefixOf(symbols[names[place]!]!)) }
}

function prefixOf(name: string): string {
  return `${isLabelName(name) ? name : quoteGo(name)}=`
}

/** The labels of one set. */
export class ShownSet {
  readonly #table: LabelSetTable
  readonly #first: number
  readonly #form: Form
  #allText: string | undefined
  #streamText: string | undefined
  #all: Labels | undefined
  #stream: Labels | undefined
  #metadata: Labels | undefined
  #parsed: Labels | undefined

  constructor(table: LabelSetTable, first: number, form: Form) {
    this.#table = table
    this.#first = first
    this.#form = form
  }

  get all(): Labels {
    return (this.#all ??= this.#pick(undefined))
  }

  get stream(): Labels {
    return (this.#stream ??= this.#pick('stream'))
  }

  get structuredMetadata(): Labels {
    return (this.#metadata ??= this.#pick('metadata'))
  }

  get parsed(): Labels {
    return (this.#parsed ??= this.#pick('parsed'))
  }

  /** Canonical text of all labels. */
  get allText(): string {
    return (this.#allText ??= this.#format(undefined))
  }

  /** Canonical text of the labels of the stream. */
  get streamText(): string {
    return (this.#streamText ??= this.#format('stream'))
  }

  #pick(category: LabelCategory | undefined): Labels {
    const { symbols, names, values } = this.#table
    const labels: Label[] = []
    for (const place of this.#form.order) {
      const at = this.#first + place
      if (this.#isOf(at, category)) labels.push([symbols[names[at]!]!, symbols[values[at]!]!])
    }
    return labels
  }

  #format(category: LabelCategory | undefined): string {
    const { order, prefixes } = this.#form
    const { symbols, values } = this.#table
    const parts: string[] = []
    for (let i = 0; i < order.length; i++) {
      const at = this.#first + order[i]!
      if (this.#isOf(at, category)) parts.push(prefixes[i]! + quoteGo(symbols[values[at]!]!))
    }
    return `{${parts.join(', ')}}`
  }

  #isOf(at: number, category: LabelCategory | undefined): boolean {
    return category === undefined || categoryOfCode(this.#table.categories[at]!) === category
  }
}

/**
 * From rows to the numbers of their series. A row whose labels were seen before finds its series by walking from label to label,
 * without making a set of labels or a key.
 */
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import type { Row } from '#/logs/logql/pipeline/row.ts'
import { seriesLabels } from './row-labels.ts'
import type { SeriesSlots } from './series-slots.ts'

/** Rows of further combinations of labels take the long way. */
const MAX_NODES = 16_384

/** What is known once the labels up to here were seen. */
type Node = {
  readonly next: Map<string | undefined, Node>
  /** Number of the series when these are all labels; -1 unknown. */
  slot: number
}

export class RowGroups {
  readonly #series: SeriesSlots
  readonly #grouping: Grouping
  readonly #preserveErrors: boolean
  /** The labels of `by`, or those that `without` leaves out. */
  readonly #names: readonly string[]
  readonly #root: Node = { next: new Map(), slot: -1 }
  #nodes = 1
  /** Where the walk of the row at hand has come to; undefined beyond {@link MAX_NODES}. */
  #at: Node | undefined

  constructor(series: SeriesSlots, grouping: Grouping, preserveErrors: boolean) {
    this.#series = series
    this.#grouping = grouping
    this.#preserveErrors = preserveErrors
    this.#names = [...new Set(grouping.labels)]
  }

  /** @throws BadRequest when the row carries an error that the query does not expect. */
  slotOf(row: Row): number {
    if (row.has('__error__')) return this.#find(row)
    this.#at = this.#root
    if (this.#grouping.kind === 'by') for (const name of this.#names) this.#step(row.get(name))
    else row.forEachLabel(this.#visit)
    const node = this.#at
    if (node === undefined) return this.#find(row)
    if (node.slot < 0) node.slot = this.#find(row)
    return node.slot
  }

  /** Labels come in any order: several walks may lead to one series. */
  readonly #visit = (name: string, value: string): void => {
    if (this.#names.includes(name)) return
    this.#step(name)
    this.#step(value)
  }

  #step(text: string | undefined): void {
    const from = this.#at
    if (from === undefined) return
    let to = from.next.get(text)
    if (to === undefined && this.#nodes < MAX_NODES) {
      to = { next: new Map(), slot: -1 }
      from.next.set(text, to)
      this.#nodes++
    }
    this.#at = to
  }

  #find(row: Row): number {
    return this.#series.of(seriesLabels(row, this.#grouping, this.#preserveErrors))
  }
}

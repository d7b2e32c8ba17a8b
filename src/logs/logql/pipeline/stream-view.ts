/** The labels of one stream by name, and what the structured metadata of a page is called beside them. */
import type { LogPage, MetaColumn } from '#/logs/store/log-page.ts'
import type { Labels } from '#/storage/index/label-index.ts'

export const ERROR_LABEL = '__error__'
export const ERROR_DETAILS_LABEL = '__error_details__'
/** Behind the name of extracted labels and metadata that the stream has already. */
export const EXTRACTED_SUFFIX = '_extracted'

/** Streams whose names are kept ready; beyond, all are forgotten and learned anew. */
const MAX_STREAMS = 8192

/** Values by name; empty values count as missing. */
export type StreamLabels = ReadonlyMap<string, string>

/** Finds the view of a stream by the identity of its label list. */
export class StreamViews {
  readonly #views = new Map<Labels, StreamLabels>()

  get(labels: Labels): StreamLabels {
    const known = this.#views.get(labels)
    if (known) return known
    if (this.#views.size >= MAX_STREAMS) this.#views.clear()
    const view = new Map(labels.filter(([, value]) => value !== ''))
    this.#views.set(labels, view)
    return view
  }
}

/** Structured metadata of a page, by the names under which queries see it. */
export class MetaView {
  #page: LogPage | undefined
  readonly #columns = new Map<string, MetaColumn | undefined>()
  /** Whether the page has any metadata, so that most pages cost nothing. */
  isEmpty = true
  /** Whether rows may bring an error with them. */
  hasErrors = false

  leave(): void {
    this.#page = undefined
    this.#columns.clear()
  }

  enter(page: LogPage): void {
    if (page === this.#page) return
    this.#page = page
    this.#columns.clear()
    this.isEmpty = page.metaNames.length === 0
    this.hasErrors = !this.isEmpty && page.metaNames.includes(ERROR_LABEL)
  }

  /** The value that is seen as `name`: metadata of that name, or of the name before `_extracted` if the stream has it. */
  get(name: string, row: number, stream: StreamLabels): string | undefined {
    if (this.isEmpty || name === ERROR_LABEL || name === ERROR_DETAILS_LABEL) return undefined
    if (!stream.has(name)) {
      const value = this.raw(name, row)
      if (value !== undefined) return value
    }
    if (!name.endsWith(EXTRACTED_SUFFIX)) return undefined
    const base = name.slice(0, -EXTRACTED_SUFFIX.length)
    return stream.has(base) ? this.raw(base, row) : undefined
  }

  /** The value stored under `name`. */
  raw(name: string, row: number): string | undefined {
    let column = this.#columns.get(name)
    if (column === undefined && !this.#columns.has(name)) {
      column = this.#page!.metaNames.includes(name) ? this.#page!.meta(name) : undefined
      this.#columns.set(name, column)
    }
    return column?.valueOf(row)
  }

  forEach(row: number, stream: StreamLabels, visit: (name: string, value: string) => void): void {
    if (this.isEmpty) return
    for (const name of this.#page!.metaNames) {
      if (name === ERROR_LABEL || name === ERROR_DETAILS_LABEL) continue
      const value = this.raw(name, row)
      if (value === undefined) continue
      if (!stream.has(name)) visit(name, value)
      else if (this.raw(name + EXTRACTED_SUFFIX, row) === undefined) visit(name + EXTRACTED_SUFFIX, value)
    }
  }
}

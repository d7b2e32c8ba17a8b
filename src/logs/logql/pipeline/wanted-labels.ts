/** Which labels a parser extracts, and under which name when the stream or the metadata has one already. */
import { internText } from '#/kernel/intern.ts'
import type { KeyWishes } from '#/kernel/key-table.ts'
import type { NeededLabels, Row } from './row.ts'
import { EXTRACTED_SUFFIX } from './stream-view.ts'

/** Names beyond are put together anew each time. */
const MAX_RENAMED = 1024

export class WantedLabels implements KeyWishes {
  readonly #needed: NeededLabels
  readonly #renamed = new Map<string, string>()
  /** Labels that end the parsing of a line once they are all found; Infinity when every label is wanted. */
  readonly limit: number

  constructor(needed: NeededLabels) {
    this.#needed = needed
    this.limit = needed === 'all' ? Infinity : needed.size
  }

  /** True when the parser has nothing to do, so that it cannot fail either. */
  get isEmpty(): boolean {
    return this.limit === 0
  }

  value(name: string): boolean {
    return this.#needed === 'all' || this.#needed.has(name) || this.#needed.has(name + EXTRACTED_SUFFIX)
  }

  children(prefix: string): boolean {
    if (this.#needed === 'all') return true
    for (const name of this.#needed) if (name.startsWith(`${prefix}_`) || prefix === '') return true
    return false
  }

  /** The name under which a parser sets `name`; undefined when it is not wanted so, or was parsed before: the first wins. */
  target(row: Row, name: string): string | undefined {
    const target = row.hasBase(name) ? this.#extracted(name) : name
    if (this.#needed !== 'all' && !this.#needed.has(target)) return undefined
    return row.hasParsed(target) ? undefined : target
  }

  #extracted(name: string): string {
    const known = this.#renamed.get(name)
    if (known !== undefined) return known
    const renamed = internText(name + EXTRACTED_SUFFIX)
    if (this.#renamed.size < MAX_RENAMED) this.#renamed.set(name, renamed)
    return renamed
  }
}

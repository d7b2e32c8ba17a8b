/** Which labels a parser extracts, and under which name when the stream or the metadata has one already. */
import { internText } from '#/kernel/intern.ts'
import type { KeyWishes } from '#/kernel/key-table.ts'
import type { NeededLabels, Row } from './row.ts'
import { EXTRACTED_SUFFIX } from './stream-view.ts'
import type { NamedField } from './text-layouts.ts'

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

  /** The same for the same labels. */
  get key(): string {
    return this.#needed === 'all' ? '*' : JSON.stringify([...this.#needed].sort())
  }

  /** Whether a key with digits could be wanted. */
  get haveDigits(): boolean {
    return this.#needed === 'all' || [...this.#needed].some((name) => /\d/.test(name))
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

  /** Sets what a parser that stops at {@link limit} would find. */
  setFields(row: Row, fields: readonly NamedField[]): void {
    let found = 0
    for (let i = 0; i < fields.length; i++) {
      const { name, field } = fields[i]!
      const target = this.target(row, name)
      if (target === undefined) continue
      row.addParsedField(target, field)
      if (++found === this.limit) return
    }
  }

  #extracted(name: string): string {
    const known = this.#renamed.get(name)
    if (known !== undefined) return known
    const renamed = internText(name + EXTRACTED_SUFFIX)
    if (this.#renamed.size < MAX_RENAMED) this.#renamed.set(name, renamed)
    return renamed
  }
}

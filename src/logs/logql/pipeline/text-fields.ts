/**
 * What a parser finds in the lines of a page by looking at their cut texts, each of them once. Texts of which that cannot be known leave
 * their rows to the parser.
 */
import type { Row } from './row.ts'
import type { TextLayout, TextLayouts } from './text-layouts.ts'
import type { LogPage } from '#/logs/store/log-page.ts'

/** Rows that a text must have on the average: else lines are parsed as fast. */
const MIN_ROWS_PER_TEXT = 2
const noRows = new Uint32Array(0)

export class TextFields {
  readonly #openTexts: () => TextLayouts
  /** Those of the thread, while there is a page: pipelines are kept, and would keep them beyond their limit. */
  #texts: TextLayouts | undefined
  #page: LogPage | undefined
  #textOfRow: Uint16Array | undefined
  /** Of the page's texts: null when lines must be parsed, undefined when nobody has asked. */
  readonly #layouts: (TextLayout | null | undefined)[] = []

  constructor(openTexts: () => TextLayouts) {
    this.#openTexts = openTexts
  }

  /** Forgets the page, and what is known of its texts. */
  leave(): void {
    this.#page = undefined
    this.#textOfRow = undefined
    this.#texts = undefined
    this.#layouts.length = 0
  }

  /** What the parser makes of the row's line; undefined when it must be parsed. */
  layoutOf(row: Row): TextLayout | undefined {
    const { page } = row
    if (page === undefined) return undefined
    if (page !== this.#page) this.#enter(page)
    if (this.#textOfRow === undefined) return undefined
    return this.#layoutOfText(this.#textOfRow[row.position]!) ?? undefined
  }

  /** Of `rows`, which are ascending, those whose lines must be there. */
  rowsToRead(page: LogPage, rows: Uint32Array): Uint32Array {
    if (page !== this.#page) this.#enter(page)
    const textOfRow = this.#textOfRow
    if (textOfRow === undefined) return rows
    let found: number[] | undefined
    for (let i = 0; i < rows.length; i++) {
      if (this.#layoutOfText(textOfRow[rows[i]!]!) === null) (found ??= []).push(rows[i]!)
    }
    return found === undefined ? noRows : Uint32Array.from(found)
  }

  #enter(page: LogPage): void {
    this.#page = page
    this.#texts ??= this.#openTexts()
    this.#textOfRow = undefined
    const cut = page.cutLines
    if (cut?.textOfRow === undefined || page.cutNumbers === undefined) return
    const textCount = cut.textStart.length - 1
    if (textCount * MIN_ROWS_PER_TEXT > page.rowCount) return
    this.#textOfRow = cut.textOfRow
    this.#layouts.length = textCount
    this.#layouts.fill(undefined)
  }

  #layoutOfText(text: number): TextLayout | null {
    const known = this.#layouts[text]
    if (known !== undefined) return known
    const { cutLines, cutNumbers } = this.#page!
    const { text: bytes, textStart } = cutLines!
    const place = { start: textStart[text]!, end: textStart[text + 1]!, hash: cutNumbers!.textHashes[text]! }
    return (this.#layouts[text] = this.#texts!.of(bytes, place, () => cutNumbers!.contextsOf(text)))
  }
}

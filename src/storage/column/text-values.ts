/** Values of one name over the rows of a page: what goes into a text column, and what comes out. */

/** The rows that have a value, ascending, and their values as ranges of a buffer. Arrays may be longer than `count`. */
export type TextRanges = {
  /** Rows of the page. */
  readonly rowCount: number
  /** Rows that have a value. */
  readonly count: number
  readonly source: Buffer
  readonly rows: Uint32Array
  /** Value of row `rows[i]`: `source[starts[i], ends[i])`. */
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

/** A decoded column. */
export interface TextColumn {
  /** Undefined when the row has no value. */
  valueOf(row: number): string | undefined
  /** When the values are few: `codes[row]` is 0 for absent, else 1 + the position in `values`. */
  readonly dictionary: { readonly codes: Uint32Array; readonly values: readonly string[] } | undefined
}

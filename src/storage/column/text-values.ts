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

/** Values that are hexadecimal digits of one length, two digits in a byte. */
export type HexValues = {
  readonly bytesPerValue: number
  /** Whether there are dashes between the digits. */
  readonly isUuid: boolean
  /** Of each row in turn that has a value. */
  readonly bytes: Uint8Array
  /** The rows that have one, low bits first; undefined: all. */
  readonly presence: Uint8Array | undefined
}

/** A decoded column. */
export interface TextColumn {
  /** Undefined when the row has no value. */
  valueOf(row: number): string | undefined
  /** When the values are few: `codes[row]` is 0 for absent, else 1 + the position in `values`. */
  readonly dictionary: { readonly codes: Uint32Array; readonly values: readonly string[] } | undefined
  /** The same in bytes, where that is how they are at hand. */
  readonly smallCodes?: { readonly codes: Uint8Array; readonly values: readonly string[] }
  /** Set when every row has this value. */
  readonly constant?: string | undefined
  /** Set when the values are hexadecimal digits of one length. */
  readonly hex?: HexValues
  /** The values as bytes, of columns that have neither `dictionary` nor `constant`. Made when it is asked for. */
  readonly ranges?: TextRanges
  /** Of the same columns: the rows that have exactly this value, ascending. */
  rowsWith?(value: Buffer): Uint32Array
}

import type { CutNumbers } from '#/storage/column/cut-numbers.ts'
import type { CutTexts } from '#/storage/column/line-texts.ts'
import type { RunsU32 } from '#/storage/column/runs-u32.ts'
import type { HexValues } from '#/storage/column/text-values.ts'
import type { ValueCells } from '#/storage/column/value-cells.ts'
import type { TextRanges } from '#/storage/column/text-values.ts'

/**
 * A page of log rows as the scan sees it, whether it comes from a head or from a block. Columns are decoded on first use, so
 * a query that never asks for `lines` never decompresses them.
 *
 * Invariants: the line of row `i` is `lines[lineStart[i], lineStart[i + 1])`, lines stand back to back in row order; `time` is
 * nanoseconds since midnight of the page's day; `stream` is an ordinal in the source's label index. Rows of a block page are
 * sorted by (hour, stream, time), rows of a head page stand in order of arrival.
 */
export interface LogPage {
  readonly rowCount: number
  readonly stream: Uint32Array
  /** `stream` as runs of rows that ascend in time; undefined for pages whose rows are in another order. */
  readonly streamRuns?: RunsU32 | undefined
  readonly time: Float64Array
  /** Says where times lie among edges, without an array of them; undefined where the array is all that there is. */
  readonly timeCells?: ValueCells | undefined
  /** `rowCount + 1` offsets into `lines`; the differences are the lengths, available without decoding the lines. */
  readonly lineStart: Uint32Array
  readonly lines: Buffer
  /** Size of `lines`, where it is known without decoding anything; for statistics, as nothing was checked. */
  readonly lineBytes?: number
  /**
   * A short form of the lines, cheaper to decode, for searches that `isFoundInCutText` allows; undefined when the page has none. The
   * row of text `t` is `text[textStart[t], textStart[t + 1])`.
   */
  readonly cutLines?: CutTexts | undefined
  /** The numbers that `cutLines` with `textOfRow` do without; undefined when there are none such. */
  readonly cutNumbers?: CutNumbers | undefined
  /** Names of the structured metadata that at least one row has. */
  readonly metaNames: readonly string[]
  /** Undefined when no row has it. */
  meta(name: string): MetaColumn | undefined
  /**
   * Says that of `lines` only those of `rows`, ascending, will be looked at before the next `release`: others need not be put
   * together. What is chosen later must be among them.
   */
  chooseLines?(rows: Uint32Array): void
  /** Says that nobody looks at `lines` any more, so that its memory can be used for another page. */
  release(): void
  /** The same for all of the page: what was got of it may be overwritten by the next one. */
  close?(): void
}

/** One structured-metadata name over all rows of a page. */
export interface MetaColumn {
  /** The value of a row as text; undefined when the row does not have this name. */
  valueOf(row: number): string | undefined
  /**
   * Set when the column has few distinct values: `codes[row]` is 0 for absent, else 1 + the position in `values`. Grouping
   * and filtering then work on codes.
   */
  readonly dictionary: { readonly codes: Uint32Array; readonly values: readonly string[] } | undefined
  /** The same in bytes, where that is how they are at hand. */
  readonly smallCodes?: { readonly codes: Uint8Array; readonly values: readonly string[] }
  /** Set when every row is known to have this value. */
  readonly constant?: string | undefined
  /** Set when the values are known to be hexadecimal digits of one length. */
  readonly hex?: HexValues
  /** The values as bytes, of columns that have neither `dictionary` nor `constant`. Made when it is asked for. */
  readonly ranges?: TextRanges
  /** Of the same columns: the rows that have exactly this value, ascending. */
  rowsWith?(value: Buffer): Uint32Array
}

/** Columns of rows as they were pushed, of one day or several, for a page that is read in place. */
export type RawPageColumns = {
  readonly rowCount: number
  readonly stream: Uint32Array
  readonly time: Float64Array
  /** `rowCount + 1` offsets. */
  readonly lineStart: Uint32Array
  readonly lines: Uint8Array
  readonly metaStart: Uint32Array
  readonly meta: Uint8Array
  readonly metaNames: readonly string[]
  /** As `firstUsesOf` tells it; looked for in `meta` when it is not given. */
  readonly metaFirstUses?: Uint32Array
}

/**
 * Raw columns of a head page, in shared memory so that worker threads read them in place. Rows below the row count of a
 * snapshot never change; the ingester goes on writing behind them.
 */
export type HeadPageColumns = {
  readonly rowCount: number
  readonly stream: Uint32Array<SharedArrayBuffer>
  readonly time: Float64Array<SharedArrayBuffer>
  readonly lineStart: Uint32Array<SharedArrayBuffer>
  readonly lines: Uint8Array<SharedArrayBuffer>
  /** `rowCount + 1` offsets into `meta`, which is encoded as in `EntryBatch.meta`, with positions in `metaNames`. */
  readonly metaStart: Uint32Array<SharedArrayBuffer>
  readonly meta: Uint8Array<SharedArrayBuffer>
  readonly metaNames: readonly string[]
  readonly metaFirstUses?: Uint32Array
  /** Least and greatest time of the first `rowCount` rows. */
  readonly minTime: number
  readonly maxTime: number
}

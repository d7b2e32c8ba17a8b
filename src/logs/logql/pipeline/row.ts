/**
 * The state of one entry on its way through a pipeline. There is one `Row` per scan, reset for each entry: stages read and
 * change it, and allocate only for the label values that they touch.
 *
 * Labels have three categories: stream, structured metadata, parsed (spec: a parsed label hides the other two, metadata
 * hides the stream's). An empty value of a stream label counts as missing; an empty parsed value counts as present.
 */
import type { CutField } from './cut-field.ts'
import type { TextFields } from './text-fields.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { Labels } from '#/storage/index/label-index.ts'

export type LabelCategory = 'stream' | 'metadata' | 'parsed'

/**
 * How the bytes of a value that lies in a line become text: as they are (`raw`), with blanks for runes that are none (`plain`), or
 * with the escapes of JSON or logfmt undone besides.
 */
export type ValueEncoding = 'raw' | 'plain' | 'json' | 'logfmt'

export interface Row {
  /** The current line: `bytes[start, end)`. Owned by the page, or by the row after `setLine`. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  /** The page whose line this is; undefined behind `setLine`. */
  readonly page: LogPage | undefined
  /** Of the row in its page. */
  readonly position: number
  /** Nanoseconds since midnight of `day`. */
  readonly time: number
  readonly day: number
  /** Decodes the current line as UTF-8; invalid bytes become U+FFFD. Cached until the line changes. */
  lineText(): string
  /** Whether the line is ASCII and nothing else, which faster ways of reading need. */
  isAsciiLine(): boolean
  /** Replaces the line, e.g. by `line_format`. */
  setLine(text: string): void
  /** The value that a query sees under `name`, by precedence; undefined when missing. */
  get(name: string): string | undefined
  has(name: string): boolean
  /** Whether the stream or the structured metadata has `name`: a parser must then write `<name>_extracted`. */
  hasBase(name: string): boolean
  /** Whether a parsed label of that name exists: the first one wins, so parsers skip it. */
  hasParsed(name: string): boolean
  /** Sets a parsed label; hides metadata and stream labels of the same name. */
  setParsed(name: string, value: string): void
  /**
   * As `setParsed`, with the value still in the bytes of the current line: it becomes a string only when somebody asks.
   * The range is absolute, inside [start, end).
   */
  setParsedRange(name: string, encoding: ValueEncoding, start: number, end: number): void
  /** As `setParsedRange`, for a name of which the caller knows that no parsed label has it. */
  addParsedRange(name: string, encoding: ValueEncoding, start: number, end: number): void
  /** As `addParsedRange`, with a value that needs no line. */
  addParsedField(name: string, field: CutField): void
  /**
   * The value of `name` when it is a decimal of at most 15 digits, perhaps with a minus and a point, which needs no string;
   * NaN otherwise, whatever the reason.
   */
  decimalOf(name: string): number
  /** How many labels are parsed so far. */
  readonly parsedCount: number
  /** Takes back the labels that were parsed since there were `count`. */
  truncateParsed(count: number): void
  /** Removes the label from every category. */
  remove(name: string): void
  /** Removes all labels but those that `isKept` names; errors stay. */
  removeExcept(isKept: (row: Row, name: string) => boolean): void
  /** Sets `__error__` and `__error_details__`. */
  setError(error: string, details: string): void
  /** Visits all visible labels, in no particular order. */
  forEachLabel(visit: (name: string, value: string, category: LabelCategory) => void): void
}

/** Runs one entry through a stage: false drops it. Stages are compiled once per scan. */
export type RowStage = ((row: Row) => boolean) & {
  /** Set on stages that read lines, but not those of which this knows the fields. */
  readonly texts?: TextFields | undefined
}

/** Chooses rows by their bytes, over a whole page of them at once. */
export interface LineSelector {
  /** False only when certainly none of these lines, which stand back to back, passes. Looks at bytes alone, and is cheap. */
  mayPass(lines: Buffer): boolean
  /**
   * Keeps of `rows` (ascending positions, `count` of them) those whose line passes; writes them to the front of `rows` in
   * order and returns how many.
   */
  select(lines: Buffer, lineStart: Uint32Array, rows: Uint32Array, count: number): number
}

/**
 * A filter that works on a whole page of bytes before any row is looked at; compiled from line filters that stand before
 * everything that changes lines.
 */
export interface PageFilter extends LineSelector {
  /** Set on filters that hold only for rows whose stream and metadata have none of these labels; see `LineFilterNode`. */
  readonly unlessLabels: readonly string[] | undefined
  /** Whether `cutLines` of a page answer as well as its lines. */
  readonly worksOnCutLines: boolean
  /** Else: passes the cut lines of all lines that pass, and of some others. Undefined: nothing is known. */
  readonly onCutLines: LineSelector | undefined
}

/**
 * A condition on the text of one label, '' where it is missing, that every row which passes the stages fulfils before any of them
 * has changed it. The stages look at it again.
 */
export type MetaFilter = {
  readonly name: string
  readonly passes: (text: string) => boolean
  /** The bytes of the one text that passes; undefined where more may pass. */
  readonly only: Buffer | undefined
}

/** Which labels a query needs of its rows: all of them (log queries), or only these names (metric queries). */
export type NeededLabels = 'all' | ReadonlySet<string>

/** A pipeline ready to run on the pages of one source. Not shared between threads. */
export interface Pipeline {
  /** To be applied to a page in this order, before rows are built. */
  readonly pageFilters: readonly PageFilter[]
  /** What codes of metadata may be asked before rows are built. */
  readonly metaFilters: readonly MetaFilter[]
  /** True when no row stage is left: rows that pass the page filters pass the pipeline unchanged. */
  readonly isTrivial: boolean
  /** Whether a row stage or page filter reads line bytes. */
  readonly readsLines: boolean
  /** Structured metadata that stages may read; 'all' when that cannot be known. */
  readonly readsMeta: 'all' | readonly string[]
  /**
   * To be called before the rows of a job: what templates see as the current time, the same for all rows of a query, and a
   * function that throws when nobody waits for the result any more, for stages that may take long.
   */
  begin(nowNs: bigint, check: () => void): void
  /** To be called behind the rows of a job: forgets them and their pages. A row that was returned is good until then. */
  end(): void
  /** Of `rows`, which are ascending, those whose lines the row stages look at. */
  linesToRead(page: LogPage, rows: Uint32Array): Uint32Array
  /** Runs the row stages. The returned row is the pipeline's own; undefined when the entry is dropped. */
  run(entry: PipelineEntry): Row | undefined
}

/** Where an entry comes from, for `Pipeline.run`: the caller reuses one object and changes its fields. */
export type PipelineEntry = {
  page: LogPage
  row: number
  day: number
  streamLabels: Labels
}

/**
 * The nodes of pipeline stages: what a stage's parser makes and what its printer and its evaluation read. They stand here, below
 * both, so that `stages/` (syntax) and `pipeline/` (evaluation) need not know each other. Values are as the query means them:
 * strings unquoted, durations in nanoseconds, sizes in bytes.
 *
 * `raw` on a string says that the canonical text keeps the backticks it was written with; it has no meaning beyond printing.
 */
import type { Matcher, MatchOp, StageBase } from './matcher.ts'
import type { LogExpr } from './nodes.ts'

export type LineFilterOp = '|=' | '!=' | '|~' | '!~' | '|>' | '!>'
/** `text` is a substring, regular expression or pattern, as the operator says; `ip` an address, CIDR or range. */
export type LineFilterOperand = { readonly kind: 'text' | 'ip'; readonly value: string; readonly raw: boolean }

/** `|= "a" or "b"`: passes when any operand matches; for the negative operators when none does. At least one operand. */
export type LineFilterNode = StageBase & {
  readonly kind: 'line_filter'
  readonly op: LineFilterOp
  /** `|=i` and `!=i`: substrings in any case. An extension; set for these two operators only. */
  readonly ignoreCase?: true
  readonly operands: readonly LineFilterOperand[]
  /**
   * Set by the planner alone, on filters that it derives from filters on these labels: entries pass whatever their line is when
   * their stream or their metadata has one of them.
   */
  readonly unlessLabels?: readonly string[]
}

/** `label="expression"` of `json`; `path` is the expression taken apart: member names and array indexes. */
export type JsonExtraction = {
  readonly label: string
  readonly expression: string
  readonly path: readonly (string | number)[]
}
/** Without extractions: all members. */
export type JsonNode = StageBase & { readonly kind: 'json'; readonly extractions: readonly JsonExtraction[] }

/** `label="key"` of `logfmt`. */
export type LogfmtExtraction = { readonly label: string; readonly key: string }
export type LogfmtNode = StageBase & {
  readonly kind: 'logfmt'
  readonly strict: boolean
  readonly keepEmpty: boolean
  /** Empty: all pairs. */
  readonly extractions: readonly LogfmtExtraction[]
}

export type RegexpNode = StageBase & { readonly kind: 'regexp'; readonly pattern: string }
export type PatternNode = StageBase & { readonly kind: 'pattern'; readonly pattern: string }
export type UnpackNode = StageBase & { readonly kind: 'unpack' }

export type CompareOp = '==' | '!=' | '>' | '>=' | '<' | '<='
/**
 * What a label filter asks. `and` and `or` have two or more terms, in source order; a term of an `and` is never an `and`, nor one of
 * an `or` an `or`. All terms of an `and` are evaluated (each may set an error), an `or` stops at the first that is true.
 * `=` of numbers, durations and sizes is `==` here.
 */
export type LabelPredicate =
  | { readonly kind: 'and'; readonly terms: readonly LabelPredicate[] }
  | { readonly kind: 'or'; readonly terms: readonly LabelPredicate[] }
  | {
      readonly kind: 'text'
      readonly name: string
      readonly op: MatchOp
      readonly value: string
      readonly raw: boolean
    }
  | Comparison<'number'>
  | Comparison<'duration'>
  | Comparison<'bytes'>
  | { readonly kind: 'ip'; readonly name: string; readonly op: '=' | '!='; readonly pattern: string }
  | MembershipPredicate

/**
 * `name in ({…} | … | keep other)`, an extension: the label's value is one of those that the log query finds for the one label
 * that its last stage keeps, in the time range of the query around it.
 */
export type MembershipPredicate = {
  readonly kind: 'in'
  readonly name: string
  readonly query: LogExpr
  /** Filled in before the query runs: the distinct values, in no particular order. */
  readonly values?: readonly string[]
}

type Comparison<K extends string> = {
  readonly kind: K
  readonly name: string
  readonly op: CompareOp
  readonly value: number
}

export type LabelFilterNode = StageBase & { readonly kind: 'label_filter'; readonly filter: LabelPredicate }

export type LineFormatNode = StageBase & {
  readonly kind: 'line_format'
  readonly template: string
  readonly raw: boolean
}
export type LabelFormat =
  | { readonly kind: 'rename'; readonly target: string; readonly source: string }
  | { readonly kind: 'template'; readonly target: string; readonly template: string; readonly raw: boolean }
/** Formats in source order; no target twice, never `__error__`. */
export type LabelFormatNode = StageBase & { readonly kind: 'label_format'; readonly formats: readonly LabelFormat[] }

/** A label named by `drop` or `keep`; with `op` and `value` only when its value matches. */
export type LabelChoice = { readonly kind: 'name'; readonly name: string } | ({ readonly kind: 'matcher' } & Matcher)
export type DropNode = StageBase & { readonly kind: 'drop'; readonly choices: readonly LabelChoice[] }
export type KeepNode = StageBase & { readonly kind: 'keep'; readonly choices: readonly LabelChoice[] }
export type DecolorizeNode = StageBase & { readonly kind: 'decolorize' }

/** `distinct a, b`, an extension: of the entries with equal values of these labels the first one, in the direction of the query. */
export type DistinctNode = StageBase & { readonly kind: 'distinct'; readonly labels: readonly string[] }
/** `sort by a desc`, an extension: entries by the value of a label instead of by time. */
export type SortNode = StageBase & { readonly kind: 'sort'; readonly label: string; readonly descending: boolean }
/** `limit n`, an extension: at most n entries, if the query's own limit is not smaller. */
export type LimitNode = StageBase & { readonly kind: 'limit'; readonly count: number }
/** Stages that need all entries at once: they stand behind all others, at most one of each, in this order. Log queries only. */
export type TailNode = DistinctNode | SortNode | LimitNode

export type StageNode = RowStageNode | TailNode

/** Stages that look at one entry at a time. */
export type RowStageNode =
  | LineFilterNode
  | JsonNode
  | LogfmtNode
  | RegexpNode
  | PatternNode
  | UnpackNode
  | LabelFilterNode
  | LineFormatNode
  | LabelFormatNode
  | DropNode
  | KeepNode
  | DecolorizeNode

/**
 * The contract of a pipeline stage's syntax. A stage is one file in this folder and one line in `index.ts`; all members are
 * mandatory, so a half-finished stage does not compile. Its node type stands in `ast/stage-nodes.ts`; its evaluation is one entry
 * in the table of `pipeline/`, which imports this folder and never the other way round: the parser works without the engine,
 * in a browser too.
 */
import type { SourceRange, StageBase } from '#/logs/logql/ast/matcher.ts'
import type { LogExpr } from '#/logs/logql/ast/nodes.ts'

/**
 * Kind of a token as messages name it: `STRING`, `IDENTIFIER`, `NUMBER`, `DURATION`, `BYTES`, `RANGE`, `FUNCTION_FLAG`, `$end`, or the
 * text of a keyword (lower case) or operator.
 */
export type TokenKind = string

export type Token = {
  readonly kind: TokenKind
  /** STRING: the text it stands for; RANGE: what is between the brackets; all others: the source. */
  readonly text: string
  /** DURATION, RANGE: nanoseconds; BYTES: bytes; NaN otherwise. */
  readonly value: number
  /** STRING in backticks. */
  readonly raw: boolean
  readonly at: SourceRange
}

/** The tokens of the query. A stage's `parse` finds its own first token (keyword, or filter operator) already taken. */
export interface StageCursor {
  /** Kind of the next token. */
  peek(): TokenKind
  /** The next token in lower case when it is an IDENTIFIER, for words that are names to Loki; else the empty text. */
  word(): string
  /** Whether the tokens behind the next one are of these kinds. */
  isFollowedBy(...kinds: readonly TokenKind[]): boolean
  /** Takes the next token. */
  next(): Token
  /** Takes the next token if it is of this kind. */
  accept(kind: TokenKind): boolean
  /** Takes the next token. @throws a parse error naming these kinds when it is none of them. */
  expect(...kinds: readonly TokenKind[]): Token
  /** A parse error at the next token: `syntax error: unexpected X`, with `, expecting A or B` for at most four kinds. */
  unexpected(...expected: readonly TokenKind[]): Error
  /** The number that the source text of a NUMBER stands for. @throws a parse error when it is out of range or hexadecimal. */
  number(token: Token): number
  /** Runs `parse` one nesting level deeper. @throws a parse error beyond the limit, so no query can exhaust the stack. */
  nested<T>(parse: () => T): T
  /** The error of a query nested deeper than `limit`. */
  tooDeep(limit: number): Error
  /** Takes the log query in front of a `)`, and checks that it may stand behind `in (`. @throws a parse error if not */
  subquery(): LogExpr
  /** From the start of the current stage (its `|` or operator) to the end of the last token taken. */
  range(): SourceRange
}

/** Canonical text of a log query inside a stage. Handed in, since no stage knows the table that it stands in. */
export type PrintLog = (log: LogExpr) => string

/** Labels whose values somebody reads. */
export type LabelNeeds = ReadonlySet<string> | 'all'

export interface StageDefinition<N extends StageBase> {
  readonly kind: N['kind']
  /** The tokens that begin this stage: a keyword behind `|`, or line-filter operators. */
  readonly keywords: readonly TokenKind[]
  /**
   * For stages that Loki does not have, whose keyword is an ordinary name: whether it begins the stage here, where it is the next
   * token. Must say no wherever Loki accepts the query.
   */
  readonly begins?: (cursor: StageCursor) => boolean
  /** One or two sentences for the reference documentation. */
  readonly doc: string
  /** What the planner may assume. */
  readonly reads: {
    readonly line: boolean
    /** Changes the line that later stages see. */
    readonly writesLine: boolean
    /** Adds, changes or removes labels, `__error__` among them. */
    readonly writesLabels: boolean
  }
  /** Called with the first token already taken; leaves the cursor behind the stage's last one. */
  parse(cursor: StageCursor, first: Token): N
  /** Canonical text, beginning with `|` or the filter's operator; parsing it gives the same node. */
  print(node: N, printLog: PrintLog): string
  /** What is wrong with a node that parses, in Loki's words; undefined when nothing is. */
  problem(node: N, printLog: PrintLog): string | undefined
  /**
   * Labels whose values the stage looks at, given those that are needed behind it. Metric queries ask from the last stage to
   * the first, so that parsers extract nothing that nobody reads.
   */
  needs(node: N, after: LabelNeeds): LabelNeeds
}

/** The needs of a stage that reads these labels itself. */
export function needsAlso(after: LabelNeeds, names: Iterable<string>): LabelNeeds {
  return after === 'all' ? after : new Set([...after, ...names])
}

/** Loki's frame around what is wrong with one stage. */
export function stageProblem(stageText: string, cause: string): string {
  return `stage '${stageText}' : ${cause}`
}

/**
 * The contract of a pipeline stage. A stage is one file in this folder and one line in `index.ts`; all members are mandatory,
 * so a half-finished stage does not compile.
 */
import type { SourceRange, StageBase } from '#/logs/logql/ast/nodes.ts'
import type { StageCompiler } from '#/logs/logql/pipeline/compiler.ts'
import type { RowStage } from '#/logs/logql/pipeline/row.ts'

/** The tokens of the query from the stage's first token behind `|` (or its operator) on. Errors carry Loki's texts. */
export interface StageCursor {
  /** Kind of the next token: `STRING`, `IDENTIFIER`, `NUMBER`, `DURATION`, `BYTES`, `$end`, a keyword or an operator's text. */
  peek(): string
  /** Takes the next token; its value is unquoted text for STRING, the source text otherwise. */
  next(): { readonly kind: string; readonly value: string; readonly at: SourceRange }
  /** Takes the next token if it is of this kind. */
  accept(kind: string): boolean
  /** Takes the next token and returns its value. @throws a parse error naming what was expected. */
  expect(...kinds: readonly string[]): string
  /** A parse error at the next token, `syntax error: unexpected X[, expecting …]`. */
  unexpected(...expected: readonly string[]): Error
  /** Wraps a cause as `stage '<text>' : <cause>` or the given text, at the stage's place. */
  fail(message: string): Error
  /** Source range from the first token of the stage to the last one taken. */
  range(): SourceRange
}

export interface StageDefinition<N extends StageBase> {
  readonly kind: N['kind']
  /** The tokens that begin this stage: a keyword behind `|`, or line-filter operators. */
  readonly keywords: readonly string[]
  /** One sentence for the reference documentation. */
  readonly doc: string
  parse(cursor: StageCursor): N
  /** Canonical text, beginning with `|` or the filter's operator; parsing it gives the same node. */
  print(node: N): string
  /** What the planner may assume. */
  readonly reads: {
    readonly line: boolean
    /** Changes the line that later stages see. */
    readonly writesLine: boolean
    /** Adds, changes or removes labels. */
    readonly writesLabels: boolean
  }
  /**
   * Labels whose values the stage looks at, given those that are needed behind it. Metric queries ask from the last stage to
   * the first, so that parsers extract nothing that nobody reads.
   */
  needs(node: N, after: ReadonlySet<string> | 'all'): ReadonlySet<string> | 'all'
  /** Makes the stage's function. @throws BadRequest naming the stage when it parses but is not evaluated yet. */
  compile(node: N, compiler: StageCompiler): RowStage
}

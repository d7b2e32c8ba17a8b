/** The parser's view of the tokens: one ahead, with errors, places and the bound on nesting. */
import { defined } from '#/kernel/assert.ts'
import type { LogExpr, SourceRange } from '#/logs/logql/ast/nodes.ts'
import type { StageCursor, Token, TokenKind } from '#/logs/logql/stages/stage.ts'
import { Lexer } from './lexer.ts'
import { ParseError, placeOf, rangePlaceOf } from './parse-error.ts'
import { parseNumberText } from './quantity.ts'
import { unexpectedText } from './token-names.ts'

/** Deepest nesting of parentheses, calls and powers. */
const maxNesting = 200
/** Deepest nesting of queries within filters. */
const maxSubqueries = 2
/** Operators between vectors in one query; numbers are folded and do not count. Bounds the height of the tree, too. */
const maxOperators = 1000

/** Takes a log query; the grammar's, which stands above the tokens. */
type LogParser = (cursor: TokenCursor) => LogExpr

export class TokenCursor implements StageCursor {
  readonly #lexer: Lexer
  #ahead: Token | undefined
  #lastEnd = 0
  #rangeStart = 0
  #depth = 0
  #operators = 0
  #subqueries = 0
  readonly #parseLog: LogParser

  constructor(text: string, parseLog: LogParser) {
    this.#lexer = new Lexer(text)
    this.#parseLog = parseLog
  }

  peek(): TokenKind {
    return this.#peekToken().kind
  }

  word(): string {
    const { kind, text } = this.#peekToken()
    return kind === 'IDENTIFIER' ? text.toLowerCase() : ''
  }

  isFollowedBy(...kinds: readonly TokenKind[]): boolean {
    this.#peekToken()
    return this.#lexer.isNext(kinds)
  }

  next(): Token {
    const token = this.#peekToken()
    this.#ahead = undefined
    this.#lastEnd = token.at.end
    return token
  }

  accept(kind: TokenKind): boolean {
    if (this.#peekToken().kind !== kind) return false
    this.next()
    return true
  }

  expect(...kinds: readonly TokenKind[]): Token {
    if (!kinds.includes(this.#peekToken().kind)) throw this.unexpected(...kinds)
    return this.next()
  }

  unexpected(...expected: readonly TokenKind[]): ParseError {
    const { kind, at } = this.#peekToken()
    const { text } = this.#lexer
    const place = text === '' ? undefined : (kind === 'RANGE' ? rangePlaceOf : placeOf)(text, at.start)
    return new ParseError(unexpectedText(kind, expected), at, place)
  }

  number(token: Token): number {
    const value = parseNumberText(token.text)
    if (typeof value === 'string') throw new ParseError(value, token.at)
    return value
  }

  nested<T>(parse: () => T): T {
    if (this.#depth === maxNesting) throw this.tooDeep(maxNesting)
    this.#depth++
    const result = parse()
    this.#depth--
    return result
  }

  /** Counts an operator between vectors. @throws ParseError beyond the limit */
  countOperator(): void {
    if (++this.#operators <= maxOperators) return
    throw this.#errorAt(this.#peekToken().at, `expression has more than ${maxOperators} operators between vectors`)
  }

  tooDeep(limit: number): ParseError {
    return this.#errorAt(this.#peekToken().at, `expression is nested deeper than ${limit} levels`)
  }

  subquery(): LogExpr {
    const { at } = this.#peekToken()
    if (this.#subqueries === maxSubqueries) {
      throw this.#errorAt(at, `queries are nested deeper than ${maxSubqueries} levels behind in`)
    }
    this.#subqueries++
    const stageStart = this.#rangeStart
    const log = this.nested(() => this.#parseLog(this))
    this.#rangeStart = stageStart
    this.#subqueries--
    const last = log.stages.at(-1)
    if (last?.kind === 'keep' && last.choices.length === 1 && last.choices[0]?.kind === 'name') return log
    throw this.#errorAt(log.at, 'the query behind in must end with | keep and one label')
  }

  /** Where the next token begins. */
  start(): number {
    return this.#peekToken().at.start
  }

  /** From `start` to the end of the last token taken. */
  since(start: number): SourceRange {
    return { start, end: this.#lastEnd }
  }

  /** The next token is the first one of a stage. */
  beginStage(): void {
    this.#rangeStart = this.start()
  }

  range(): SourceRange {
    return this.since(this.#rangeStart)
  }

  #errorAt(at: SourceRange, what: string): ParseError {
    return new ParseError(what, at, placeOf(this.#lexer.text, at.start))
  }

  #peekToken(): Token {
    this.#ahead ??= this.#lexer.next()
    return defined(this.#ahead, 'token ahead')
  }
}

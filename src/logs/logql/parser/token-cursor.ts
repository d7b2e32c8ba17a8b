/** The parser's view of the tokens: one ahead, with errors, places and the bound on nesting. */
import { defined } from '#/kernel/assert.ts'
import type { SourceRange } from '#/logs/logql/ast/nodes.ts'
import type { StageCursor, Token, TokenKind } from '#/logs/logql/stages/stage.ts'
import { Lexer } from './lexer.ts'
import { ParseError, placeOf, rangePlaceOf } from './parse-error.ts'
import { parseNumberText } from './quantity.ts'
import { unexpectedText } from './token-names.ts'

/** Deepest nesting of parentheses, calls and powers. */
const maxNesting = 200
/** Operators between vectors in one query; numbers are folded and do not count. Bounds the height of the tree, too. */
const maxOperators = 1000

export class TokenCursor implements StageCursor {
  readonly #lexer: Lexer
  #ahead: Token | undefined
  #lastEnd = 0
  #rangeStart = 0
  #depth = 0
  #operators = 0

  constructor(text: string) {
    this.#lexer = new Lexer(text)
  }

  peek(): TokenKind {
    return this.#peekToken().kind
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
    const { at } = this.#peekToken()
    throw new ParseError(
      `expression has more than ${maxOperators} operators between vectors`,
      at,
      placeOf(this.#lexer.text, at.start),
    )
  }

  tooDeep(limit: number): ParseError {
    const { at } = this.#peekToken()
    return new ParseError(`expression is nested deeper than ${limit} levels`, at, placeOf(this.#lexer.text, at.start))
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

  #peekToken(): Token {
    this.#ahead ??= this.#lexer.next()
    return defined(this.#ahead, 'token ahead')
  }
}

/** The entry of the parser: text in, checked syntax tree out. */
import type { Expr, LogExpr } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/stages/index.ts'
import { checkRegexCost } from './check-regex-cost.ts'
import { parseLogExpr } from './log-expr.ts'
import { parseOperations } from './metric-expr.ts'
import { ParseError, placeOf } from './parse-error.ts'
import { TokenCursor } from './token-cursor.ts'
import { validate } from './validate.ts'

export type Query = Expr<StageNode>
export type LogQuery = LogExpr<StageNode>

/** Longest query in bytes of UTF-8. */
export const maxQueryBytes = 131_072

/** @throws ParseError with Loki's message */
export function parseExpr(query: string): Query {
  const expr = parseUnchecked(query)
  validate(expr)
  return expr
}

/** Parses without the checks of selectors and stages that need no syntax. */
export function parseUnchecked(query: string): Query {
  checkText(query)
  checkRegexCost(query)
  const cursor = new TokenCursor(query, parseLogExpr)
  const expr = parseOperations(cursor)
  if (cursor.peek() !== '$end') throw cursor.unexpected()
  return expr
}

function checkText(query: string): void {
  const bytes = query.length * 3 > maxQueryBytes ? utf8Length(query) : 0
  if (bytes > maxQueryBytes) {
    throw new ParseError(`input size too long (${bytes} > ${maxQueryBytes})`, { start: 0, end: query.length })
  }
  if (query.isWellFormed()) return
  const start = query.search(/\p{Cs}/u)
  throw new ParseError('invalid UTF-8 encoding', { start, end: start + 1 }, placeOf(query, start))
}

function utf8Length(text: string): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // each half of a surrogate pair stands for two of its four bytes
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3
  }
  return bytes
}

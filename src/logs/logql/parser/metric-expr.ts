/** Everything around log ranges: aggregations, binary operations, `label_replace`, `vector`, numbers. */
import type { BinaryOp, Expr, Grouping, MetricExpr, RangeAggregation, VectorMatching } from '#/logs/logql/ast/nodes.ts'
import { rangeFunctions, vectorFunctions } from '#/logs/logql/functions/index.ts'
import type { Token } from '#/logs/logql/stages/stage.ts'
import { binaryExpr } from './binary-expr.ts'
import { checkRangeAggregation, checkVectorAggregation } from './check-aggregation.ts'
import { parseLogExpr, parseLogRange } from './log-expr.ts'
import type { TokenCursor } from './token-cursor.ts'

/** How tightly an operator binds; all but `^` take the left pair first. */
const precedences: ReadonlyMap<string, number> = new Map<BinaryOp, number>([
  ['or', 1],
  ['and', 2],
  ['unless', 2],
  ['==', 3],
  ['!=', 3],
  ['<', 3],
  ['<=', 3],
  ['>', 3],
  ['>=', 3],
  ['+', 4],
  ['-', 4],
  ['*', 5],
  ['/', 5],
  ['%', 5],
  ['^', 6],
])

/** Parses operators of at least this precedence, and what they stand between. `first` is an operand that was read already. */
export function parseOperations(cursor: TokenCursor, minPrecedence = 1, first?: Expr): Expr {
  const start = first?.at.start ?? cursor.start()
  let left = first ?? parseOperand(cursor)
  for (;;) {
    const op = cursor.peek() as BinaryOp
    const precedence = precedences.get(op) ?? 0
    if (precedence < minPrecedence) return left
    cursor.next()
    const returnBool = cursor.accept('bool')
    const matching = parseMatching(cursor)
    const right =
      op === '^' ? cursor.nested(() => parseOperations(cursor, precedence)) : parseOperations(cursor, precedence + 1)
    left = binaryExpr(cursor, { op, returnBool, matching, left, right, at: cursor.since(start) })
  }
}

function parseMatching(cursor: TokenCursor): VectorMatching | undefined {
  const kind = cursor.peek()
  if (kind !== 'on' && kind !== 'ignoring') return undefined
  cursor.next()
  const labels = parseLabelList(cursor)
  const group = cursor.peek()
  if (group !== 'group_left' && group !== 'group_right') return { kind, labels, group: undefined }
  cursor.next()
  const include = cursor.peek() === '(' ? parseLabelList(cursor) : []
  return { kind, labels, group: { side: group === 'group_left' ? 'left' : 'right', include } }
}

function parseLabelList(cursor: TokenCursor): string[] {
  cursor.expect('(')
  if (cursor.accept(')')) return []
  const labels: string[] = []
  do {
    if (cursor.peek() !== 'IDENTIFIER')
      throw labels.length === 0 ? cursor.unexpected('IDENTIFIER', ')') : cursor.unexpected('IDENTIFIER')
    labels.push(cursor.next().text)
  } while (cursor.accept(','))
  if (!cursor.accept(')')) throw cursor.unexpected(',', ')')
  return labels
}

function parseOperand(cursor: TokenCursor): Expr {
  const kind = cursor.peek()
  if (kind === '{') return parseLogExpr(cursor)
  if (kind === '(') return parseParenthesized(cursor)
  if (kind === 'NUMBER' || kind === '+' || kind === '-') return parseNumber(cursor)
  if (rangeFunctions.has(kind)) return parseRangeAggregation(cursor, cursor.next())
  if (vectorFunctions.has(kind)) return cursor.nested(() => parseVectorAggregation(cursor, cursor.next()))
  if (kind === 'label_replace') return cursor.nested(() => parseLabelReplace(cursor))
  if (kind === 'vector') return parseVector(cursor)
  throw cursor.unexpected()
}

function parseParenthesized(cursor: TokenCursor): Expr {
  cursor.next()
  return cursor.nested(() => {
    const inner = parseOperations(cursor)
    if (!cursor.accept(')')) throw cursor.unexpected()
    return inner
  })
}

function parseNumber(cursor: TokenCursor): MetricExpr {
  const start = cursor.start()
  const sign = cursor.peek()
  if (sign === '+' || sign === '-') cursor.next()
  const value = cursor.number(cursor.expect('NUMBER'))
  return { kind: 'number', value: sign === '-' ? -value : value, at: cursor.since(start) }
}

function parseVector(cursor: TokenCursor): MetricExpr {
  const start = cursor.next().at.start
  cursor.expect('(')
  const value = cursor.number(cursor.expect('NUMBER'))
  cursor.expect(')')
  return { kind: 'vector', value, at: cursor.since(start) }
}

function parseRangeAggregation(cursor: TokenCursor, fn: Token): RangeAggregation {
  cursor.expect('(')
  let parameter: number | undefined
  const label = rangeFunctions.get(fn.kind)?.parameter === 'label' ? cursor.expect('IDENTIFIER').text : undefined
  if (label !== undefined) cursor.expect(',')
  else if (cursor.peek() === 'NUMBER') {
    parameter = cursor.number(cursor.next())
    cursor.expect(',')
  } else if (cursor.peek() !== '{' && cursor.peek() !== '(') throw cursor.unexpected('NUMBER', '{', '(')
  const range = parseLogRange(cursor)
  if (!cursor.accept(')')) throw cursor.unexpected()
  const grouping = parseGrouping(cursor)
  const at = cursor.since(fn.at.start)
  const named = label === undefined ? undefined : { label }
  const node: RangeAggregation = { kind: 'range_aggregation', op: fn.kind, parameter, ...named, range, grouping, at }
  checkRangeAggregation(node)
  return node
}

function parseVectorAggregation(cursor: TokenCursor, fn: Token): MetricExpr {
  const before = parseGrouping(cursor)
  cursor.expect('(')
  const parameter = cursor.peek() === 'NUMBER' ? cursor.next() : undefined
  let first: Expr | undefined
  const isParameter = parameter !== undefined && cursor.accept(',')
  if (parameter && !isParameter) first = { kind: 'number', value: cursor.number(parameter), at: parameter.at }
  const expr = metricOnly(cursor, parseOperations(cursor, 1, first))
  if (!cursor.accept(')')) throw cursor.unexpected()
  const grouping = before ?? parseGrouping(cursor)
  const at = cursor.since(fn.at.start)
  const k = isParameter ? parameter : undefined
  checkVectorAggregation({ op: fn.kind, parameter: k?.text, grouping, at })
  const value = k === undefined ? undefined : cursor.number(k)
  return { kind: 'vector_aggregation', op: fn.kind, parameter: value, expr, grouping, at }
}

function parseGrouping(cursor: TokenCursor): Grouping | undefined {
  const kind = cursor.peek()
  if (kind !== 'by' && kind !== 'without') return undefined
  cursor.next()
  return { kind, labels: parseLabelList(cursor) }
}

/** `label_replace(v, "target", "replacement", "source", "regex")` */
function parseLabelReplace(cursor: TokenCursor): MetricExpr {
  const start = cursor.next().at.start
  cursor.expect('(')
  const expr = metricOnly(cursor, parseOperations(cursor))
  const [target, replacement, source, regex] = [argument(cursor), argument(cursor), argument(cursor), argument(cursor)]
  cursor.expect(')')
  return { kind: 'label_replace', expr, target, replacement, source, regex, at: cursor.since(start) }
}

function argument(cursor: TokenCursor): string {
  cursor.expect(',')
  return cursor.expect('STRING').text
}

/** A log query where samples are needed: what follows it is the token that should have been a range. */
function metricOnly(cursor: TokenCursor, expr: Expr): MetricExpr {
  if (expr.kind === 'log') throw cursor.unexpected()
  return expr
}

/**
 * The form for people: a query that fits on a line stays on it; a longer one is broken, each stage, operand and argument on a line
 * of its own, two blanks deeper than what it belongs to.
 */
import { printPlainNumber } from '#/logs/logql/ast/literals.ts'
import type { BinaryExpr, Expr, LogExpr, MetricExpr, RangeAggregation } from '#/logs/logql/ast/nodes.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import {
  printExpr,
  printGrouping,
  printLog,
  printOperator,
  printReplacement,
  printSelector,
  printUnwrap,
  printVectorHead,
  printWindow,
} from './print.ts'

/** Longest text that stays on one line, without its indentation. */
export const maxLineLength = 100
const indentStep = '  '

/** Parses and formats a query. @throws ParseError */
export function formatQuery(query: string): string {
  return formatExpr(parseExpr(query))
}

export function formatExpr(expr: Expr): string {
  return layOut(expr, '')
}

function layOut(expr: Expr, indent: string): string {
  const line = printExpr(expr)
  if (line.length <= maxLineLength) return indent + line
  const inner = indent + indentStep
  switch (expr.kind) {
    case 'log':
      return layOutLog(expr, [], indent)
    case 'range_aggregation':
      return layOutRange(expr, indent)
    case 'vector_aggregation':
      return call(printVectorHead(expr), [...parameterLines(expr.parameter, inner), layOut(expr.expr, inner)], indent)
    case 'label_replace':
      return call(
        'label_replace',
        [layOut(expr.expr, inner), ...printReplacement(expr).map((text) => inner + text)],
        indent,
      )
    case 'binary':
      return layOutBinary(expr, indent)
    case 'number':
    case 'vector':
      return indent + line
  }
}

/** `name(`, each argument on its lines, `)`. */
function call(head: string, args: readonly string[], indent: string): string {
  return `${indent}${head}(\n${args.join(',\n')}\n${indent})`
}

function parameterLines(parameter: number | undefined, indent: string): string[] {
  return parameter === undefined ? [] : [indent + printPlainNumber(parameter)]
}

/** The selector, then the stages one step deeper. */
function layOutLog(log: LogExpr, tail: readonly string[], indent: string): string {
  const stages = [...log.stages.map(printStage), ...tail].map((text) => `${indent}${indentStep}${text}`)
  return [indent + printSelector(log.matchers), ...stages].join('\n')
}

function layOutRange({ op, parameter, range, grouping }: RangeAggregation, indent: string): string {
  const inner = indent + indentStep
  const unwrap = range.unwrap ? printUnwrap(range.unwrap) : []
  const oneLine = [printLog(range.log), ...unwrap].join(' ')
  const log = oneLine.length <= maxLineLength ? inner + oneLine : layOutLog(range.log, unwrap, inner)
  const text = call(op, [...parameterLines(parameter, inner), log + ` ${printWindow(range)}`], indent)
  return grouping ? `${text} ${printGrouping(grouping)}` : text
}

/** Operand, operator, operand; an operand that is an operation itself keeps its parentheses. */
function layOutBinary(expr: BinaryExpr, indent: string): string {
  const inner = indent + indentStep
  const right = layOutOperand(expr.right, inner)
  return [layOutOperand(expr.left, inner), indent + printOperator(expr, right.trimStart()), right].join('\n')
}

function layOutOperand(expr: MetricExpr, indent: string): string {
  const text = layOut(expr, indent)
  const isBroken = expr.kind === 'binary' && text.includes('\n')
  return isBroken ? `${indent}(\n${layOut(expr, indent + indentStep)}\n${indent})` : text
}

/**
 * The form for people: a query that fits on a line stays on it; a longer one is broken, each stage, operand and argument on a line
 * of its own, two blanks deeper than what it belongs to.
 */
import { printPlainNumber, printSelector } from '#/logs/logql/ast/literals.ts'
import type { BinaryExpr, Expr, LogExpr, MetricExpr, RangeAggregation } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { printLog, printStage } from '#/logs/logql/stages/index.ts'
import {
  printGrouping,
  printMetric,
  printOperator,
  printReplacement,
  printUnwrap,
  printVectorHead,
  printWindow,
} from './print.ts'

/** Longest text that stays on one line, without its indentation. */
export const maxLineLength = 100
const indentStep = '  '
/** Deeper nesting is not shown any more; else a long query of operators would become a page of blanks. */
const maxIndent = 80

/** Parses and formats a query. @throws ParseError */
export function formatQuery(query: string): string {
  return formatExpr(parseExpr(query))
}

export function formatExpr(expr: Expr): string {
  return expr.kind === 'log' ? layOutLogExpr(expr, '') : new MetricLayout().layOut(expr, '')
}

/** Lays out one expression; keeps the canonical texts of its parts, which are asked for at every level above them. */
class MetricLayout {
  readonly #texts = new Map<MetricExpr, string>()

  layOut(expr: MetricExpr, indent: string): string {
    const line = this.#print(expr)
    if (line.length <= maxLineLength) return indent + line
    const inner = deeper(indent)
    switch (expr.kind) {
      case 'range_aggregation':
        return layOutRange(expr, indent)
      case 'vector_aggregation': {
        const args = [...parameterLines(expr.parameter, inner), this.layOut(expr.expr, inner)]
        return call(printVectorHead(expr), args, indent)
      }
      case 'label_replace': {
        const args = printReplacement(expr).map((text) => inner + text)
        return call('label_replace', [this.layOut(expr.expr, inner), ...args], indent)
      }
      case 'binary':
        return this.#layOutBinary(expr, indent)
      case 'number':
      case 'vector':
        return indent + line
    }
  }

  #print(expr: MetricExpr): string {
    let text = this.#texts.get(expr)
    if (text === undefined) {
      text = printMetric(expr, (inner) => this.#print(inner))
      this.#texts.set(expr, text)
    }
    return text
  }

  /** Operand, operator, operand; an operand that is an operation itself keeps its parentheses. */
  #layOutBinary(expr: BinaryExpr, indent: string): string {
    const inner = deeper(indent)
    const operator = indent + printOperator(expr, this.#print(expr.right))
    return `${this.#layOutOperand(expr.left, inner)}\n${operator}\n${this.#layOutOperand(expr.right, inner)}`
  }

  #layOutOperand(expr: MetricExpr, indent: string): string {
    const isBroken = expr.kind === 'binary' && this.#print(expr).length > maxLineLength
    return isBroken ? `${indent}(\n${this.layOut(expr, deeper(indent))}\n${indent})` : this.layOut(expr, indent)
  }
}

/** `name(`, each argument on its lines, `)`. */
function call(head: string, args: readonly string[], indent: string): string {
  return `${indent}${head}(\n${args.join(',\n')}\n${indent})`
}

function parameterLines(parameter: number | undefined, indent: string): string[] {
  return parameter === undefined ? [] : [indent + printPlainNumber(parameter)]
}

function layOutLogExpr(log: LogExpr, indent: string): string {
  const line = printLog(log)
  return line.length <= maxLineLength ? indent + line : layOutPipeline(log, [], indent)
}

/** The selector, then the stages one step deeper; `tail` are texts of more of them. */
function layOutPipeline(log: LogExpr, tail: readonly string[], indent: string): string {
  const inner = deeper(indent)
  const stages = log.stages.map((stage) => layOutStage(stage, inner))
  return [indent + printSelector(log.matchers), ...stages, ...tail.map((text) => inner + text)].join('\n')
}

/** A query behind `in` has lines of its own when it is all that a long filter asks. */
function layOutStage(stage: StageNode, indent: string): string {
  const line = printStage(stage)
  const isLong = line.length > maxLineLength
  if (!isLong || stage.kind !== 'label_filter' || stage.filter.kind !== 'in') return indent + line
  const { name, query } = stage.filter
  const head = `| ${name} in (`
  // some names need more parentheses
  if (!line.startsWith(head)) return indent + line
  return `${indent}${head}\n${layOutLogExpr(query, deeper(indent))}\n${indent})`
}

function layOutRange({ op, parameter, label, range, grouping }: RangeAggregation, indent: string): string {
  const inner = deeper(indent)
  const unwrap = range.unwrap ? printUnwrap(range.unwrap) : []
  const oneLine = [printLog(range.log), ...unwrap].join(' ')
  const log = oneLine.length <= maxLineLength ? inner + oneLine : layOutPipeline(range.log, unwrap, inner)
  const before = label === undefined ? parameterLines(parameter, inner) : [inner + label]
  const text = call(op, [...before, log + ` ${printWindow(range)}`], indent)
  return grouping ? `${text} ${printGrouping(grouping)}` : text
}

function deeper(indent: string): string {
  return indent.length < maxIndent ? indent + indentStep : indent
}

/**
 * Canonical text of a query, on one line: what `format_query` shows, caches use as key, and statistics name. It parses to the tree
 * it was printed from.
 */
import { printDuration, printLabels, printNumber, printPlainNumber } from '#/logs/logql/ast/literals.ts'
import { formatPrometheusDuration } from '#/kernel/duration.ts'
import { quoteGo } from '#/kernel/go-quote.ts'
import type {
  BinaryExpr,
  Expr,
  Grouping,
  LogRange,
  MetricExpr,
  RangeAggregation,
  Unwrap,
} from '#/logs/logql/ast/nodes.ts'
import { printLog, printStage } from '#/logs/logql/stages/index.ts'

export function printExpr(expr: Expr): string {
  return expr.kind === 'log' ? printLog(expr) : printMetric(expr)
}

/** `printInner` prints the expressions inside; one that keeps what it printed makes repeated printing cheap. */
export function printMetric(expr: MetricExpr, printInner: (inner: MetricExpr) => string = printMetric): string {
  switch (expr.kind) {
    case 'range_aggregation': {
      const grouping = expr.grouping ? ` ${printGrouping(expr.grouping)}` : ''
      return `${expr.op}(${printArgument(expr)}${printRange(expr.range)})${grouping}`
    }
    case 'vector_aggregation':
      return `${printVectorHead(expr)}(${printParameter(expr.parameter)}${printInner(expr.expr)})`
    case 'label_replace':
      return `label_replace(${[printInner(expr.expr), ...printReplacement(expr)].join(',')})`
    case 'binary': {
      const right = printInner(expr.right)
      return `(${printInner(expr.left)} ${printOperator(expr, right)} ${right})`
    }
    case 'number':
      return printNumber(expr.value)
    case 'vector':
      return `vector(${printNumber(expr.value)})`
  }
}

/** `sum by (a,b)` */
export function printVectorHead({
  op,
  grouping,
}: {
  readonly op: string
  readonly grouping: Grouping | undefined
}): string {
  return grouping ? `${op} ${printGrouping(grouping)}` : op
}

export function printGrouping({ kind, labels }: Grouping): string {
  return `${kind} ${printLabels(labels)}`
}

function printParameter(parameter: number | undefined): string {
  return parameter === undefined ? '' : `${printPlainNumber(parameter)},`
}

/** What stands before the log range: a number, or the name of a label. */
function printArgument({ parameter, label }: RangeAggregation): string {
  return label === undefined ? printParameter(parameter) : `${label},`
}

/** The four strings of `label_replace`. */
export function printReplacement(expr: MetricExpr & { readonly kind: 'label_replace' }): string[] {
  return [expr.target, expr.replacement, expr.source, expr.regex].map(quoteGo)
}

/** The operator with its modifiers; `right` is the text that will follow. */
export function printOperator({ op, returnBool, matching }: BinaryExpr, right: string): string {
  let text: string = op
  if (returnBool) text += ' bool'
  if (!matching) return text
  text += ` ${matching.kind} ${printLabels(matching.labels)}`
  if (!matching.group) return text
  const { side, include } = matching.group
  // without labels of its own, a parenthesis behind it would be read as their list
  const needsList = include.length > 0 || right.startsWith('(')
  return `${text} group_${side}${needsList ? ` ${printLabels(include)}` : ''}`
}

export function printRange(range: LogRange): string {
  return [printLog(range.log), ...(range.unwrap ? printUnwrap(range.unwrap) : [])].join(' ') + printWindow(range)
}

/** `| unwrap bytes(size)` and the filters behind it. */
export function printUnwrap({ label, conversion, filters }: Unwrap): string[] {
  return [`| unwrap ${conversion ? `${conversion}(${label})` : label}`, ...filters.map(printStage)]
}

/** `[5m] offset 1h0m0s` */
export function printWindow({ rangeNs, offsetNs }: LogRange): string {
  return `[${formatPrometheusDuration(rangeNs)}]${offsetNs === 0 ? '' : ` offset ${printDuration(offsetNs)}`}`
}

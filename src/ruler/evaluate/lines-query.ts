/** Which log lines stand behind an alert: those of the first selector of its query that have the alert's labels. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { MetricExpr, RangeAggregation } from '#/logs/logql/ast/nodes.ts'
import { printExpr } from '#/logs/logql/format/print.ts'
import { parseExpr, type Query } from '#/logs/logql/parser/parse-expr.ts'
import { isLabelName } from '#/logs/model/labels.ts'
import type { LabelPairs } from '#/ruler/model/sample.ts'
import type { LinesQuery } from './rule-queries.ts'

/** Undefined when the query reads no logs. `labels` are those of the sample. */
export function linesQuery(expr: string, labels: LabelPairs, timeNs: bigint, limit: number): LinesQuery | undefined {
  const query = parseExpr(expr)
  const found = query.kind === 'log' ? undefined : firstRange(query)
  if (found === undefined) return undefined
  const { log, rangeNs, offsetNs } = found.range
  const made = replacedLabels(query)
  const filters = labels
    .filter(([name]) => isLabelName(name) && !made.has(name))
    .map(([name, value]) => ` | ${name}=${quoteGo(value)}`)
  const endNs = timeNs - BigInt(Math.round(offsetNs))
  return {
    query: printExpr(log) + filters.join(''),
    // the range of a metric query is open at its start
    startNs: endNs - BigInt(Math.round(rangeNs)) + 1n,
    endNs,
    limit,
  }
}

function firstRange(expr: MetricExpr): RangeAggregation | undefined {
  switch (expr.kind) {
    case 'range_aggregation':
      return expr
    case 'vector_aggregation':
    case 'label_replace':
      return firstRange(expr.expr)
    case 'binary':
      return firstRange(expr.left) ?? firstRange(expr.right)
    case 'number':
    case 'vector':
      return undefined
  }
}

/** Labels that the query makes up, and that no line has. */
function replacedLabels(expr: Query): Set<string> {
  switch (expr.kind) {
    case 'label_replace':
      return replacedLabels(expr.expr).add(expr.target)
    case 'vector_aggregation':
      return replacedLabels(expr.expr)
    case 'binary':
      return new Set([...replacedLabels(expr.left), ...replacedLabels(expr.right)])
    case 'range_aggregation':
    case 'log':
    case 'number':
    case 'vector':
      return new Set()
  }
}

/** Which numbers are the same to the last bit however they are computed; sums and means depend on the order. */
import type { MetricExpr } from '#/logs/logql/ast/nodes.ts'

const exactFunctions = [
  'count_over_time',
  'bytes_over_time',
  'min_over_time',
  'max_over_time',
  'first_over_time',
  'last_over_time',
  'quantile_over_time',
  'absent_over_time',
  'count_distinct_over_time',
]

/** Whether the expression only counts, and chooses among what it finds. */
export function isExact(expr: MetricExpr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'vector':
      return true
    case 'range_aggregation':
      return exactFunctions.includes(expr.op)
    case 'vector_aggregation':
      return !['sum', 'avg', 'stddev', 'stdvar'].includes(expr.op) && isExact(expr.expr)
    case 'binary':
      return isExact(expr.left) && isExact(expr.right) && !['^', '/', '%'].includes(expr.op)
    case 'label_replace':
      return isExact(expr.expr)
  }
}

/** Makes the plan of a query from its syntax tree. What parses but is not evaluated yet is refused here, by name. */
import { BadRequest } from '#/kernel/errors.ts'
import { unreachable } from '#/kernel/assert.ts'
import type { Expr, MetricExpr, RangeAggregation, VectorAggregation } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { isAggregateOp, type AggregateOp } from '#/series/aggregate.ts'
import { isSetOp } from '#/series/operators.ts'
import { optimizePlan } from './optimize-plan.ts'
import type { MetricLeaf, MetricNode, Plan } from './plan.ts'
import { absentLabels, makeRangeLeaf, type Outer } from './range-leaf.ts'
import { splitTail } from './split-tail.ts'

/** The plan by which a query is run. @throws BadRequest naming what is not evaluated yet. */
export function makePlan(expr: Expr<StageNode>): Plan {
  return optimizePlan(makePlainPlan(expr))
}

/** The plan with all stages as they are written. */
export function makePlainPlan(expr: Expr<StageNode>): Plan {
  if (expr.kind === 'log') {
    const { rowStages, tail } = splitTail(expr.stages)
    return { kind: 'logs', selection: { matchers: expr.matchers, stages: rowStages, needed: 'all' }, tail }
  }
  if (expr.kind === 'number') return { kind: 'scalar', value: expr.value }
  const planner = new MetricPlanner()
  const root = planner.node(expr)
  return {
    kind: 'metric',
    root,
    leaves: planner.leaves,
    keepsOrder: planner.keepsOrder,
    instantOnly: planner.instantOnly,
  }
}

class MetricPlanner {
  readonly leaves: MetricLeaf[] = []
  keepsOrder = false
  instantOnly = false

  node(expr: MetricExpr<StageNode>): MetricNode {
    switch (expr.kind) {
      case 'range_aggregation':
        return this.#rangeAggregation(expr, undefined)
      case 'vector_aggregation':
        return this.#vectorAggregation(expr)
      case 'binary': {
        const [left, right] = [this.node(expr.left), this.node(expr.right)]
        const { matching } = expr
        if (isSetOp(expr.op)) return { kind: 'set', op: expr.op, matching, left, right }
        return { kind: 'binary', op: expr.op, returnBool: expr.returnBool, matching, left, right }
      }
      case 'number':
      case 'vector':
        return { kind: expr.kind, value: expr.value }
      case 'label_replace': {
        const { kind, target, replacement, source, regex } = expr
        return { kind, target, replacement, source, regex, input: this.node(expr.expr) }
      }
      default:
        return unreachable(expr)
    }
  }

  #vectorAggregation(expr: VectorAggregation<StageNode>): MetricNode {
    const { op, parameter, grouping } = expr
    if (op === 'sort' || op === 'sort_desc') this.keepsOrder = true
    if (op === 'approx_topk') this.instantOnly = true
    const input =
      expr.expr.kind === 'range_aggregation'
        ? this.#rangeAggregation(expr.expr, { op, grouping })
        : this.node(expr.expr)
    return { kind: 'aggregate', op: aggregateOp(op), parameter, grouping, input }
  }

  #rangeAggregation(expr: RangeAggregation<StageNode>, outer: Outer | undefined): MetricNode {
    const leaf = this.leaves.length
    this.leaves.push(makeRangeLeaf(expr, outer))
    if (expr.op !== 'absent_over_time') return { kind: 'leaf', leaf }
    return { kind: 'absent', leaf, labels: absentLabels(expr.range.log) }
  }
}

/** `approx_topk` may be approximate, and is exact here. */
function aggregateOp(name: string): AggregateOp {
  if (name === 'approx_topk') return 'topk'
  if (isAggregateOp(name)) return name
  throw new BadRequest(`${name} is parsed but not evaluated yet`)
}

/** Makes the plan of a query from its syntax tree. What parses but is not evaluated yet is refused here, by name. */
import { BadRequest } from '#/kernel/errors.ts'
import { unreachable } from '#/kernel/assert.ts'
import type {
  Expr,
  Grouping,
  LogExpr,
  Matcher,
  MetricExpr,
  RangeAggregation,
  VectorAggregation,
} from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { isAggregateOp } from '#/series/aggregate.ts'
import { setLabel, noLabels, type SeriesLabels } from '#/series/labels.ts'
import { isSetOp } from '#/series/operators.ts'
import { mentionsError } from './mentions-error.ts'
import type { MetricLeaf, MetricNode, Plan } from './plan.ts'

/** @throws BadRequest naming what is not evaluated yet. */
export function makePlan(expr: Expr<StageNode>): Plan {
  if (expr.kind === 'log') {
    return { kind: 'logs', selection: { matchers: expr.matchers, stages: expr.stages, needed: 'all' } }
  }
  if (expr.kind === 'number') return { kind: 'scalar', value: expr.value }
  const planner = new MetricPlanner()
  const root = planner.node(expr)
  return { kind: 'metric', root, leaves: planner.leaves, keepsOrder: planner.keepsOrder }
}

/** Labels by which every label makes a series. */
const byAllLabels: Grouping = { kind: 'without', labels: [] }
const byNoLabels: Grouping = { kind: 'by', labels: [] }

const measures: Readonly<Record<string, Pick<MetricLeaf, 'measure' | 'perSecond'>>> = {
  count_over_time: { measure: 'rows', perSecond: false },
  rate: { measure: 'rows', perSecond: true },
  bytes_over_time: { measure: 'bytes', perSecond: false },
  bytes_rate: { measure: 'bytes', perSecond: true },
  absent_over_time: { measure: 'rows', perSecond: false },
}

class MetricPlanner {
  readonly leaves: MetricLeaf[] = []
  keepsOrder = false

  node(expr: MetricExpr<StageNode>): MetricNode {
    switch (expr.kind) {
      case 'range_aggregation':
        return this.#rangeAggregation(expr, byAllLabels)
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
    if (!isAggregateOp(op)) throw notYet(op)
    if (op === 'sort' || op === 'sort_desc') this.keepsOrder = true
    const canPushDown = op === 'sum' && expr.expr.kind === 'range_aggregation' && expr.expr.op !== 'absent_over_time'
    const input =
      canPushDown && expr.expr.kind === 'range_aggregation'
        ? // The scan adds up whole groups, so that inner series never exist.
          this.#rangeAggregation(expr.expr, grouping ?? byNoLabels)
        : this.node(expr.expr)
    return { kind: 'aggregate', op, parameter, grouping, input }
  }

  #rangeAggregation({ op, range }: RangeAggregation<StageNode>, grouping: Grouping): MetricNode {
    const measure = measures[op]
    if (measure === undefined) throw notYet(op)
    if (range.unwrap !== undefined) throw notYet(`${op} with unwrap`)
    const isAbsent = op === 'absent_over_time'
    const leafGrouping = isAbsent ? byNoLabels : grouping
    const leaf = this.leaves.length
    this.leaves.push({
      ...measure,
      matchers: range.log.matchers,
      stages: range.log.stages,
      needed: leafGrouping.kind === 'by' ? new Set(leafGrouping.labels) : 'all',
      rangeNs: BigInt(range.rangeNs),
      offsetNs: BigInt(range.offsetNs),
      grouping: leafGrouping,
      preserveErrors: mentionsError(range.log.stages, leafGrouping),
    })
    return isAbsent ? { kind: 'absent', leaf, labels: absentLabels(range.log) } : { kind: 'leaf', leaf }
  }
}

function notYet(what: string): BadRequest {
  return new BadRequest(`${what} is parsed but not evaluated yet`)
}

/** Labels that a missing series would certainly have: those that exactly one matcher names, with `=`. */
function absentLabels({ matchers }: LogExpr<StageNode>): SeriesLabels {
  const isCertain = ({ name, op }: Matcher): boolean =>
    op === '=' && matchers.filter((other) => other.name === name).length === 1
  return matchers
    .filter(isCertain)
    .reduce<SeriesLabels>((labels, { name, value }) => setLabel(labels, name, value), noLabels)
}

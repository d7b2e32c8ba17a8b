/**
 * A log query that only says which rows are meant: for deletes, which hide and erase exactly the rows that the query would show.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { membershipsOf } from '#/logs/logql/ast/memberships.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlainPlan } from './make-plan.ts'
import { optimizeSelection } from './optimize-plan.ts'
import type { Selection } from './plan.ts'

/**
 * The rows of a log query, by what decides about each of them alone.
 * @throws ParseError; BadRequest for metric queries, stages that ask all rows together, and queries within queries.
 */
export function rowQuery(text: string): Selection {
  const plan = makePlainPlan(parseExpr(text))
  if (plan.kind !== 'logs') throw new BadRequest('only a log query says which lines are meant')
  const { selection, tail } = plan
  if ((tail.distinct ?? tail.sort ?? tail.limit) !== undefined) {
    throw new BadRequest("'| distinct', '| sort' and '| limit' cannot say which lines are meant")
  }
  for (const stage of selection.stages) {
    if (stage.kind === 'label_filter' && membershipsOf(stage.filter).length > 0) {
      throw new BadRequest("'in (…)' asks for other lines, and cannot say which lines are meant")
    }
  }
  // nobody reads a label behind the stages
  return optimizeSelection({ ...selection, needed: new Set<string>() })
}

/** Whether it means all rows of its streams. */
export function meansWholeStreams({ stages }: Selection): boolean {
  return stages.length === 0
}

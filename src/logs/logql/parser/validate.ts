/** Checks of a query that parses: its selectors, and what its stages hold. In source order; the first problem is thrown. */
import type { Expr, LogExpr, Matcher, SourceRange } from '#/logs/logql/ast/nodes.ts'
import { membershipsOf } from '#/logs/logql/ast/memberships.ts'
import { problemOf, type StageNode } from '#/logs/logql/stages/index.ts'
import { matchesEmpty, regexProblem } from '#/logs/logql/stages/regex-problem.ts'
import { checkTail, type LogRole } from './check-tail.ts'
import { ParseError } from './parse-error.ts'

const emptyCompatible =
  'queries require at least one regexp or equality matcher that does not have an empty-compatible value. ' +
  'For instance, app=~".*" does not meet this requirement, but app=~".+" will'

export function validate(expr: Expr): void {
  switch (expr.kind) {
    case 'log':
      return validateLog(expr, 'answer')
    case 'range_aggregation':
      validateLog(expr.range.log, 'metric query')
      return expr.range.unwrap?.filters.forEach(validateStage)
    case 'vector_aggregation':
      return validate(expr.expr)
    case 'label_replace': {
      const problem = regexProblem(expr.regex)
      if (problem !== undefined) throw new ParseError(`invalid regex in label_replace: ${problem}`, expr.at)
      return validate(expr.expr)
    }
    case 'binary':
      validate(expr.left)
      return validate(expr.right)
    case 'number':
    case 'vector':
      return undefined
  }
}

function validateLog({ matchers, stages, at }: LogExpr, role: LogRole): void {
  validateMatchers(matchers, at)
  requireSelective(matchers, at)
  checkTail(stages, role)
  stages.forEach(validateStage)
}

/** Every regular expression is one. */
export function validateMatchers(matchers: readonly Matcher[], at: SourceRange): void {
  for (const { op, value } of matchers) {
    const problem = op === '=~' || op === '!~' ? regexProblem(value) : undefined
    if (problem !== undefined) throw new ParseError(problem, at)
  }
}

/** At least one matcher refuses the empty value, else a query would read everything. */
export function requireSelective(matchers: readonly Matcher[], at: SourceRange): void {
  if (!matchers.some(refusesEmpty)) throw new ParseError(emptyCompatible, at)
}

function refusesEmpty({ op, value }: Matcher): boolean {
  switch (op) {
    case '=':
      return value !== ''
    case '!=':
      return value === ''
    case '=~':
      return !matchesEmpty(value)
    case '!~':
      return matchesEmpty(value)
  }
}

function validateStage(node: StageNode): void {
  const problem = problemOf(node)
  if (problem !== undefined) throw new ParseError(problem, node.at)
  if (node.kind !== 'label_filter') return
  for (const { query } of membershipsOf(node.filter)) validateLog(query, 'subquery')
}

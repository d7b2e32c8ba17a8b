/** Queries that must be logs: bare selectors of the metadata endpoints, selectors with a pipeline of deletes and tails. */
import { BadRequest } from '#/kernel/errors.ts'
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import { parseExpr, parseUnchecked, type LogQuery } from './parse-expr.ts'
import { requireSelective, validateMatchers } from './validate.ts'

export type SelectorOptions = {
  /** Whether some matcher must refuse the empty value; `match[]` asks for nothing, not even a matcher. */
  readonly validate: boolean
}

/** The matchers of `{a="b"}`. @throws ParseError, or BadRequest when the text is more than a selector */
export function parseSelector(text: string, options: SelectorOptions): readonly Matcher[] {
  const expr = parseUnchecked(text)
  if (expr.kind !== 'log' || expr.stages.length > 0) throw new BadRequest('only label matchers are supported')
  validateMatchers(expr.matchers, expr.at)
  if (options.validate) requireSelective(expr.matchers, expr.at)
  return expr.matchers
}

/** A selector with its pipeline. @throws ParseError, or BadRequest when the query is a metric query */
export function parseLogSelector(text: string): LogQuery {
  const expr = parseExpr(text)
  if (expr.kind !== 'log') throw new BadRequest('only log selector is supported')
  return expr
}

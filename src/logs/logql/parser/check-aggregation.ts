/** Which parameters, groupings and unwraps go with which aggregation. */
import { defined } from '#/kernel/assert.ts'
import type { Grouping, RangeAggregation, SourceRange } from '#/logs/logql/ast/nodes.ts'
import { rangeFunctions, vectorFunctions } from '#/logs/logql/functions/index.ts'
import { ParseError } from './parse-error.ts'
import { printPlainNumber } from '#/logs/logql/ast/literals.ts'

export function checkRangeAggregation({ op, parameter, range, grouping, at }: RangeAggregation): void {
  const problem = rangeProblem()
  if (problem !== undefined) throw new ParseError(problem, at)

  function rangeProblem(): string | undefined {
    const fn = defined(rangeFunctions.get(op), op)
    if (fn.parameter === 'required' && parameter === undefined) return `parameter required for operation ${op}`
    if (fn.parameter === 'none' && parameter !== undefined) {
      return `parameter ${printPlainNumber(parameter)} not supported for operation ${op}`
    }
    if (grouping && !fn.grouping) return `grouping not allowed for ${op} aggregation`
    if (range.unwrap && fn.unwrap === 'forbidden') return `invalid aggregation ${op} with unwrap`
    if (!range.unwrap && fn.unwrap === 'required') return `invalid aggregation ${op} without unwrap`
    return undefined
  }
}

/** `parameter` is the number's text, as the messages show it. */
type VectorCall = {
  readonly op: string
  readonly parameter: string | undefined
  readonly grouping: Grouping | undefined
  readonly at: SourceRange
}

/** The most series that a parameter can ask for: a 64-bit whole number, like Loki's; far beyond every limit on series. */
const maxCount = 2 ** 63

export function checkVectorAggregation({ op, parameter, grouping, at }: VectorCall): void {
  const fn = defined(vectorFunctions.get(op), op)
  const problem =
    fn.parameter === 'required'
      ? countProblem(op, parameter)
      : parameter === undefined
        ? undefined
        : `unsupported parameter for operation ${op}(${parameter},`
  if (problem !== undefined) throw new ParseError(problem, at)
  if (!grouping || fn.grouping) return
  const isSort = op === 'sort' || op === 'sort_desc'
  throw new ParseError(
    isSort ? "sort and sort_desc doesn't allow grouping by " : `grouping not allowed for ${op} aggregation`,
    at,
  )
}

function countProblem(op: string, parameter: string | undefined): string | undefined {
  if (parameter === undefined) return `parameter required for operation ${op}`
  if (!/^\d+$/.test(parameter) || Number(parameter) >= maxCount) return `invalid parameter ${op}(${parameter},`
  return Number(parameter) > 0 ? undefined : `invalid parameter (must be greater than 0) ${op}(${parameter}`
}

/**
 * `| status >= 500 and method = "GET"`: keeps entries by the values of their labels. A value that cannot be converted keeps
 * the entry and sets an error; an entry that has an error already passes every filter but those on text.
 */
import { unreachable } from '#/kernel/assert.ts'
import { parseGoDuration } from '#/kernel/duration.ts'
import type { CompareOp, LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import { parseIpPattern } from '#/logs/logql/stages/ip-pattern.ts'
import type { StageCompiler } from './compiler.ts'
import { parseGoFloat, parseHumanBytes, type Conversion } from '#/kernel/go-number.ts'
import { containsIp } from './ip-scan.ts'
import type { Row, RowStage } from './row.ts'
import { ERROR_LABEL } from './stream-view.ts'
import { compileTextMatch } from './text-match.ts'

const FILTER_ERROR = 'LabelFilterErr'

export function compileLabelFilter(filter: LabelPredicate, compiler: StageCompiler): RowStage {
  switch (filter.kind) {
    case 'and':
      return all(filter.terms.map((term) => compileLabelFilter(term, compiler)))
    case 'or':
      return any(filter.terms.map((term) => compileLabelFilter(term, compiler)))
    case 'text': {
      const passes = compileTextMatch(filter.op, filter.value, compiler)
      const { name } = filter
      return (row) => passes(row.get(name) ?? '')
    }
    case 'number':
      return compileNumber(filter.name, compareWith(filter.op, filter.value))
    case 'duration':
      return compileConverted(filter.name, compareWith(filter.op, filter.value), toDuration)
    case 'bytes':
      return compileConverted(filter.name, compareWith(filter.op, filter.value), parseHumanBytes)
    case 'ip':
      return compileIp(filter)
    default:
      return unreachable(filter)
  }
}

/** Every term runs, as each may set an error. */
function all(terms: readonly RowStage[]): RowStage {
  return (row) => {
    let passes = true
    for (const term of terms) if (!term(row)) passes = false
    return passes
  }
}

function any(terms: readonly RowStage[]): RowStage {
  return (row) => {
    for (const term of terms) if (term(row)) return true
    return false
  }
}

type Comparison = (value: number) => boolean

function compareWith(op: CompareOp, right: number): Comparison {
  switch (op) {
    case '==':
      return (left) => left === right
    case '!=':
      return (left) => left !== right
    case '>':
      return (left) => left > right
    case '>=':
      return (left) => left >= right
    case '<':
      return (left) => left < right
    case '<=':
      return (left) => left <= right
    default:
      return unreachable(op)
  }
}

/** Most numbers in logs are short runs of digits, which are read from the line without making a string. */
function compileNumber(name: string, passes: Comparison): RowStage {
  const slow = compileConverted(name, passes, parseGoFloat)
  return (row) => {
    const digits = row.has(ERROR_LABEL) ? -1 : row.digitsOf(name)
    return digits >= 0 ? passes(digits) : slow(row)
  }
}

function compileConverted(name: string, passes: Comparison, convert: (text: string) => Conversion): RowStage {
  return (row: Row) => {
    if (row.has(ERROR_LABEL)) return true
    const text = row.get(name)
    if (text === undefined) return false
    const value = convert(text)
    if (typeof value === 'number') return passes(value)
    row.setError(FILTER_ERROR, value)
    return true
  }
}

function toDuration(text: string): Conversion {
  return parseGoDuration(text) ?? `time: invalid duration ${JSON.stringify(text)}`
}

function compileIp(filter: LabelPredicate & { readonly kind: 'ip' }): RowStage {
  const range = parseIpPattern(filter.pattern)!
  const wanted = filter.op === '='
  return (row) => {
    if (row.has(ERROR_LABEL)) return true
    const text = row.get(filter.name)
    return text !== undefined && containsIp(text, range) === wanted
  }
}

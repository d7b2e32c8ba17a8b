/**
 * `| status >= 500 and method = "GET"`: keeps entries by the values of their labels. A value that cannot be converted keeps
 * the entry and sets an error; an entry that has an error already passes every filter but those on text.
 */
import { defined, unreachable } from '#/kernel/assert.ts'
import { goDurationFault, parseGoDuration } from '#/kernel/duration.ts'
import { internText } from '#/kernel/intern.ts'
import type { CompareOp, LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import { parseIpPattern } from '#/logs/logql/stages/ip-pattern.ts'
import type { RegexCompiler } from './compiler.ts'
import { parseGoFloat, parseHumanBytes, type Conversion } from '#/kernel/go-number.ts'
import { compileIpScan } from './ip-scan.ts'
import type { Row, RowStage } from './row.ts'
import { ERROR_LABEL } from './stream-view.ts'
import { compileTextMatch } from './text-match.ts'

const FILTER_ERROR = 'LabelFilterErr'

export function compileLabelFilter(filter: LabelPredicate, compiler: RegexCompiler): RowStage {
  switch (filter.kind) {
    case 'and':
      return all(filter.terms.map((term) => compileLabelFilter(term, compiler)))
    case 'or':
      return any(filter.terms.map((term) => compileLabelFilter(term, compiler)))
    case 'text': {
      const passes = compileTextMatch(filter.op, filter.value, compiler)
      const name = internText(filter.name)
      return (row) => passes(row.get(name) ?? '')
    }
    case 'number':
      return compileNumber(internText(filter.name), compareWith(filter.op, filter.value))
    case 'duration':
      return compileConverted(internText(filter.name), compareWith(filter.op, filter.value), toDuration)
    case 'bytes':
      return compileConverted(internText(filter.name), compareWith(filter.op, filter.value), parseHumanBytes)
    case 'ip':
      return compileIp(filter)
    case 'in':
      return compileMembership(filter)
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

/** Most numbers in logs are short decimals, which are read from the line without making a string. */
function compileNumber(name: string, passes: Comparison): RowStage {
  const slow = compileConverted(name, passes, parseGoFloat)
  return (row) => {
    if (row.has(ERROR_LABEL)) return true
    const value = row.decimalOf(name)
    return Number.isNaN(value) ? slow(row) : passes(value)
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
  return parseGoDuration(text) ?? goDurationFault(text)
}

function compileIp(filter: LabelPredicate & { readonly kind: 'ip' }): RowStage {
  const isIn = compileIpScan(parseIpPattern(filter.pattern)!)
  const name = internText(filter.name)
  const wanted = filter.op === '='
  return (row) => {
    if (row.has(ERROR_LABEL)) return true
    const text = row.get(name)
    if (text === undefined) return false
    const bytes = Buffer.from(text)
    return isIn(bytes, 0, bytes.length) === wanted
  }
}

function compileMembership({ name, values }: LabelPredicate & { readonly kind: 'in' }): RowStage {
  const set = new Set(defined(values, `values of '${name} in (…)'`))
  return (row) => set.has(row.get(name) ?? '')
}

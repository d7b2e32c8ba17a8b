/** `| status >= 500 and method = "GET"`: keeps or drops entries by the values of their labels. */
import { printBytes, printDuration, printPlainNumber, printString } from '#/logs/logql/ast/literals.ts'
import type { LabelFilterNode, LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import { ipPatternProblem } from './ip-pattern.ts'
import { parseLabelPredicate } from './label-predicate.ts'
import { regexProblem } from './regex-problem.ts'
import { needsAlso, stageProblem, type PrintLog, type StageDefinition } from './stage.ts'

export const labelFilter: StageDefinition<LabelFilterNode> = {
  kind: 'label_filter',
  keywords: ['IDENTIFIER', '('],
  doc: 'Keeps entries whose labels pass comparisons with a text, regular expression, number, duration, size or IP range, or are `in (…)` the answer of another query.',
  reads: { line: false, writesLine: false, writesLabels: true },
  parse(cursor, first) {
    const filter = parseLabelPredicate(cursor, first)
    return { kind: 'label_filter', filter, at: cursor.range() }
  },
  print(node, printLog) {
    const { filter } = node
    const text = printPredicate(filter, printLog)
    // a label called `distinct` in front of a word would begin the stage of that name
    return filter.kind === 'in' && filter.name.toLowerCase() === 'distinct' ? `| ( ${text} )` : `| ${text}`
  },
  problem(node, printLog) {
    return predicateProblem(node.filter, (cause) => stageProblem(labelFilter.print(node, printLog), cause))
  },
  needs(node, after) {
    const names = new Set<string>()
    collectNames(node.filter, names)
    return needsAlso(after, names)
  },
}

function printPredicate(filter: LabelPredicate, printLog: PrintLog): string {
  switch (filter.kind) {
    case 'and':
      return `( ${filter.terms.map((term) => printPredicate(term, printLog)).join(' , ')} )`
    case 'or':
      return `( ${filter.terms.map((term) => printPredicate(term, printLog)).join(' or ')} )`
    case 'text':
      return `${filter.name}${filter.op}${printString(filter.value, filter.raw)}`
    case 'ip':
      return `${filter.name}${filter.op}ip(${printString(filter.pattern, false)})`
    case 'number':
      return `${filter.name}${filter.op}${printPlainNumber(filter.value)}`
    case 'duration':
      return `${filter.name}${filter.op}${printDuration(filter.value)}`
    case 'bytes':
      return `${filter.name}${filter.op}${printBytes(filter.value)}`
    case 'in':
      return `${filter.name} in (${printLog(filter.query)})`
  }
}

function predicateProblem(filter: LabelPredicate, framed: (cause: string) => string): string | undefined {
  if (filter.kind === 'and' || filter.kind === 'or') {
    for (const term of filter.terms) {
      const problem = predicateProblem(term, framed)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  if (filter.kind === 'text' && (filter.op === '=~' || filter.op === '!~')) return regexProblem(filter.value)
  if (filter.kind !== 'ip') return undefined
  const cause = ipPatternProblem(filter.pattern)
  return cause === undefined ? undefined : framed(cause)
}

function collectNames(filter: LabelPredicate, names: Set<string>): void {
  if (filter.kind !== 'and' && filter.kind !== 'or') names.add(filter.name)
  else for (const term of filter.terms) collectNames(term, names)
}

/** `|> "<_> took <_>ms"` is tried line by line; a search for its longest text in the whole page finds the lines that are worth it. */
import type { LineFilterNode, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { parseLinePattern } from '#/logs/logql/stages/line-pattern.ts'
import { implies } from './implies.ts'
import { MIN_TEXT } from './line-filter-class.ts'
import { isLineFilter, storedLineStages, type Rule } from './rule.ts'

export const derivePatternTexts: Rule = {
  name: 'search texts of patterns',
  apply(stages) {
    const known = stages.slice(0, storedLineStages(stages)).filter(isLineFilter)
    const derived: LineFilterNode[] = []
    const notes: string[] = []
    for (const node of known) {
      const filter = textsOf(node)
      if (!filter || [...known, ...derived].some((other) => implies(other, filter))) continue
      derived.push(filter)
      notes.push(`${printStage(node)} implies ${printStage(filter)}`)
    }
    const rewritten: readonly RowStageNode[] = derived.length === 0 ? stages : [...derived, ...stages]
    return { stages: rewritten, notes }
  },
}

function textsOf(node: LineFilterNode): LineFilterNode | undefined {
  if (node.op !== '|>') return undefined
  const texts = node.operands.map(({ value }) => longestText(value))
  if (!texts.every((text) => text.length >= MIN_TEXT && text.isWellFormed())) return undefined
  return {
    kind: 'line_filter',
    op: '|=',
    operands: texts.map((value) => ({ kind: 'text', value, raw: false })),
    at: node.at,
  }
}

function longestText(pattern: string): string {
  return parseLinePattern(pattern)
    .map((part) => (part.kind === 'literal' ? part.text : ''))
    .reduce((longest, text) => (text.length > longest.length ? text : longest), '')
}

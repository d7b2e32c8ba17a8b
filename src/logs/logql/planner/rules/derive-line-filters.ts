/**
 * `| json | level="error"`: a line without `error` in it cannot pass, so whole pages are searched for the text before any line is
 * parsed. That holds where the label can only come from the line: not where the stream or the metadata has it, which the scan
 * checks page by page. A line that fails to parse has no such label and is dropped by the filter as well.
 */
import type { LabelFilterNode, LineFilterNode, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { implies } from './implies.ts'
import { isPlainLabel, outputsOf } from './label-origin.ts'
import { isLineFilter, isParser, storedLineStages, writesLine, type Rule } from './rule.ts'
import { valueTexts } from './value-texts.ts'

export const deriveLineFilters: Rule = {
  name: 'derive line filters',
  apply(stages) {
    const known = stages.slice(0, storedLineStages(stages)).filter(isLineFilter)
    const derived: LineFilterNode[] = []
    const notes: string[] = []
    for (const [index, node] of stages.entries()) {
      if (node.kind !== 'label_filter') continue
      for (const filter of textsInLine(node, stages.slice(0, index))) {
        if ([...known, ...derived].some((other) => implies(other, filter))) continue
        derived.push(filter)
        notes.push(
          `${printStage(node)} needs ${printStage(filter)}, unless ${filter.unlessLabels!.join(' or ')} is a label of the stream or metadata`,
        )
      }
    }
    const rewritten: readonly RowStageNode[] = derived.length === 0 ? stages : [...derived, ...stages]
    return { stages: rewritten, notes }
  },
}

function textsInLine(node: LabelFilterNode, before: readonly RowStageNode[]): readonly LineFilterNode[] {
  return valueTexts(node.filter).flatMap(({ names, texts }) => {
    const parsers = names.map((name) => before.filter((stage) => isParser(stage) && mayFind(stage, name)))
    const isFromLine = names.every((name, i) => isPlainLabel(name, before) && parsers[i]!.length > 0)
    const last = Math.max(...parsers.flat().map((parser) => before.indexOf(parser)))
    // what a stage up to there wrote is not in the stored line
    if (!isFromLine || before.slice(0, last + 1).some(writesLine)) return []
    const hasEscapes = parsers.flat().some(({ kind }) => kind === 'json' || kind === 'logfmt')
    const operands = [...texts, ...(hasEscapes ? ['\\'] : [])].map(
      (value) => ({ kind: 'text', value, raw: false }) as const,
    )
    return [{ kind: 'line_filter', op: '|=', operands, unlessLabels: names, at: node.at }]
  })
}

function mayFind(parser: RowStageNode, name: string): boolean {
  return outputsOf(parser)?.includes(name) ?? true
}

/** `line_format "{{.method}} {{.path}}"`: writes the line anew from a template. */
import { printString } from '#/logs/logql/ast/literals.ts'
import type { LineFormatNode } from '#/logs/logql/ast/stage-nodes.ts'
import { stageProblem, type StageDefinition } from './stage.ts'
import { templateNeeds, templateProblem } from './template-text.ts'

export const lineFormat: StageDefinition<LineFormatNode> = {
  kind: 'line_format',
  keywords: ['line_format'],
  doc: 'Replaces the line by the output of a template over its labels.',
  reads: { line: true, writesLine: true, writesLabels: true },
  parse(cursor) {
    const { text, raw } = cursor.expect('STRING')
    return { kind: 'line_format', template: text, raw: raw && text.includes('"'), at: cursor.range() }
  },
  print: (node) => `| line_format ${printString(node.template, node.raw)}`,
  problem(node, printLog) {
    const cause = templateProblem(node.template)
    return cause === undefined
      ? undefined
      : stageProblem(lineFormat.print(node, printLog), `invalid line template: ${cause}`)
  },
  needs: (node, after) => templateNeeds(after, node.template),
}

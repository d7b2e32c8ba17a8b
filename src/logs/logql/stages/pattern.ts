/** `pattern "<ip> - <_> <method>"`: the parts between the literals become labels. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { PatternNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parserPatternProblem } from './line-pattern.ts'
import type { StageDefinition } from './stage.ts'

export const pattern: StageDefinition<PatternNode> = {
  kind: 'pattern',
  keywords: ['pattern'],
  doc: 'Extracts the parts of a line between fixed texts: `<name>` becomes a label, `<_>` is skipped.',
  reads: { line: true, writesLine: false, writesLabels: true },
  parse: (cursor) => ({ kind: 'pattern', pattern: cursor.expect('STRING').text, at: cursor.range() }),
  print: (node) => `| pattern ${quoteGo(node.pattern)}`,
  problem(node) {
    const cause = parserPatternProblem(node.pattern)
    return cause === undefined ? undefined : `invalid pattern parser: ${cause}`
  },
  needs: (_node, after) => after,
}

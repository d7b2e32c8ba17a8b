/** `regexp "(?P<name>re)"`: named groups become labels. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { RegexpNode } from '#/logs/logql/ast/stage-nodes.ts'
import { captureProblem, regexProblem } from './regex-problem.ts'
import type { StageDefinition } from './stage.ts'

export const regexp: StageDefinition<RegexpNode> = {
  kind: 'regexp',
  keywords: ['regexp'],
  doc: 'Extracts the named groups of a regular expression as labels.',
  reads: { line: true, writesLine: false, writesLabels: true },
  parse: (cursor) => ({ kind: 'regexp', pattern: cursor.expect('STRING').text, at: cursor.range() }),
  print: (node) => `| regexp ${quoteGo(node.pattern)}`,
  problem(node) {
    const cause = regexProblem(node.pattern) ?? captureProblem(node.pattern)
    return cause === undefined ? undefined : `invalid regexp parser: ${cause}`
  },
  needs: (_node, after) => after,
}

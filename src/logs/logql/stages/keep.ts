/** `keep a, b="x"`: removes every label that is not listed, or whose matcher fails. */
import type { KeepNode } from '#/logs/logql/ast/stage-nodes.ts'
import { choiceNeeds, choicesProblem, parseChoices, printChoices } from './label-choices.ts'
import { needsAlso, type StageDefinition } from './stage.ts'

export const keep: StageDefinition<KeepNode> = {
  kind: 'keep',
  keywords: ['keep'],
  doc: 'Removes all labels but the named ones; with a matcher only when the value matches.',
  reads: { line: false, writesLine: false, writesLabels: true },
  parse: (cursor) => ({ kind: 'keep', choices: parseChoices(cursor), at: cursor.range() }),
  print: (node) => `| keep ${printChoices(node.choices)}`,
  problem: (node) => choicesProblem(node.choices),
  needs: (node, after) => needsAlso(after, choiceNeeds(node.choices)),
}

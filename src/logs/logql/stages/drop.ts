/** `drop a, b="x"`: removes labels, those with a matcher only when their value matches. */
import type { DropNode } from '#/logs/logql/ast/stage-nodes.ts'
import { choiceNeeds, choicesProblem, parseChoices, printChoices } from './label-choices.ts'
import { needsAlso, type StageDefinition } from './stage.ts'

export const drop: StageDefinition<DropNode> = {
  kind: 'drop',
  keywords: ['drop'],
  doc: 'Removes the named labels; with a matcher only when the value matches.',
  reads: { line: false, writesLine: false, writesLabels: true },
  parse: (cursor) => ({ kind: 'drop', choices: parseChoices(cursor), at: cursor.range() }),
  print: (node) => `| drop ${printChoices(node.choices)}`,
  problem: (node) => choicesProblem(node.choices),
  needs: (node, after) => needsAlso(after, choiceNeeds(node.choices)),
}

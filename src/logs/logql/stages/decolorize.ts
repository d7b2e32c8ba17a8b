/** `decolorize`: strips terminal colours. */
import type { DecolorizeNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { StageDefinition } from './stage.ts'

export const decolorize: StageDefinition<DecolorizeNode> = {
  kind: 'decolorize',
  keywords: ['decolorize'],
  doc: 'Removes ANSI colour and control sequences from the line.',
  reads: { line: true, writesLine: true, writesLabels: false },
  parse: (cursor) => ({ kind: 'decolorize', at: cursor.range() }),
  print: () => '| decolorize',
  problem: () => undefined,
  needs: (_node, after) => after,
}

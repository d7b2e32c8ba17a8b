/** `unpack`: undoes the `pack` stage of collectors. */
import type { UnpackNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { StageDefinition } from './stage.ts'

export const unpack: StageDefinition<UnpackNode> = {
  kind: 'unpack',
  keywords: ['unpack'],
  doc: 'Turns a packed line back into what it was: `_entry` becomes the line, all other string members labels.',
  reads: { line: true, writesLine: true, writesLabels: true },
  parse: (cursor) => ({ kind: 'unpack', at: cursor.range() }),
  print: () => '| unpack',
  problem: () => undefined,
  needs: (_node, after) => after,
}

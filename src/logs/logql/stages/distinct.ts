/** `distinct a, b`: of the entries with equal values of these labels the first one. An extension. */
import type { DistinctNode } from '#/logs/logql/ast/stage-nodes.ts'
import { needsAlso, type StageCursor, type StageDefinition } from './stage.ts'

export const distinct: StageDefinition<DistinctNode> = {
  kind: 'distinct',
  keywords: ['distinct'],
  doc: 'Keeps, of the entries with equal values of the named labels, the first one in the direction of the query. Stands at the end of a log query.',
  // a label of that name can still be asked whether it is `in (…)`
  begins: (cursor) => cursor.isFollowedBy('IDENTIFIER') && !cursor.isFollowedBy('IDENTIFIER', '('),
  reads: { line: false, writesLine: false, writesLabels: false },
  parse: (cursor) => ({ kind: 'distinct', labels: parseLabels(cursor), at: cursor.range() }),
  print: (node) => `| distinct ${node.labels.join(', ')}`,
  problem: () => undefined,
  needs: (node, after) => needsAlso(after, node.labels),
}

function parseLabels(cursor: StageCursor): string[] {
  const labels = [cursor.expect('IDENTIFIER').text]
  while (cursor.accept(',')) labels.push(cursor.expect('IDENTIFIER').text)
  return labels
}

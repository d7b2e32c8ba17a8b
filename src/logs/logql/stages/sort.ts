/** `sort by a desc`: entries by the value of a label instead of by time. An extension. */
import type { SortNode } from '#/logs/logql/ast/stage-nodes.ts'
import { needsAlso, type StageDefinition } from './stage.ts'

export const sort: StageDefinition<SortNode> = {
  kind: 'sort',
  keywords: ['sort'],
  doc: 'Orders entries by the value of a label instead of by time; `desc` for the greatest first. Stands at the end of a log query.',
  begins: (cursor) => cursor.isFollowedBy('by'),
  reads: { line: false, writesLine: false, writesLabels: false },
  parse(cursor) {
    cursor.expect('by')
    const label = cursor.expect('IDENTIFIER').text
    const direction = cursor.word()
    const descending = direction === 'desc'
    if (descending || direction === 'asc') cursor.next()
    return { kind: 'sort', label, descending, at: cursor.range() }
  },
  print: (node) => `| sort by ${node.label}${node.descending ? ' desc' : ''}`,
  problem: () => undefined,
  needs: (node, after) => needsAlso(after, [node.label]),
}

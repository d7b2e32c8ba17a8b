/** `limit 10`: at most so many entries. An extension. */
import { printPlainNumber } from '#/logs/logql/ast/literals.ts'
import type { LimitNode } from '#/logs/logql/ast/stage-nodes.ts'
import { stageProblem, type StageDefinition } from './stage.ts'

/** Most entries that the stage can ask for; far beyond what one answer may hold. */
export const maxLimit = 1_000_000

export const limit: StageDefinition<LimitNode> = {
  kind: 'limit',
  keywords: ['limit'],
  doc: 'Keeps at most this many entries, if the limit of the request is not smaller. Stands at the end of a log query.',
  begins: (cursor) => cursor.isFollowedBy('NUMBER'),
  reads: { line: false, writesLine: false, writesLabels: false },
  parse: (cursor) => ({ kind: 'limit', count: cursor.number(cursor.next()), at: cursor.range() }),
  print: (node) => `| limit ${printPlainNumber(node.count)}`,
  problem(node, printLog) {
    if (Number.isInteger(node.count) && node.count >= 1 && node.count <= maxLimit) return undefined
    return stageProblem(limit.print(node, printLog), `limit must be a whole number from 1 to ${maxLimit}`)
  },
  needs: (_node, after) => after,
}

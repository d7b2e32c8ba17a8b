/**
 * `distinct`, `sort` and `limit` need all entries at once: they stand behind all other stages, at most one of each, in this
 * order, and only where entries are the answer.
 */
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { ParseError } from './parse-error.ts'

/** What a log query is part of. */
export type LogRole = 'answer' | 'metric query' | 'subquery'

const places: ReadonlyMap<StageNode['kind'], number> = new Map([
  ['distinct', 1],
  ['sort', 2],
  ['limit', 3],
])

/** @throws ParseError when one of these stages stands where it may not */
export function checkTail(stages: readonly StageNode[], role: LogRole): void {
  let before: StageNode | undefined
  for (const node of stages) {
    const place = places.get(node.kind)
    if (place !== undefined && role !== 'answer') {
      throw new ParseError(`stage '${printStage(node)}' is not allowed in a ${role}`, node.at)
    }
    if (before && place === places.get(before.kind)) {
      throw new ParseError(`only one ${node.kind} is allowed in a query`, node.at)
    }
    if (before && (place ?? 0) < places.get(before.kind)!) {
      throw new ParseError(`stage '${printStage(before)}' must stand behind '${printStage(node)}'`, before.at)
    }
    if (place !== undefined) before = node
  }
}

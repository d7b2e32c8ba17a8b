/** Queries that an operator has blocked. The first rule whose pattern or hash fits decides, whatever its types say. */
import { BadRequest } from '#/kernel/errors.ts'
import type { BlockedQuery, Limits } from '#/logs/limits.ts'
import type { Expr } from '#/logs/logql/ast/nodes.ts'
import { compileRegex } from '#/platform/regex/compile.ts'

/** `filter`: a log query with a filter; `limited`: one without; `metric`: everything that gives numbers. */
export type QueryType = 'metric' | 'filter' | 'limited'

const filterKinds = new Set(['line_filter', 'label_filter'])

export function queryType(expr: Expr): QueryType {
  if (expr.kind !== 'log') return 'metric'
  return expr.stages.some(({ kind }) => filterKinds.has(kind)) ? 'filter' : 'limited'
}

/** @throws BadRequest when a rule of the tenant blocks this text. */
export function checkBlocked(query: string, type: QueryType, limits: Limits): void {
  const rule = limits.blocked_queries.find((one) => fits(one, query))
  if (rule && (rule.types.length === 0 || rule.types.includes(type))) throw new BadRequest('query blocked by policy')
}

function fits({ pattern, regex, hash }: BlockedQuery, query: string): boolean {
  if (hash !== 0) return hash === queryHash(query)
  if (pattern === '') return true
  return regex ? compileRegex(pattern, { anchored: false }).test(query) : pattern.trim() === query.trim()
}

/** FNV-1, 32 bits, over the UTF-8 bytes of the query; logged as `query_hash`. */
export function queryHash(query: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(query)) hash = (Math.imul(hash, 0x01000193) ^ byte) >>> 0
  return hash
}

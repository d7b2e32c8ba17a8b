/** The limits of a tenant that are checked before a query runs. Texts are Loki's. */
import { formatGoDuration, formatPrometheusDuration } from '#/kernel/duration.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { Limits } from '#/logs/limits.ts'
import { membershipsOf } from '#/logs/logql/ast/memberships.ts'
import type { Expr, LogExpr, Matcher } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'

type Times = { readonly startNs: bigint; readonly endNs: bigint }

/** Refuses log queries that ask for more entries than allowed. 0 = no limit. */
export function checkEntries(limit: number, limits: Limits): void {
  const most = limits.max_entries_limit_per_query
  if (most > 0 && limit > most) {
    throw new BadRequest(
      `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${most})`,
    )
  }
}

/** Moves the start of a range into the lookback; undefined when nothing of the range is left. */
export function clampToLookback<T extends Times>(times: T, limits: Limits, nowNs: bigint): T | undefined {
  if (limits.max_query_lookback <= 0) return times
  const oldest = nowNs - BigInt(Math.round(limits.max_query_lookback * 1e6))
  if (times.endNs < oldest) return undefined
  return times.startNs < oldest ? { ...times, startNs: oldest } : times
}

export function checkLength({ startNs, endNs }: Times, limits: Limits): void {
  const limitNs = limits.max_query_length * 1e6
  const lengthNs = Number(endNs - startNs)
  if (limitNs > 0 && lengthNs > limitNs) {
    throw new BadRequest(
      `the query time range exceeds the limit (query length: ${formatGoDuration(lengthNs)}, limit: ${formatPrometheusDuration(limitNs)})`,
    )
  }
}

/** Checks every selector and every range of a query. */
export function checkExpr(expr: Expr, limits: Limits): void {
  switch (expr.kind) {
    case 'log':
      return checkLog(expr, limits)
    case 'range_aggregation': {
      const mostNs = limits.max_query_range * 1e6
      if (mostNs > 0 && expr.range.rangeNs > mostNs) {
        throw new BadRequest(
          `[interval] value exceeds limit: [${formatPrometheusDuration(expr.range.rangeNs)}] > [${formatPrometheusDuration(mostNs)}]`,
        )
      }
      checkLog(expr.range.log, limits)
      return checkSubqueries(expr.range.unwrap?.filters ?? [], limits)
    }
    case 'vector_aggregation':
    case 'label_replace':
      return checkExpr(expr.expr, limits)
    case 'binary':
      checkExpr(expr.left, limits)
      return checkExpr(expr.right, limits)
    case 'number':
    case 'vector':
      return undefined
  }
}

function checkLog({ matchers, stages }: LogExpr, limits: Limits): void {
  checkMatchers(matchers, limits)
  checkSubqueries(stages, limits)
}

/** A query behind `in` reads streams of its own. */
function checkSubqueries(stages: readonly StageNode[], limits: Limits): void {
  for (const stage of stages) {
    if (stage.kind !== 'label_filter') continue
    for (const { query } of membershipsOf(stage.filter)) checkLog(query, limits)
  }
}

function checkMatchers(matchers: readonly Matcher[], limits: Limits): void {
  const names = matchers.map(({ name }) => name)
  const most = limits.max_streams_matchers_per_query
  if (most > 0 && matchers.length > most) {
    throw new BadRequest(
      `max streams matchers per query exceeded, matchers-count > limit (${matchers.length} > ${most})`,
    )
  }
  const missing = limits.required_labels.filter((name) => !names.includes(name))
  if (missing.length > 0) {
    throw new BadRequest(
      `stream selector is missing required matchers [${missing.join(', ')}], labels present in the query were [${names.join(', ')}]`,
    )
  }
  if (names.length < limits.minimum_labels_number) {
    throw new BadRequest(
      `stream selector has less label matchers than required: (present: [${names.join(', ')}], number_present: ${names.length}, required_number_label_matchers: ${limits.minimum_labels_number})`,
    )
  }
}

/** The limits of a query that reads several tenants: none of them may be read beyond its own. */
import { defined } from '#/kernel/assert.ts'
import type { Limits, LimitsOf } from '#/logs/limits.ts'
import { tenantsOf } from '#/platform/tenant/tenant-id.ts'

/** Of these the smallest positive value counts; 0 means no limit. */
const smallest = [
  'max_entries_limit_per_query',
  'max_query_series',
  'max_query_length',
  'max_query_lookback',
  'max_query_range',
  'max_query_bytes_read',
  'max_querier_bytes_read',
  'max_streams_matchers_per_query',
  'query_timeout',
  'volume_max_series',
] as const

/** `tenant` is one or several. */
export function limitsOfTenants(tenant: string, limitsOf: LimitsOf): Limits {
  const tenants = tenantsOf(tenant)
  const all = tenants.map(limitsOf)
  const first = defined(all[0], 'a request has a tenant')
  if (all.length === 1) return first
  const numbers = smallest.map((key) => [key, smallestPositive(all.map((limits) => limits[key]))])
  return {
    ...first,
    ...Object.fromEntries(numbers),
    // 0 forbids queries, of any one tenant as well
    max_query_parallelism: Math.min(...all.map((limits) => limits.max_query_parallelism)),
    minimum_labels_number: Math.max(...all.map((limits) => limits.minimum_labels_number)),
    required_labels: [...new Set(all.flatMap((limits) => limits.required_labels))],
    blocked_queries: all.flatMap((limits) => limits.blocked_queries),
    volume_enabled: all.every((limits) => limits.volume_enabled),
    pattern_mining: all.every((limits) => limits.pattern_mining),
  }
}

function smallestPositive(values: readonly number[]): number {
  const positive = values.filter((value) => value > 0)
  return positive.length === 0 ? 0 : Math.min(...positive)
}

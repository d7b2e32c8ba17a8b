import type { RangeQuery } from '#/logs/wire/query.ts'

/**
 * Start down and end up to multiples of the step since the epoch, so that the points of a panel do not move while its window
 * does, and so that answers can be cached.
 */
export function alignToStep<Q extends Pick<RangeQuery, 'startNs' | 'endNs' | 'stepNs'>>(query: Q): Q {
  const { startNs, endNs, stepNs } = query
  const floor = (ns: bigint): bigint => ns - (((ns % stepNs) + stepNs) % stepNs)
  return { ...query, startNs: floor(startNs), endNs: floor(endNs + stepNs - 1n) }
}

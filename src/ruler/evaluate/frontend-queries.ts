/** Asks the query frontend, so that rules have the limits, the queue and the answers of their tenant's other queries. */
import { BadRequest } from '#/kernel/errors.ts'
import type { QueryFrontend, ResultEntry } from '#/logs/wire/query.ts'
import type { RuleQueries } from './rule-queries.ts'

export function frontendQueries(frontend: Pick<QueryFrontend, 'instant' | 'range'>): RuleQueries {
  return {
    async evaluate(tenant, query, timeNs, signal) {
      // the limit of entries means nothing to numbers
      const { data } = await frontend.instant({ tenant, query, timeNs, limit: 1, direction: 'backward' }, signal)
      if (data.kind === 'vector') return data.samples
      if (data.kind === 'scalar') return [{ labels: [], value: data.value }]
      throw new BadRequest(`rule result is not a vector or scalar but ${data.kind}`)
    },
    async newestLines(tenant, { query, startNs, endNs, limit }, signal) {
      const range = { startNs, endNs: endNs + 1n, stepNs: 1_000_000_000n, intervalNs: 0n }
      const { data } = await frontend.range({ tenant, query, ...range, limit, direction: 'backward' }, signal)
      if (data.kind !== 'streams') return []
      const entries = data.streams.flatMap(({ entries: some }) => some).toSorted(newestFirst)
      return entries.slice(0, limit).map(({ line }) => line.toString('utf8'))
    },
  }
}

function newestFirst(a: ResultEntry, b: ResultEntry): number {
  return a.timeNs > b.timeNs ? -1 : a.timeNs < b.timeNs ? 1 : 0
}

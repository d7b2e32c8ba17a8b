import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { parseTimes } from './params.ts'
import { selectorParam } from './selectors.ts'
import { statsSchema } from './describe-answers.ts'
import { selectorQueryParam, timesParams } from './describe-params.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

const NS_PER_MS = 1_000_000n

export function indexStatsEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/index/stats',
    doc: 'How many streams, chunks (pages), entries and bytes a selector covers, estimated from indexes alone.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [selectorQueryParam, ...timesParams],
    answer: jsonAnswer(statsSchema),
    async handle({ query, tenant, signal }) {
      const { startNs, endNs } = parseTimes(query, clock.nowNs())
      // milliseconds, start down and end up
      const floorMs = (ns: bigint): bigint => ns - (((ns % NS_PER_MS) + NS_PER_MS) % NS_PER_MS)
      const range = { startNs: floorMs(startNs), endNs: floorMs(endNs + NS_PER_MS - 1n) }
      return jsonReply(200, await frontend.indexStats({ tenant, selectors: selectorParam(query), ...range }, signal))
    },
  }
}

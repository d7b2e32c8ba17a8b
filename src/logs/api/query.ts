import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { encodeAnswer } from './encode-answer.ts'
import { encodingFlags, parseDirection, parseLimit, parseTimestamp } from './params.ts'
import { jsonBody } from './reply.ts'

export function queryEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/query',
    doc: 'Evaluates a metric query at one instant, as `vector` or `scalar`.',
    tenant: 'required',
    body: 'form',
    async handle({ query, tenant, signal, headers }) {
      const time = query.get('time') ?? ''
      const answer = await frontend.instant(
        {
          tenant,
          query: query.get('query') ?? '',
          timeNs: time === '' ? clock.nowNs() : parseTimestamp('time', time),
          limit: parseLimit(query),
          direction: parseDirection(query),
        },
        signal,
      )
      return jsonBody(encodeAnswer(answer, encodingFlags(headers['x-loki-response-encoding-flags'])))
    },
  }
}

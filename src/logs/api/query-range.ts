import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { encodeAnswer } from './encode-answer.ts'
import {
  checkRange,
  encodingFlags,
  parseDirection,
  parseInterval,
  parseLimit,
  parseStep,
  parseTimes,
} from './params.ts'
import { jsonBody } from './reply.ts'

export function queryRangeEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/query_range',
    doc: 'Runs a LogQL query over a range of time: log lines as `streams`, metric queries as `matrix`.',
    tenant: 'required',
    body: 'form',
    async handle({ query, tenant, signal, headers }) {
      const times = parseTimes(query, clock.nowNs())
      checkRange(times.startNs, times.endNs)
      const answer = await frontend.range(
        {
          tenant,
          query: query.get('query') ?? '',
          ...times,
          limit: parseLimit(query),
          direction: parseDirection(query),
          stepNs: parseStep(query, times),
          intervalNs: parseInterval(query),
        },
        signal,
      )
      return jsonBody(encodeAnswer(answer, encodingFlags(headers['x-loki-response-encoding-flags'])))
    },
  }
}

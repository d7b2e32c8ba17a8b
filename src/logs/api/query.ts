import { BadRequest } from '#/kernel/errors.ts'
import type { InstantQuery } from '#/logs/wire/query.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { encodeAnswer } from './encode-answer.ts'
import { acceptsLines, encodingFlags, parseDirection, parseLimit, parseTimestamp, refusesCaches } from './params.ts'
import { framesReply } from './query-frames.ts'
import { jsonBody } from './reply.ts'
import { resultSchema } from './describe-answers.ts'
import { directionParam, encodingFlagsParam, limitParam, metricQueryParam, timeParam } from './describe-params.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

export function queryEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/query',
    doc:
      'Evaluates a metric query at one instant, as `vector` or `scalar`; with progress for ' +
      '`Accept: application/x-ndjson`.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [metricQueryParam, timeParam, limitParam, directionParam, encodingFlagsParam],
    answer: jsonAnswer(resultSchema('vector', 'scalar', 'streams'), 'application/x-ndjson'),
    async handle({ query: parameters, tenant, signal, headers }) {
      if (parameters.has('cursor')) throw new BadRequest('a cursor can only be used with log queries')
      const time = parameters.get('time') ?? ''
      const query: InstantQuery = {
        tenant,
        query: parameters.get('query') ?? '',
        timeNs: time === '' ? clock.nowNs() : parseTimestamp('time', time),
        limit: parseLimit(parameters),
        direction: parseDirection(parameters),
        noCache: refusesCaches(headers['cache-control']),
      }
      const flags = encodingFlags(headers['x-loki-response-encoding-flags'])
      if (acceptsLines(headers.accept)) {
        const run = frontend.stream.bind(frontend, { kind: 'instant', ...query })
        return framesReply(run, { signal, flags, cursorText: String })
      }
      return jsonBody(encodeAnswer(await frontend.instant(query, signal), flags))
    },
  }
}

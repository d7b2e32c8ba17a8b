import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { encodeAnswer } from './encode-answer.ts'
import { encodingFlags } from './params.ts'
import { framesReply } from './query-frames.ts'
import { rangeParams, rangeRequest } from './range-query.ts'
import { jsonBody } from './reply.ts'
import { resultSchema } from './describe-answers.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

export function queryRangeEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/query_range',
    doc:
      'Runs a LogQL query over a range of time: log lines as `streams`, metric queries as `matrix`; piece by piece for ' +
      '`Accept: application/x-ndjson`, page by page with `cursor`.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: rangeParams,
    answer: jsonAnswer(resultSchema('streams', 'matrix'), 'application/x-ndjson'),
    async handle(request) {
      const { signal, headers } = request
      const { query, wantsLines, cursorText } = rangeRequest(request, clock.nowNs())
      const flags = encodingFlags(headers['x-loki-response-encoding-flags'])
      if (wantsLines) {
        const run = frontend.stream.bind(frontend, { kind: 'range', ...query })
        return framesReply(run, { signal, flags, cursorText })
      }
      return jsonBody(encodeAnswer(await frontend.range(query, signal), flags, cursorText))
    },
  }
}

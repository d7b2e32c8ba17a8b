import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { labelsObject } from './labels-json.ts'
import { parseTimes } from './params.ts'
import { jsonBody } from './reply.ts'
import { matchesParams, matchParams } from './selectors.ts'
import { seriesSchema } from './describe-answers.ts'
import { timesParams } from './describe-params.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

export function seriesEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/series',
    doc: 'Label sets of the streams that one of the `match[]` selectors selects.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [...matchesParams, ...timesParams],
    answer: jsonAnswer(seriesSchema),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      const series = await frontend.series({ tenant, selectors: matchParams(query), ...times }, signal)
      return jsonBody([Buffer.from(`{"status":"success","data":[${series.map(labelsObject).join(',')}]}`)])
    },
  }
}

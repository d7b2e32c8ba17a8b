import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { parseTimes } from './params.ts'
import { labelsReply } from './reply.ts'
import { selectorParam } from './selectors.ts'
import { labelsSchema } from './describe-answers.ts'
import { labelNameParam, selectorQueryParam, timesParams } from './describe-params.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

export function labelValuesEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/label/:name/values',
    doc: 'Values of one stream label in a range of time, of all streams or of those that `query` selects.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [labelNameParam, selectorQueryParam, ...timesParams],
    answer: jsonAnswer(labelsSchema),
    async handle({ query, tenant, signal, pathParams }) {
      const times = parseTimes(query, clock.nowNs())
      const name = pathParams['name'] ?? ''
      return labelsReply(
        await frontend.labelValues(name, { tenant, selectors: selectorParam(query), ...times }, signal),
      )
    },
  }
}

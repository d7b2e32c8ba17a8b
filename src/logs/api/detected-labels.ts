import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { parseTimes } from './params.ts'
import { selectorParam } from './selectors.ts'
import { detectedLabelsSchema } from './describe-answers.ts'
import { selectorQueryParam, timesParams } from './describe-params.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

export function detectedLabelsEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/detected_labels',
    doc: 'Stream labels in a range of time and how many values they have, without those whose values are all numbers or UUIDs.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [selectorQueryParam, ...timesParams],
    answer: jsonAnswer(detectedLabelsSchema),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      const detectedLabels = await frontend.detectedLabels(
        { tenant, selectors: selectorParam(query), ...times },
        signal,
      )
      return jsonReply(200, detectedLabels.length === 0 ? {} : { detectedLabels })
    },
  }
}

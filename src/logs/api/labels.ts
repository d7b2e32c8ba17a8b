import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { selectorParam } from './selectors.ts'
import { parseTimes } from './params.ts'
import { labelsReply } from './reply.ts'
import { labelsSchema } from './describe-answers.ts'
import { selectorQueryParam, timesParams } from './describe-params.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

/** `/labels`, and `/label` as its alias. */
export function labelsEndpoint(path: string, { frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path,
    doc: 'Names of stream labels in a range of time, of all streams or of those that `query` selects.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [selectorQueryParam, ...timesParams],
    answer: jsonAnswer(labelsSchema),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      return labelsReply(await frontend.labelNames({ tenant, selectors: selectorParam(query), ...times }, signal))
    },
  }
}

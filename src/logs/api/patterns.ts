/** `patterns`: what the lines of streams look like, and how many of each there are by time. */
import { parseSelector } from '#/logs/logql/parser/parse-selector.ts'
import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { checkRange, parseStep, parseTimes } from './params.ts'
import { patternsSchema } from './describe-answers.ts'
import { requiredSelectorParam, stepParam, timesParams } from './describe-params.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'

export function patternsEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/patterns',
    doc: 'Patterns of the lines that `query`, a selector, chooses, with their counts for each `step`; most lines first. Each can be used with `|>`.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [{ ...requiredSelectorParam, doc: 'A stream selector.' }, ...timesParams, stepParam],
    answer: jsonAnswer(patternsSchema),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      checkRange(times.startNs, times.endNs)
      const stepNs = parseStep(query, times)
      const selectors = [parseSelector((query.get('query') ?? '').trim(), { validate: true })]
      const patterns = await frontend.patterns({ tenant, selectors, ...times, stepNs }, signal)
      // Loki's answer of a server that does not look for patterns
      if (patterns === undefined) return { status: 404 }
      const data = patterns.map(({ pattern, level, samples }) => ({
        pattern,
        level,
        samples: samples.map(({ timeNs, lines }) => [Number(timeNs / 1_000_000_000n), lines]),
      }))
      return jsonReply(200, { status: 'success', data })
    },
  }
}

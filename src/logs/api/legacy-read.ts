/** The reading endpoints of Loki's first API, `/api/prom/…`: other paths and other JSON for the same questions. */
import { BadRequest } from '#/kernel/errors.ts'
import { quoteGo } from '#/kernel/go-quote.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { lokiStats } from './loki-stats.ts'
import { checkRange, parseDirection, parseInterval, parseLimit, parseStep, parseTimes } from './params.ts'
import { jsonBody } from './reply.ts'
import { selectorParam } from './selectors.ts'
import { seriesEndpoint } from './series.ts'
import { legacyLabelsSchema, legacyQuerySchema } from './describe-answers.ts'
import {
  directionParam,
  intervalParam,
  labelNameParam,
  limitParam,
  logQueryParam,
  selectorQueryParam,
  stepParam,
  timesParams,
} from './describe-params.ts'
import { jsonAnswer, type Parameter } from '#/platform/http/endpoint-docs.ts'

const legacyQueryParams: readonly Parameter[] = [
  logQueryParam,
  { name: 'regexp', in: 'query', type: 'string', doc: 'Only lines that match it.', default: 'all lines' },
  ...timesParams,
  limitParam,
  directionParam,
  stepParam,
  intervalParam,
]

export function legacyReadEndpoints(deps: ApiDeps): readonly Endpoint[] {
  const series = { ...seriesEndpoint(deps), path: '/api/prom/series' }
  return [legacyQueryEndpoint(deps), legacyLabelsEndpoint(deps), legacyLabelValuesEndpoint(deps), series]
}

function legacyQueryEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/api/prom/query',
    doc: 'Runs a log query over a range of time; labels come as text and times as RFC 3339. `regexp` is a filter on top.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: legacyQueryParams,
    answer: jsonAnswer(legacyQuerySchema),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      checkRange(times.startNs, times.endNs)
      const { data, stats } = await frontend.range(
        {
          tenant,
          query: logQuery(query),
          ...times,
          limit: parseLimit(query),
          direction: parseDirection(query),
          stepNs: parseStep(query, times),
          intervalNs: parseInterval(query),
        },
        signal,
      )
      const streams = data.kind === 'streams' ? data.streams : []
      const pieces = streams.map(({ labels, entries }, i) => {
        const lines = entries.map(({ timeNs, line }) => ({ ts: timeText(timeNs), line: line.toString() }))
        return Buffer.from(`${i === 0 ? '' : ','}${JSON.stringify({ labels: formatLabels(labels), entries: lines })}`)
      })
      const end = Buffer.from(`],"stats":${JSON.stringify(lokiStats(stats))}}`)
      return jsonBody([Buffer.from('{"streams":['), ...pieces, end])
    },
  }
}

function legacyLabelsEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/api/prom/label',
    doc: 'Names of stream labels in a range of time, as `values`.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [selectorQueryParam, ...timesParams],
    answer: jsonAnswer(legacyLabelsSchema),
    async handle({ query, tenant, signal }) {
      const times = parseTimes(query, clock.nowNs())
      const values = await frontend.labelNames({ tenant, selectors: selectorParam(query), ...times }, signal)
      return jsonReply(200, { values })
    },
  }
}

function legacyLabelValuesEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/api/prom/label/:name/values',
    doc: 'Values of one stream label in a range of time, as `values`.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [labelNameParam, selectorQueryParam, ...timesParams],
    answer: jsonAnswer(legacyLabelsSchema),
    async handle({ query, tenant, signal, pathParams }) {
      const times = parseTimes(query, clock.nowNs())
      const name = pathParams['name'] ?? ''
      const values = await frontend.labelValues(name, { tenant, selectors: selectorParam(query), ...times }, signal)
      return jsonReply(200, { values })
    },
  }
}

/** On a line of its own, as the query may end with a comment. */
function logQuery(query: URLSearchParams): string {
  const text = query.get('query') ?? ''
  if (parseExpr(text).kind !== 'log') throw new BadRequest('legacy endpoints only support streams result type')
  const regexp = query.get('regexp') ?? ''
  return regexp === '' ? text : `${text}\n|~ ${quoteGo(regexp)}`
}

function timeText(ns: bigint): string {
  return new Temporal.Instant(ns).toString()
}

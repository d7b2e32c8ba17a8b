/** `detected_fields` and `detected_field/…/values`: what the newest entries of a log query have besides their stream labels. */
import type { DetectedFieldsQuery } from '#/logs/wire/index-query.ts'
import { jsonReply, type Endpoint, type HttpRequest } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { checkRange, parseCount, parseStepLength, parseTimes } from './params.ts'
import { detectedFieldsSchema, detectedValuesSchema } from './describe-answers.ts'
import { labelNameParam, logQueryParam, stepParam, timesParams } from './describe-params.ts'
import { jsonAnswer, type Parameter } from '#/platform/http/endpoint-docs.ts'

const DEFAULT_LINES = 100
const DEFAULT_LIMIT = 1000

const fieldsParams: readonly Parameter[] = [
  logQueryParam,
  ...timesParams,
  {
    name: 'line_limit',
    in: 'query',
    type: 'integer',
    doc: 'How many entries are looked at, the newest.',
    default: `${DEFAULT_LINES}`,
  },
  ...['limit', 'field_limit'].map((name): Parameter => ({
    name,
    in: 'query',
    type: 'integer',
    doc: 'Most fields or values of the answer.',
    default: `${DEFAULT_LIMIT}`,
  })),
  { ...stepParam, doc: 'Checked, and without effect.' },
]
const fieldNameParam: Parameter = { ...labelNameParam, doc: 'Name of the field.', example: 'status' }

export function detectedFieldsEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/detected_fields',
    doc: 'Fields of the newest `line_limit` entries of a log query: structured metadata, and what JSON or logfmt finds in lines.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: fieldsParams,
    answer: jsonAnswer(detectedFieldsSchema),
    async handle(request) {
      const query = fieldsQuery(request, clock.nowNs())
      const found = await frontend.detectedFields(query, request.signal)
      const fields = found.map(({ label, type, cardinality, parsers, jsonPath }) => ({
        label,
        type,
        cardinality,
        parsers: parsers.length === 0 ? null : parsers,
        ...(jsonPath && { jsonPath }),
      }))
      return jsonReply(200, fields.length === 0 ? {} : { fields, limit: query.limit })
    },
  }
}

export function detectedFieldValuesEndpoint({ frontend, clock }: ApiDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/detected_field/:name/values',
    doc: 'Values of one of these fields; sizes are written in one way, such as 5.2MB.',
    tenant: 'required',
    access: 'read',
    isMultiTenant: true,
    body: 'form',
    params: [fieldNameParam, ...fieldsParams],
    answer: jsonAnswer(detectedValuesSchema),
    async handle(request) {
      const query = fieldsQuery(request, clock.nowNs())
      const name = request.pathParams['name'] ?? ''
      const values = await frontend.detectedFieldValues(name, query, request.signal)
      return jsonReply(200, values.length === 0 ? {} : { values, limit: query.limit })
    },
  }
}

function fieldsQuery({ query, tenant }: HttpRequest, nowNs: bigint): DetectedFieldsQuery {
  const times = parseTimes(query, nowNs)
  checkRange(times.startNs, times.endNs)
  // clients send a step, which means nothing here
  parseStepLength(query, times)
  const limitName = query.has('limit') ? 'limit' : 'field_limit'
  return {
    tenant,
    query: query.get('query') ?? '',
    ...times,
    lineLimit: parseCount(query, 'line_limit', DEFAULT_LINES),
    limit: parseCount(query, limitName, DEFAULT_LIMIT),
  }
}

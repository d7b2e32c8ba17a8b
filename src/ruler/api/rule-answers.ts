/** What the rules APIs answer, in the forms that clients of Loki and Prometheus know. */
import { type EddaError, errorStatus } from '#/kernel/errors.ts'
import { type HttpReply, jsonReply } from '#/platform/http/endpoint.ts'
import {
  type Answer,
  type JsonSchema,
  listSchema,
  numberSchema,
  objectSchema,
  textSchema,
} from '#/platform/http/endpoint-docs.ts'

export function success(status: number, data: unknown): HttpReply {
  return jsonReply(status, { status: 'success', data, errorType: '', error: '' })
}

/** Errors of the endpoints that are Prometheus'. */
export function prometheusError({ code, message }: EddaError): HttpReply {
  const { http } = errorStatus[code]
  const errorType = http < 500 ? 'bad_data' : 'server_error'
  return jsonReply(http, { status: 'error', data: null, errorType, error: message })
}

export function yamlReply(text: string): HttpReply {
  return { status: 200, headers: { 'content-type': 'application/yaml' }, body: text }
}

export const yamlAnswer: Answer = { status: 200, types: ['application/yaml'] }

const texts = { type: 'object', additionalProperties: textSchema }
const anything = { type: 'object' }

const answerSchema = (data: JsonSchema): JsonSchema =>
  objectSchema({ status: textSchema, data, errorType: textSchema, error: textSchema })

export const changedAnswer: Answer = {
  status: 202,
  types: ['application/json'],
  schema: answerSchema({ type: 'null' }),
}

const alertSchema = objectSchema({
  labels: texts,
  annotations: texts,
  state: textSchema,
  activeAt: textSchema,
  value: textSchema,
})

const groupSchema = objectSchema({
  name: textSchema,
  file: textSchema,
  rules: listSchema(anything),
  interval: numberSchema,
  limit: numberSchema,
  lastEvaluation: textSchema,
  evaluationTime: numberSchema,
})

export const rulesSchema = answerSchema(objectSchema({ groups: listSchema(groupSchema) }))
export const alertsSchema = answerSchema(objectSchema({ alerts: listSchema(alertSchema) }))

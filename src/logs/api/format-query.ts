import { BadRequest } from '#/kernel/errors.ts'
import { formatQuery } from '#/logs/logql/format/format-query.ts'
import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { successSchema } from './describe-answers.ts'
import { queryParam } from './describe-params.ts'
import { jsonAnswer, textSchema } from '#/platform/http/endpoint-docs.ts'

export function formatQueryEndpoint(): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/loki/api/v1/format_query',
    doc: 'Prints a LogQL query in its canonical form, broken into lines when it is long.',
    tenant: 'none',
    access: 'any',
    body: 'form',
    params: [queryParam],
    answer: jsonAnswer(successSchema(textSchema)),
    async handle({ query }) {
      try {
        return jsonReply(200, { status: 'success', data: formatQuery(query.get('query') ?? '') })
      } catch (error) {
        if (error instanceof BadRequest) return jsonReply(400, { status: 'invalid-query', error: error.message })
        throw error
      }
    },
  }
}

import { version } from '#/app/version.ts'
import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { jsonAnswer, textSchema } from '#/platform/http/endpoint-docs.ts'

export function buildinfoEndpoint(): Endpoint {
  return {
    methods: ['GET'],
    path: '/loki/api/v1/status/buildinfo',
    doc: 'Version of the server. `version` is the Loki API version that clients look for; `edda` is our own.',
    tenant: 'none',
    access: 'any',
    body: 'none',
    params: [],
    answer: jsonAnswer({ type: 'object', additionalProperties: textSchema, required: ['version'] }),
    async handle() {
      return jsonReply(200, version)
    },
  }
}

import { version } from '#/app/version.ts'
import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'

export function buildinfoEndpoint(): Endpoint {
  return {
    methods: ['GET'],
    path: '/loki/api/v1/status/buildinfo',
    doc: 'Version of the server. `version` is the Loki API version that clients look for; `edda` is our own.',
    tenant: 'none',
    body: 'none',
    async handle() {
      return jsonReply(200, version)
    },
  }
}

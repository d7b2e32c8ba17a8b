import { version } from '#/app/version.ts'
import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { jsonAnswer } from '#/platform/http/endpoint-docs.ts'
import { openApiDocument } from '#/platform/http/openapi.ts'

type OpenApiEndpointOptions = {
  readonly pathPrefix: string
  readonly needsCredentials: boolean
}

/** The table with this endpoint, which describes them all. */
export function withOpenApi(endpoints: readonly Endpoint[], options: OpenApiEndpointOptions): readonly Endpoint[] {
  const own: Endpoint = {
    methods: ['GET'],
    path: '/edda/api/v1/openapi.json',
    doc: 'This API as an OpenAPI 3.1 document.',
    tenant: 'none',
    access: 'any',
    body: 'none',
    params: [],
    answer: jsonAnswer({ type: 'object' }),
    async handle() {
      return jsonReply(200, document)
    },
  }
  const all = [...endpoints, own]
  const document = openApiDocument(all, {
    title: 'Edda',
    version: version.edda,
    description: 'A log database that speaks Grafana Loki. Errors are plain text; see docs/reference/api.md.',
    ...options,
  })
  return all
}

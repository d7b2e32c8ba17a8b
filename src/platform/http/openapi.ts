/** The OpenAPI 3.1 document of a table of endpoints. */
import { assert } from '#/kernel/assert.ts'
import type { Access } from './access.ts'
import { type Answer, type JsonSchema, type Parameter, textForms } from './endpoint-docs.ts'
import type { Endpoint, HttpMethod } from './endpoint.ts'
import { routeName } from './request-metrics.ts'

export type OpenApiOptions = {
  readonly title: string
  readonly version: string
  readonly description: string
  /** Before every route. */
  readonly pathPrefix: string
  /** Callers must say who they are. */
  readonly needsCredentials: boolean
}

type Json = Readonly<Record<string, unknown>>

const tenantParameter = { $ref: '#/components/parameters/tenant' }

export function openApiDocument(endpoints: readonly Endpoint[], options: OpenApiOptions): Json {
  const { title, version, description, pathPrefix, needsCredentials } = options
  const byPath = Map.groupBy(endpoints, ({ path }) => path)
  const paths = [...byPath].map(([path, group]) => [templateOf(path), pathItem(group)])
  const prefix = pathPrefix.replace(/\/+$/, '')
  const known = [{ basic: [] }, { bearer: [] }]
  return {
    openapi: '3.1.0',
    info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: prefix === '' ? '/' : prefix }],
    security: needsCredentials ? known : [{}, ...known],
    tags: areas.map(({ name, doc }) => ({ name, description: doc })),
    paths: Object.fromEntries(paths),
    components: components(),
  }
}

function pathItem(group: readonly Endpoint[]): Json {
  const operations = group.flatMap((endpoint) =>
    endpoint.methods.map((method) => [method.toLowerCase(), operation(endpoint, method)] as const),
  )
  return Object.fromEntries(operations)
}

function operation(endpoint: Endpoint, method: HttpMethod): Json {
  const { path, doc, tenant, access, params } = endpoint
  // what a form may hold may stand in the URL as well
  const parameters = [
    ...(tenant === 'required' ? [tenantParameter] : []),
    ...params.map((one) => parameterObject(one, method === 'POST' && endpoint.body === 'form')),
  ]
  const body = requestBody(endpoint, method)
  return {
    operationId: `${method.toLowerCase()}_${routeName(path).replaceAll(/[^a-z0-9]/gi, '_')}`.toLowerCase(),
    summary: firstSentence(doc),
    description: doc,
    tags: [areaOf(path).name],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responses(endpoint, method),
    'x-edda-access': access satisfies Access,
  }
}

function parameterObject(parameter: Parameter, isInForm: boolean): Json {
  const { name, in: place, isRequired, example } = parameter
  return {
    name,
    in: place,
    description: describe(parameter),
    ...(place === 'path' || (isRequired === true && !isInForm) ? { required: true } : {}),
    schema: schemaOf(parameter),
    ...(example === undefined ? {} : { example }),
    ...(parameter.isRepeated === true ? { style: 'form', explode: true } : {}),
  }
}

function schemaOf({ type, choices, isRepeated }: Parameter): JsonSchema {
  const one = {
    type: textForms[type] === undefined ? type : 'string',
    ...(choices === undefined ? {} : { enum: choices }),
  }
  return isRepeated === true ? { type: 'array', items: one } : one
}

/** The text, the form of the value, and what holds without it. */
function describe({ doc, type, default: byDefault }: Parameter): string {
  const parts = [doc, textForms[type], byDefault === undefined ? undefined : `Default: ${byDefault}.`]
  return parts.filter((part) => part !== undefined).join(' ')
}

function requestBody({ body, params, consumes }: Endpoint, method: HttpMethod): Json | undefined {
  if (method === 'GET' || body === 'none') return undefined
  if (body === 'raw') {
    assert(consumes !== undefined, 'an endpoint with a raw body says which media types it takes')
    const content = consumes.map((type) => [type, { schema: type === 'application/json' ? { type: 'object' } : {} }])
    return { required: true, content: Object.fromEntries(content) }
  }
  const fields = params.filter(({ in: place }) => place === 'query')
  if (fields.length === 0) return undefined
  const properties = fields.map((one) => [one.name, { ...schemaOf(one), description: describe(one) }])
  const schema = { type: 'object', properties: Object.fromEntries(properties) }
  return { content: { 'application/x-www-form-urlencoded': { schema } } }
}

function responses({ answer, tenant, access, body, upgrade }: Endpoint, method: HttpMethod): Json {
  const refusals = ['400', '401', '403', ...(body === 'none' ? [] : ['413']), ...(tenant === 'required' ? ['429'] : [])]
  const failures = access === 'any' ? ['500'] : ['500', '503', '504']
  return {
    ...(upgrade !== undefined && method === 'GET' ? { '101': { description: 'A WebSocket.' } } : {}),
    [answer.status]: answerObject(answer),
    ...Object.fromEntries(
      [...refusals, ...failures].map((status) => [status, { $ref: '#/components/responses/error' }]),
    ),
  }
}

function answerObject({ types, schema }: Answer): Json {
  if (types.length === 0) return { description: 'Done.' }
  const content = types.map((type) => [
    type,
    { schema: type === 'application/json' ? (schema ?? {}) : { type: 'string' } },
  ])
  return { description: 'The answer.', content: Object.fromEntries(content) }
}

function components(): Json {
  return {
    parameters: {
      tenant: {
        name: 'X-Scope-OrgID',
        in: 'header',
        description:
          'The tenant; several, `a|b`, where they may be read together. Not needed while `auth_enabled` is off, or with credentials of one tenant.',
        schema: { type: 'string' },
        example: 'acme',
      },
    },
    responses: {
      error: {
        description: 'Why not, as text. 401 names the ways to say who one is; 429 and 503 say when to come again.',
        headers: {
          'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } },
          'WWW-Authenticate': { schema: { type: 'string' } },
        },
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
    },
    securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer' } },
  }
}

/** `/label/:name/values` → `/label/{name}/values` */
function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}')
}

function firstSentence(text: string): string {
  return /^.*?[.:;](?=\s|$)/s.exec(text)?.[0].slice(0, -1) ?? text
}

type Area = { readonly name: string; readonly doc: string; readonly paths: RegExp }

/** What belongs together, in the order of the reference. */
export const areas: readonly Area[] = [
  { name: 'Push', doc: 'Taking logs in.', paths: /^\/(loki\/api\/v1\/push|api\/prom\/push|otlp\/)/ },
  {
    name: 'Rules',
    doc: 'Alerting and recording rules, and the alerts.',
    paths: /^\/(loki\/api\/v1\/rules|prometheus\/)/,
  },
  { name: 'Loki', doc: 'Reading, as clients of Loki do.', paths: /^\/(loki\/|config\/tenant\/)/ },
  { name: 'Loki, first API', doc: 'The paths of old clients.', paths: /^\/api\/prom\// },
  { name: 'Edda', doc: 'What only Edda has.', paths: /^\/edda\// },
  { name: 'Debugging', doc: 'Profiles and snapshots of the process.', paths: /^\/debug\// },
  { name: 'Cluster', doc: 'Pages of members.', paths: /(^|[/-])(ring|memberlist)$/ },
  { name: 'Operation', doc: 'State and control of the process.', paths: /^/ },
]

export function areaOf(path: string): Area {
  const area = areas.find(({ paths }) => paths.test(path))
  assert(area !== undefined, `path ${path} has an area`)
  return area
}

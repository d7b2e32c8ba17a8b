/** What an OpenAPI 3.1 document must look like, after the schema of the specification; stricter where ours are: no leftovers. */
import type { Schema } from './json-schema.ts'

const text: Schema = { type: 'string', minLength: 1 }
const extensions = { '^x-': {} }

function object(properties: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema {
  return { type: 'object', properties, patternProperties: extensions, additionalProperties: false, required }
}
const mapOf = (schema: Schema): Schema => ({ type: 'object', additionalProperties: schema })
const listOf = (schema: Schema): Schema => ({ type: 'array', items: schema })
const named = (name: string): Schema => ({ $ref: `#/$defs/${name}` })
const orReference = (schema: Schema): Schema => ({
  oneOf: [object({ $ref: { type: 'string', pattern: '^#/components/' } }, '$ref'), schema],
})
const jsonSchema: Schema = { type: ['object', 'boolean'] }
const mediaTypes: Schema = {
  type: 'object',
  patternProperties: { '^[a-z]+/[a-z0-9.+-]+$': object({ schema: jsonSchema, example: {} }) },
  additionalProperties: false,
  minProperties: 1,
}
const header: Schema = object({ description: text, required: { type: 'boolean' }, schema: jsonSchema }, 'schema')
const parameter: Schema = object(
  {
    name: text,
    in: { enum: ['query', 'header', 'path', 'cookie'] },
    description: text,
    required: { type: 'boolean' },
    schema: jsonSchema,
    example: {},
    style: { enum: ['form', 'simple'] },
    explode: { type: 'boolean' },
  },
  'name',
  'in',
  'schema',
)
const response: Schema = object({ description: text, headers: mapOf(header), content: mediaTypes }, 'description')
const securityRequirements = listOf(mapOf(listOf(text)))
const operation: Schema = object(
  {
    tags: listOf(text),
    summary: text,
    description: text,
    operationId: { type: 'string', pattern: '^[a-z0-9_]+$' },
    parameters: { ...(listOf(orReference(parameter)) as object), uniqueItems: true },
    requestBody: object({ description: text, content: mediaTypes, required: { type: 'boolean' } }, 'content'),
    responses: {
      type: 'object',
      patternProperties: { '^[1-5][0-9][0-9]$': orReference(response) },
      additionalProperties: false,
      minProperties: 1,
    },
    security: securityRequirements,
    deprecated: { type: 'boolean' },
  },
  'operationId',
  'responses',
)
const pathItem: Schema = object(
  Object.fromEntries(['get', 'put', 'post', 'delete'].map((method) => [method, named('operation')])),
)

export const openApiSchema: Schema = {
  $defs: { operation },
  ...(object(
    {
      openapi: { type: 'string', pattern: '^3\\.1\\.\\d+$' },
      info: object(
        {
          title: text,
          version: text,
          description: text,
          license: object({ name: text, identifier: text }, 'name'),
        },
        'title',
        'version',
      ),
      servers: listOf(object({ url: text, description: text }, 'url')),
      security: securityRequirements,
      tags: listOf(object({ name: text, description: text }, 'name')),
      paths: {
        type: 'object',
        patternProperties: { '^/': pathItem },
        additionalProperties: false,
      },
      components: object({
        parameters: mapOf(parameter),
        responses: mapOf(response),
        schemas: mapOf(jsonSchema),
        securitySchemes: mapOf(object({ type: { const: 'http' }, scheme: text, description: text }, 'type', 'scheme')),
      }),
    },
    'openapi',
    'info',
    'paths',
  ) as object),
}

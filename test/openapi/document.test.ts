/** The OpenAPI document: well-formed, complete, and true about the parameters that endpoints read. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { endpointTable } from '#/app/endpoints/table.ts'
import type { Endpoint, HttpMethod } from '#/platform/http/endpoint.ts'
import { openApiDocument } from '#/platform/http/openapi.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { resolvePointer, schemaErrors } from './json-schema.ts'
import { openApiSchema } from './openapi-schema.ts'

type Parameter = { readonly name: string; readonly in: string; readonly required?: boolean; readonly $ref?: string }
type Operation = {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly responses: Readonly<Record<string, unknown>>
}
type Document = {
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly security: readonly Readonly<Record<string, unknown>>[]
  readonly servers: readonly { readonly url: string }[]
}

const table = endpointTable(realWorld())
const options = { title: 'Edda', version: '1.2.3', description: 'Logs.', pathPrefix: '', needsCredentials: false }
const document = openApiDocument(table, options) as Document
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
)

describe('the OpenAPI document', () => {
  it('is one', () => {
    assert.deepEqual(schemaErrors(document, openApiSchema), [])
    assert.deepEqual(schemaErrors(JSON.parse(JSON.stringify(document)), openApiSchema), [])
  })

  it('holds every endpoint with every method, and names each once', () => {
    for (const { path, methods } of table) {
      const item = document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]
      for (const method of methods) assert.ok(item?.[method.toLowerCase()], `${method} ${path}`)
    }
    const ids = operations.map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
    assert.equal(operations.length, table.flatMap(({ methods }) => methods).length)
    assert.ok(document.paths['/edda/api/v1/openapi.json'])
  })

  it('describes the parameters of paths, and none twice', () => {
    for (const { path, operation } of operations) {
      const parameters = (operation.parameters ?? []).map((one) =>
        one.$ref === undefined ? one : (resolvePointer(document, one.$ref) as Parameter),
      )
      const inPath = parameters.filter((one) => one.in === 'path')
      assert.deepEqual(
        inPath.map(({ name }) => `{${name}}`),
        path.match(/\{\w+\}/g) ?? [],
        path,
      )
      assert.ok(inPath.every(({ required }) => required === true))
      const keys = parameters.map((one) => `${one.in} ${one.name.toLowerCase()}`)
      assert.equal(new Set(keys).size, keys.length, path)
      const ignored = parameters.filter(({ name }) => /^(accept|content-type|authorization)$/i.test(name))
      assert.deepEqual(ignored, [], 'OpenAPI passes over these')
    }
  })

  it('refers to what is there', () => {
    const references: string[] = []
    JSON.stringify(document, (key, value: unknown) => {
      if (key === '$ref') references.push(String(value))
      return value
    })
    assert.ok(references.length > 0)
    for (const reference of references) assert.ok(resolvePointer(document, reference), reference)
    const tags = new Set(document.tags.map(({ name }) => name))
    for (const { operation } of operations) assert.ok(operation.tags.every((tag) => tags.has(tag)))
    assert.deepEqual(
      [...tags].toSorted(),
      [...new Set(operations.flatMap(({ operation }) => operation.tags))].toSorted(),
    )
  })

  it('says whether credentials are needed, and where the paths begin', () => {
    assert.deepEqual(document.security[0], {})
    assert.deepEqual(document.servers, [{ url: '/' }])
    const other = openApiDocument(table, { ...options, pathPrefix: '/logs/', needsCredentials: true }) as Document
    assert.ok(other.security.every((one) => Object.keys(one).length === 1))
    assert.deepEqual(other.servers, [{ url: '/logs' }])
  })

  it('would be refused with a mistake in it', () => {
    const broken = structuredClone(document) as unknown as { paths: Record<string, unknown> }
    broken.paths['/x'] = { get: { operationId: 'get x', responses: {} } }
    const errors = schemaErrors(broken, openApiSchema)
    assert.ok(
      errors.some((error) => error.startsWith('$.paths./x.get')),
      errors.join(),
    )
  })
})

/** Notes which parameters are asked for. */
class Watched extends URLSearchParams {
  readonly asked = new Set<string>()
  override get(name: string): string | null {
    this.asked.add(name)
    return super.get(name)
  }
  override getAll(name: string): string[] {
    this.asked.add(name)
    return super.getAll(name)
  }
  override has(name: string): boolean {
    this.asked.add(name)
    return super.has(name)
  }
}

/** Values that lead an endpoint to its other parameters. Nothing is behind: each ends before it does anything. */
const journeys: readonly Readonly<Record<string, string>>[] = [
  {},
  { query: '{a="b"}', 'match[]': '{a="b"}', targetBytesPerShard: '1MB' },
  { query: 'rate({a="b"}[1m])', time: '1' },
  { query: '{a="b"}', limit: '5', cursor: '', mode: 'diff', seconds: '1000' },
]

async function asked(endpoint: Endpoint, method: HttpMethod): Promise<Set<string>> {
  const names = new Set<string>()
  for (const journey of journeys) {
    for (const accept of ['application/json', 'application/x-ndjson']) {
      const query = new Watched(journey)
      const path = endpoint.path
      const request = {
        method,
        path,
        pathParams: { name: 'a' },
        query,
        headers: { accept, host: 'localhost' },
        body: Buffer.alloc(0),
        tenant: 'a',
        signal: AbortSignal.abort(),
        remoteAddress: '',
      }
      await endpoint.handle(request).catch(() => undefined)
      for (const name of query.asked) names.add(name)
    }
  }
  return names
}

/** Behind something that is closed here, or without effect in one process. */
const unseen = (path: string): boolean => /^\/(ingester\/shutdown|debug\/profile)$|ring$/.test(path)
/** Only to be refused. */
const refused: Readonly<Record<string, readonly string[]>> = { '/loki/api/v1/query': ['cursor'] }

describe('the parameters of an endpoint', () => {
  for (const endpoint of table) {
    it(endpoint.path, async () => {
      const read = new Set<string>()
      for (const method of endpoint.methods) for (const name of await asked(endpoint, method)) read.add(name)
      const declared = endpoint.params.filter((one) => one.in === 'query').map(({ name }) => name)
      const { path } = endpoint
      const allowed = [...declared, ...(refused[path] ?? [])]
      assert.deepEqual(
        [...read].filter((name) => !allowed.includes(name)),
        [],
        'read, and not declared',
      )
      const unread = unseen(path) ? [] : declared.filter((name) => !read.has(name))
      assert.deepEqual(unread, [], 'declared, and not read')
    })
  }
})

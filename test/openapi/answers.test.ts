/** Answers of a real process are what its OpenAPI document says of them. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { type EddaProcess, get, startEdda } from '../process/edda-process.ts'
import { type Schema, schemaErrors } from './json-schema.ts'
import { openApiSchema } from './openapi-schema.ts'

type Operation = {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}
type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }

/** What each path that answers JSON is asked, at least one question with an answer that is not empty. */
const questions: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>> = {
  '/loki/api/v1/query_range': [
    { query: '{app="shop"}' },
    { query: '{app="shop"} | json' },
    { query: '{app="none"}' },
    { query: '{app="shop"}', cursor: '', limit: '1' },
    { query: 'rate({app="shop"}[5m])' },
  ],
  '/loki/api/v1/query': [{ query: 'count_over_time({app="shop"}[1h])' }, { query: '1+1' }, { query: 'vector(1)' }],
  '/loki/api/v1/labels': [{}, { query: '{app="none"}' }],
  '/loki/api/v1/label': [{}],
  '/loki/api/v1/label/{name}/values': [{}, { query: '{app="none"}' }],
  '/loki/api/v1/series': [{ 'match[]': '{app="shop"}' }, { 'match[]': '{app="none"}' }],
  '/loki/api/v1/index/stats': [{ query: '{app="shop"}' }, { query: '{app="none"}' }],
  '/loki/api/v1/index/volume': [{ query: '{app="shop"}' }, { query: '{app="none"}' }],
  '/loki/api/v1/index/volume_range': [{ query: '{app="shop"}', step: '60' }],
  '/loki/api/v1/index/shards': [{ query: '{app="shop"}', targetBytesPerShard: '1MB' }],
  '/loki/api/v1/detected_labels': [{}, { query: '{app="none"}' }],
  '/loki/api/v1/detected_fields': [{ query: '{app="shop"}' }, { query: '{app="none"}' }],
  '/loki/api/v1/detected_field/{name}/values': [{ query: '{app="shop"}' }, { query: '{app="none"}' }],
  '/loki/api/v1/patterns': [{ query: '{app="shop"}' }],
  '/api/prom/query': [{ query: '{app="shop"}' }, { query: '{app="none"}' }],
  '/api/prom/label': [{}],
  '/api/prom/label/{name}/values': [{}, { query: '{app="none"}' }],
  '/api/prom/series': [{ 'match[]': '{app="shop"}' }],
  '/loki/api/v1/format_query': [{ query: '{app="shop"}' }],
  '/edda/api/v1/explain': [{ query: '{app="shop"}' }],
  '/debug/profile': [{ seconds: '1' }],
}

describe('answers', () => {
  let dir: string
  let edda: EddaProcess
  let document: Document

  const push = async (second: number): Promise<void> => {
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const lines = Array.from({ length: 20 }, (_, index) => [
      String(nowNs - BigInt(second + index) * 1_000_000_000n),
      JSON.stringify({ level: 'info', status: 200 + index, nested: { took: `${index}ms`, size: '5KB' }, ok: true }),
      { trace_id: `trace-${index}` },
    ])
    const body = JSON.stringify({ streams: [{ stream: { app: 'shop', pod: `p-${second}` }, values: lines }] })
    const headers = { 'content-type': 'application/json' }
    const { status } = await fetch(`${edda.url}/loki/api/v1/push`, { method: 'POST', body, headers })
    assert.equal(status, 204)
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-answers-'))
    edda = await startEdda({ dataDir: dir })
    await push(100)
    assert.equal((await fetch(`${edda.url}/flush`, { method: 'POST' })).status, 204)
    await push(1)
    document = JSON.parse(await get(edda.url, '/edda/api/v1/openapi.json')) as Document
  })
  after(async () => {
    await edda?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  test('the document that is served is one', () => {
    assert.deepEqual(schemaErrors(document, openApiSchema), [])
  })

  test('every answer fits its schema', async () => {
    let checked = 0
    for (const [path, { get: operation }] of Object.entries(document.paths)) {
      const json = operation?.responses['200']?.content?.['application/json']
      if (json === undefined) continue
      for (const question of questions[path] ?? [{}]) {
        const url = `${edda.url}${path.replace('{name}', path.includes('field') ? 'status' : 'app')}`
        const response = await fetch(`${url}?${new URLSearchParams(question).toString()}`, {
          headers: { accept: 'application/json' },
        })
        const text = await response.text()
        // no patterns, no memory for a snapshot: then there is nothing to check
        if (response.status === 404 || response.status === 503) continue
        assert.equal(response.status, 200, `${path}: ${text}`)
        assert.match(response.headers.get('content-type') ?? '', /^application\/json/, path)
        assert.deepEqual(schemaErrors(JSON.parse(text), json.schema), [], `${path} ${JSON.stringify(question)}`)
        checked++
      }
    }
    assert.ok(checked > 40, `${checked} answers`)
  })

  test('nothing is asked of a path that is not there', () => {
    const unknown = Object.keys(questions).filter((path) => document.paths[path] === undefined)
    assert.deepEqual(unknown, [])
  })

  test('other media types are what is declared', async () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ['/loki/api/v1/query_range?query={app="shop"}', 'application/x-ndjson', 'application/x-ndjson'],
      ['/edda/api/v1/explain?query={app="shop"}', 'text/plain', 'text/plain'],
      ['/ring', 'text/html', 'text/html'],
      ['/services', '*/*', 'text/plain'],
      ['/metrics', '*/*', 'text/plain'],
    ]
    for (const [path, accept, type] of cases) {
      const response = await fetch(edda.url + path, { headers: { accept } })
      await response.text()
      assert.ok(response.headers.get('content-type')?.startsWith(type), path)
      const declared = document.paths[path.replace(/\?.*/, '')]?.['get']?.responses['200']?.content ?? {}
      assert.ok(Object.hasOwn(declared, type), `${path} declares ${type}`)
    }
  })
})

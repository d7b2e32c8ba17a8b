/** Vector's `loki` sink: its health check, and its pushes in protobuf and JSON, plain and compressed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'

import { encodePush } from '#/logs/wire/encode-push.ts'
import { CompatServer } from './compat-server.ts'
import { nowNs, speak } from './speak.ts'

describe('Vector', () => {
  let server: CompatServer
  before(async () => {
    server = await CompatServer.start('vector')
  })
  after(() => server?.[Symbol.asyncDispose]())

  test('its health check finds a server that is ready, without a tenant', async () => {
    const { status, text } = await speak(server.url, { path: '/ready', headers: { 'User-Agent': 'Vector/0.45.0' } })
    assert.deepEqual([status, text.trim()], [200, 'ready'])
  })

  test('protobuf by default: a snappy block that no header names', async () => {
    const timeNs = nowNs()
    const metadata: [string, string][] = [['trace_id', 'abc']]
    const body = encodePush([{ labels: '{agent="vector",host="h"}', entries: [{ timeNs, line: '{"a":1}', metadata }] }])
    const headers = {
      'content-type': 'application/x-protobuf',
      'x-scope-orgid': 'acme',
      'user-agent': 'Vector/0.45.0',
      'accept-encoding': 'identity',
    }
    const { status, text } = await speak(server.url, { method: 'POST', path: '/loki/api/v1/push', headers, body })
    assert.deepEqual([status, text], [204, ''])
    const [row] = await server.rows('{agent="vector"}')
    assert.deepEqual([row?.line, row?.ns, row?.metadata['trace_id']], ['{"a":1}', timeNs, 'abc'])
  })

  for (const [encoding, compress] of Object.entries({ gzip: gzipSync, deflate: deflateRawSync, none: undefined })) {
    test(`JSON, ${encoding}`, async () => {
      const text = JSON.stringify({
        streams: [
          {
            stream: { agent: `vector-${encoding}`, empty: '' },
            values: [
              [String(nowNs()), 'line ☃'],
              [String(nowNs() + 1n), 'with metadata', { user: 'x' }],
            ],
          },
        ],
      })
      const headers = {
        'content-type': 'application/json',
        ...(compress === undefined ? {} : { 'content-encoding': encoding }),
        'x-scope-orgid': 'acme',
      }
      const body = compress === undefined ? text : compress(text)
      const heard = await speak(server.url, { method: 'POST', path: '/loki/api/v1/push', headers, body })
      assert.deepEqual([heard.status, heard.text], [204, ''])
      const rows = await server.rows(`{agent="vector-${encoding}"}`)
      assert.deepEqual(
        rows.map(({ line, metadata }) => [line, metadata['user']]),
        [
          ['line ☃', undefined],
          ['with metadata', 'x'],
        ],
      )
    })
  }

  test('a sink with a template makes thousands of streams', async () => {
    const timeNs = nowNs()
    const streams = Array.from({ length: 4000 }, (_, i) => ({
      labels: `{agent="vector-many",key="${i}"}`,
      entries: [{ timeNs, line: `${i}` }],
    }))
    const headers = { 'content-type': 'application/x-protobuf', 'x-scope-orgid': 'acme' }
    const body = encodePush(streams)
    assert.equal((await speak(server.url, { method: 'POST', path: '/loki/api/v1/push', headers, body })).status, 204)
    assert.equal((await server.rows('{agent="vector-many"}')).length, 4000)
  })
})

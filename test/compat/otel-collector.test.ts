/** The OpenTelemetry collector's `otlphttp` exporter, in its own bytes and headers, and what it does with each answer. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { CompatServer } from './compat-server.ts'
import { logsMessage } from './otlp-message.ts'
import { type Heard, nowNs, speak } from './speak.ts'

describe('the OpenTelemetry collector', () => {
  let server: CompatServer
  before(async () => {
    server = await CompatServer.start('collector', [
      '-limits-config.ingestion-rate-mb=1',
      '-limits-config.ingestion-burst-size-mb=1',
    ])
  })
  after(() => server?.[Symbol.asyncDispose]())

  const send = (body: Uint8Array | string, headers: Record<string, string> = {}): Promise<Heard> =>
    speak(server.url, {
      method: 'POST',
      path: '/otlp/v1/logs',
      headers: {
        'Content-Type': 'application/x-protobuf',
        'User-Agent': 'OpenTelemetry Collector Contrib/0.120.0 (linux/amd64)',
        'X-Scope-OrgID': 'acme',
        'Accept-Encoding': 'gzip',
        ...headers,
      },
      body,
    })

  test('gzip and protobuf, its default', async () => {
    const timeNs = nowNs()
    const heard = await send(gzipSync(logsMessage('cart', [{ line: 'hello', timeNs }])), { 'Content-Encoding': 'gzip' })
    assert.deepEqual([heard.status, heard.text], [204, ''])
    const [row] = await server.rows('{service_name="cart"}')
    assert.deepEqual(row, {
      labels: { service_name: 'cart' },
      ns: timeNs,
      line: 'hello',
      metadata: {
        detected_level: 'warn',
        http_route: '/a',
        observed_timestamp: String(timeNs + 5n),
        os_type: 'linux',
        scope_name: 'lib',
        severity_number: '13',
        severity_text: 'Warn',
        span_id: 'b7ad6b7169203331',
        trace_id: '0af7651916cd43dd8448eb211c80319c',
      },
    })
  })

  test('JSON: numbers as text or not, ids in hex', async () => {
    const timeNs = nowNs()
    const body = {
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'json' } }] },
          scopeLogs: [
            {
              logRecords: [
                {
                  timeUnixNano: String(timeNs),
                  severityNumber: 9,
                  body: { stringValue: 'from json' },
                  attributes: [
                    { key: 'n', value: { intValue: '42' } },
                    { key: 'm', value: { intValue: 43 } },
                  ],
                  traceId: '0af7651916cd43dd8448eb211c80319c',
                },
              ],
            },
          ],
        },
      ],
    }
    assert.equal((await send(JSON.stringify(body), { 'Content-Type': 'application/json' })).status, 204)
    const [row] = await server.rows('{service_name="json"}')
    assert.equal(row?.line, 'from json')
    const { n, m, trace_id: traceId, detected_level: level } = row.metadata
    assert.deepEqual([n, m, traceId, level], ['42', '43', '0af7651916cd43dd8448eb211c80319c', 'info'])
  })

  test('refusals: permanent ones with a Status to read, others to be repeated', async () => {
    const bad = await send('not protobuf')
    assert.equal(bad.status, 400)
    // google.rpc.Status{2 message}
    assert.equal(bad.text.charCodeAt(0), 0x12)
    assert.match(bad.text, /protobuf/)
    const line = 'x'.repeat(200_000)
    const records = Array.from({ length: 5 }, (_, i) => ({ line, timeNs: nowNs() + BigInt(i) }))
    const many = logsMessage('fast', records)
    const limited = [await send(many, { 'X-Scope-OrgID': 'fast' }), await send(many, { 'X-Scope-OrgID': 'fast' })]
    assert.deepEqual(
      limited.map(({ status }) => status),
      [204, 429],
    )
    assert.match(limited[1]!.text, /ingestion rate limit exceeded for user fast/)
    assert.equal((await send(logsMessage('x', [{ line: 'y', timeNs: nowNs() }]), { 'X-Scope-OrgID': '' })).status, 401)
  })
})

/** OTLP over gRPC, in the bytes of a collector: each answer, and what a collector does with it. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'

import { field } from '#/platform/grpc/protobuf-fields.ts'
import { CompatServer } from './compat-server.ts'
import { logsMessage } from './otlp-message.ts'
import { nowNs, speak } from './speak.ts'

type Answer = { readonly code: number; readonly details: string; readonly bytes: Buffer; readonly mayRetry: boolean }

const exportPath = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'

describe('OTLP over gRPC', () => {
  let server: CompatServer
  let client: Client
  before(async () => {
    server = await CompatServer.start('otlp-grpc', [
      '-limits-config.ingestion-rate-mb=1',
      '-limits-config.ingestion-burst-size-mb=1',
      '-limits-config.max-line-size=1KB',
      '-server.grpc-server-max-recv-msg-size=2MB',
    ])
    client = new Client(`127.0.0.1:${server.grpcPort}`, credentials.createInsecure())
  })
  after(async () => {
    client?.close()
    await server?.[Symbol.asyncDispose]()
  })

  const send = (message: Buffer, { path = exportPath, tenant = 'acme' } = {}): Promise<Answer> => {
    const metadata = new Metadata()
    if (tenant !== '') metadata.set('x-scope-orgid', tenant)
    const same = (bytes: Buffer): Buffer => bytes
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, same, same, message, metadata, (error: ServiceError | null, bytes?: Buffer) =>
        resolve({
          code: error?.code ?? status.OK,
          details: error?.details ?? '',
          bytes: bytes ?? Buffer.alloc(0),
          mayRetry: (error?.metadata.get('grpc-status-details-bin').length ?? 0) > 0,
        }),
      )
    })
  }

  test('stores a message; one without records is a success too', async () => {
    const timeNs = nowNs()
    const stored = await send(logsMessage('cart', [{ line: 'hello', timeNs }]))
    assert.deepEqual([stored.code, stored.bytes.length], [status.OK, 0])
    const [row] = await server.rows('{service_name="cart"}')
    assert.deepEqual([row?.line, row?.ns, row?.metadata['severity_text']], ['hello', timeNs, 'Warn'])
    assert.equal((await send(Buffer.alloc(0))).code, status.OK)
    assert.equal((await send(field(1, Buffer.alloc(0)))).code, status.OK)
  })

  test('is a partial success when some records are refused, and an error when all are', async () => {
    const good = { line: 'short', timeNs: nowNs() }
    const bad = { line: 'x'.repeat(2000), timeNs: nowNs() }
    const partly = await send(logsMessage('part', [good, bad, bad]))
    assert.equal(partly.code, status.OK)
    // partial_success{1 rejected_log_records, 2 error_message}
    assert.deepEqual(
      [partly.bytes[0], partly.bytes.readUInt16BE(partly.bytes.indexOf(Buffer.from([8, 2])))],
      [0x0a, 0x0802],
    )
    assert.match(partly.bytes.toString(), /max entry size '1024' bytes exceeded for stream '\{service_name="part"/)
    assert.deepEqual(
      (await server.rows('{service_name="part"}')).map(({ line }) => line),
      ['short'],
    )
    const wholly = await send(logsMessage('part', [bad]))
    assert.deepEqual([wholly.code, wholly.mayRetry], [status.INVALID_ARGUMENT, false])
    assert.match(wholly.details, /max entry size/)
  })

  test('says which refusals pass: a rate does, bad bytes and a message that is too large do not', async () => {
    const lines = Array.from({ length: 600 }, (_, i) => ({ line: 'x'.repeat(1000), timeNs: nowNs() + BigInt(i) }))
    assert.equal((await send(logsMessage('fast', lines), { tenant: 'fast' })).code, status.OK)
    const limited = await send(logsMessage('fast', lines), { tenant: 'fast' })
    assert.deepEqual([limited.code, limited.mayRetry], [status.RESOURCE_EXHAUSTED, true])
    assert.match(limited.details, /^ingestion rate limit exceeded for user fast/)
    const garbage = await send(Buffer.from('not protobuf'))
    assert.deepEqual([garbage.code, garbage.mayRetry], [status.INVALID_ARGUMENT, false])
    const large = await send(Buffer.alloc(2 * 1024 * 1024 + 1))
    assert.deepEqual([large.code, large.mayRetry], [status.RESOURCE_EXHAUSTED, false])
    const nobody = await send(logsMessage('x', lines), { tenant: '' })
    assert.deepEqual([nobody.code, nobody.details], [status.UNAUTHENTICATED, 'no org id'])
    assert.equal(
      (await send(Buffer.alloc(0), { path: exportPath.replace('logs', 'traces') })).code,
      status.UNIMPLEMENTED,
    )
  })

  test('answers the health check, counts and logs, and stops in order', async () => {
    const health = { path: '/grpc.health.v1.Health/Check', tenant: '' }
    assert.deepEqual([...(await send(Buffer.alloc(0), health)).bytes], [8, 1])
    const { text } = await speak(server.url, { path: '/metrics' })
    const labels = `method="gRPC",route="${exportPath}",status_code="success",ws="false"`
    assert.ok(text.includes(`loki_request_duration_seconds_count{${labels}}`))
    assert.ok(text.includes(`loki_inflight_requests{method="gRPC",route="${exportPath}"} 0`))
    assert.ok(server.log.some((line) => line.includes('msg=call') && line.includes('status=INVALID_ARGUMENT')))
    const startMs = Date.now()
    await server.stop()
    assert.ok(Date.now() - startMs < 25_000, server.log.slice(-8).join('\n'))
    assert.equal((await send(Buffer.alloc(0))).code, status.UNAVAILABLE)
  })
})

/** The exporters of OpenTelemetry's SDK for Node, over HTTP with JSON and with protobuf, and over gRPC, into a real process. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { credentials, Metadata, status } from '@grpc/grpc-js'
import { SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter as GrpcExporter } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, type LogRecordExporter, LoggerProvider } from '@opentelemetry/sdk-logs'

import { untilTrue } from '../process/until.ts'
import { CompatServer } from './compat-server.ts'

type Compression = 'none' | 'gzip'
type NewExporter = (server: CompatServer, compression: Compression) => LogRecordExporter

const headers = { 'X-Scope-OrgID': 'acme' }

function tenantMetadata(): Metadata {
  const metadata = new Metadata()
  metadata.set('x-scope-orgid', 'acme')
  return metadata
}

const exporters: Readonly<Record<string, NewExporter>> = {
  'http/json': ({ url }, compression) =>
    new JsonExporter({ url: `${url}/otlp/v1/logs`, headers, compression: compression as never }),
  'http/protobuf': ({ url }, compression) =>
    new ProtobufExporter({ url: `${url}/otlp/v1/logs`, headers, compression: compression as never }),
  grpc: ({ grpcPort }, compression) =>
    new GrpcExporter({
      url: `http://127.0.0.1:${grpcPort}`,
      credentials: credentials.createInsecure(),
      metadata: tenantMetadata(),
      compression: compression as never,
    }),
}

/** The SDK's exporter over gRPC fails at once where its protocol says to come again; collectors do come again, as this one does. */
function comingAgain(exporter: LogRecordExporter, codes: unknown[]): LogRecordExporter {
  return {
    export: (records, done) => {
      const attempt = (): void =>
        exporter.export(records, (result) => {
          const { code } = (result.error ?? {}) as { code?: unknown }
          if (code !== status.UNAVAILABLE) return done(result)
          codes.push(code)
          setTimeout(attempt, 100)
        })
      attempt()
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  }
}

function newProvider(exporter: LogRecordExporter, service: string): LoggerProvider {
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.namespace': 'shop',
    'host.name': 'web-1',
    'process.command_args': ['node', 'main.ts'],
  })
  const batches = new BatchLogRecordProcessor({ exporter, maxExportBatchSize: 100, scheduledDelayMillis: 50 })
  return new LoggerProvider({ resource, processors: [batches] })
}

describe("OpenTelemetry's exporters", () => {
  let server: CompatServer
  before(async () => {
    server = await CompatServer.start('otel')
  })
  after(() => server?.[Symbol.asyncDispose]())

  for (const [protocol, newExporter] of Object.entries(exporters)) {
    for (const compression of ['none', 'gzip'] as const) {
      test(`${protocol}, compression ${compression}: every record with its attributes`, async () => {
        const service = `${protocol}-${compression}`
        const provider = newProvider(newExporter(server, compression), service)
        const logger = provider.getLogger('checkout', '1.2.3')
        const count = 450
        for (let i = 0; i < count; i++) {
          logger.emit({
            severityNumber: SeverityNumber.ERROR,
            severityText: 'ERROR',
            body: i === 0 ? { text: 'a map', n: 1 } : `order ${i} — naïve ☃`,
            attributes: { 'order.id': i, ok: i % 2 === 0, ratio: i / 4, tags: ['a', 'b'] },
          })
        }
        await provider.forceFlush()
        await provider.shutdown()
        const rows = await server.rows(`{service_name="${service}"}`)
        assert.equal(rows.length, count)
        assert.deepEqual(
          new Set(rows.map(({ line }) => line)),
          new Set(
            Array.from({ length: count }, (_, i) => (i === 0 ? '{"n":1,"text":"a map"}' : `order ${i} — naïve ☃`)),
          ),
        )
        const one = rows.find(({ line }) => line.startsWith('order 7 '))!
        assert.deepEqual(one.labels, { service_name: service, service_namespace: 'shop' })
        const { observed_timestamp: observed, ...metadata } = one.metadata
        assert.match(observed!, /^\d{19}$/)
        assert.deepEqual(metadata, {
          detected_level: 'error',
          host_name: 'web-1',
          ok: 'false',
          order_id: '7',
          process_command_args: '["node","main.ts"]',
          ratio: '1.75',
          scope_name: 'checkout',
          scope_version: '1.2.3',
          severity_number: '17',
          severity_text: 'ERROR',
          tags: '["a","b"]',
        })
      })
    }
  }

  for (const [protocol, newExporter] of Object.entries(exporters)) {
    test(`${protocol}: the server stops and comes back`, { timeout: 90_000 }, async () => {
      const service = `again-${protocol}`
      const exporter = newExporter(server, 'none')
      const codes: unknown[] = []
      const provider = newProvider(protocol === 'grpc' ? comingAgain(exporter, codes) : exporter, service)
      const logger = provider.getLogger('again')
      logger.emit({ body: 'before' })
      await provider.forceFlush()
      await server.stop()
      logger.emit({ body: 'meanwhile' })
      const flushed = provider.forceFlush()
      // only the one over gRPC tells of its attempts
      if (protocol === 'grpc')
        await untilTrue(
          () => codes.length > 0,
          () => 'no attempt',
        )
      else await new Promise((resolve) => setTimeout(resolve, 500))
      await server.startAgain()
      await flushed
      logger.emit({ body: 'after' })
      await provider.shutdown()
      const lines = (await server.rows(`{service_name="${service}"}`)).map(({ line }) => line)
      assert.deepEqual(lines, ['before', 'meanwhile', 'after'])
      assert.equal(codes.length > 0, protocol === 'grpc')
    })
  }
})

/** `POST /otlp/v1/logs`: OpenTelemetry's export of logs over HTTP, in protobuf or JSON. */
import { type OtlpReader, otlpReader, type OtlpReaderDeps } from './otlp-reader.ts'
import { pushParams, pushRequestOf, retryHeaders, type PushDeps } from './push-reply.ts'
import { BadRequest, EddaError, errorStatus } from '#/kernel/errors.ts'
import { uvarintSize, writeUvarint } from '#/kernel/varint.ts'
import { decompress, type Compression } from '#/logs/write/push/decode-body.ts'
import { otlpJsonToProtobuf } from '#/logs/write/push/otlp/otlp-json.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import type { Endpoint, HttpReply, HttpRequest } from '#/platform/http/endpoint.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { noContent } from '#/platform/http/endpoint-docs.ts'

export type OtlpDeps = PushDeps & OtlpReaderDeps & { readonly logger: Logger }

const compressions: Readonly<Record<string, Compression>> = { '': 'none', gzip: 'gzip', zstd: 'zstd', lz4: 'lz4' }

export function otlpEndpoint(deps: OtlpDeps): Endpoint {
  const read = otlpReader(deps)
  return {
    methods: ['POST'],
    path: '/otlp/v1/logs',
    doc: 'Takes logs in the OpenTelemetry protocol, protobuf or JSON. Answers 204 when all were stored.',
    tenant: 'required',
    access: 'write',
    body: 'raw',
    params: pushParams(Object.keys(compressions)),
    answer: noContent,
    consumes: ['application/x-protobuf', 'application/json'],
    maxBodyBytes: deps.bodyLimits.maxCompressedBytes,
    handle: async (request) => {
      try {
        await deps.distributor.admit(request.signal)
        const columns = await decode(request, deps, read)
        // exporters send such ones to see whether anybody is there; a 4xx would be an error in their logs
        if (columns.streams.length === 0) return { status: 204 }
        const { status, message } = await deps.distributor.push(request.tenant, pushRequestOf(request, columns))
        return status === 204 ? { status } : statusReply(status, message)
      } catch (error) {
        return reject(error, deps.logger)
      }
    },
  }
}

async function decode(request: HttpRequest, deps: OtlpDeps, read: OtlpReader): Promise<PushColumns> {
  const contentType = request.headers['content-type'] ?? ''
  if (contentType !== 'application/x-protobuf' && contentType !== 'application/json') {
    throw new BadRequest(`content type: ${contentType} is not supported`)
  }
  const encoding = request.headers['content-encoding'] ?? ''
  const compression = Object.hasOwn(compressions, encoding) ? compressions[encoding] : undefined
  if (compression === undefined) {
    throw new BadRequest(`unsupported content encoding ${encoding}: only gzip, lz4 and zstd are supported`)
  }
  const body = await decompress(request.body, compression, deps.bodyLimits)
  return read(request.tenant, contentType === 'application/json' ? otlpJsonToProtobuf(body) : body)
}

/** Exporters take a 500 for good, but come again after a 503. */
function reject(error: unknown, logger: Logger): HttpReply {
  if (error instanceof EddaError) {
    return statusReply(errorStatus[error.code].http, error.message, retryHeaders(error))
  }
  logger.error('otlp push failed', { error })
  return statusReply(503, 'internal error')
}

/** The error as protobuf's `google.rpc.Status`: code 0, the message as field 2. */
function statusReply(status: number, message: string, headers?: Readonly<Record<string, string>>): HttpReply {
  const text = Buffer.from(message)
  const body = Buffer.alloc(1 + uvarintSize(text.length) + text.length)
  body[0] = 0x12
  text.copy(body, writeUvarint(body, 1, text.length))
  return {
    status: status === 500 ? 503 : status,
    body,
    headers: { ...headers, 'content-type': 'application/octet-stream' },
  }
}

/** What the push endpoints share: their dependencies, the headers that they honour, and answers as plain text. */
import { BadRequest, EddaError, errorStatus } from '#/kernel/errors.ts'
import type { Distributor, PushReply, PushRequest } from '#/logs/write/distributor/distributor.ts'
import type { BodyLimits } from '#/logs/write/push/decode-body.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import type { Parameter } from '#/platform/http/endpoint-docs.ts'
import { textReply, type HttpReply, type HttpRequest } from '#/platform/http/endpoint.ts'
import type { WorkMemoryPool } from '#/platform/memory/work-memory.ts'

export type PushDeps = {
  readonly distributor: Pick<Distributor, 'push' | 'admit'>
  readonly bodyLimits: BodyLimits
  readonly memory: WorkMemoryPool
}

const maxBackfillShardBytes = 128

/** The headers that a push may have; `encodings` are those that the protocol knows. */
export function pushParams(encodings: readonly string[]): readonly Parameter[] {
  return [
    {
      name: 'Content-Encoding',
      in: 'header',
      type: 'string',
      doc: 'How the body is compressed.',
      choices: encodings.filter((name) => name !== ''),
      default: 'not at all',
    },
    {
      name: 'X-Loki-Ingestion-Policy',
      in: 'header',
      type: 'string',
      doc: 'The ingestion policy of every stream.',
      default: 'as `policy_stream_mapping` says',
    },
    {
      name: 'X-Loki-Backfill-Shard',
      in: 'header',
      type: 'string',
      doc: `Marks entries of old times: streams get \`__backfill__\` and \`__backfill_shard__\`, and age is no reason to refuse. At most ${maxBackfillShardBytes} bytes.`,
      default: 'none',
    },
  ]
}

/** @throws BadRequest when a header is wrong. */
export function pushRequestOf(request: HttpRequest, columns: PushColumns): PushRequest {
  return {
    columns,
    backfillShard: backfillShard(header(request, 'x-loki-backfill-shard')),
    policy: header(request, 'x-loki-ingestion-policy'),
    signal: request.signal,
  }
}

export function pushReply({ status, message }: PushReply): HttpReply {
  return status === 204 ? { status } : textReply(status, `${message}\n`)
}

/** The answer to a push that failed as a whole. Errors that nobody foresaw go on to the server. */
export function rejectPush(error: unknown): HttpReply {
  if (!(error instanceof EddaError)) throw error
  return textReply(errorStatus[error.code].http, `${error.message}\n`, retryHeaders(error))
}

export function retryHeaders({ retryAfterSeconds }: EddaError): Readonly<Record<string, string>> {
  return retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
}

function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Node gives header bytes as latin1; the value must be UTF-8. */
function backfillShard(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const bytes = Buffer.from(value, 'latin1')
  const text = bytes.toString('utf8')
  if (bytes.length > maxBackfillShardBytes || !Buffer.from(text).equals(bytes)) {
    throw new BadRequest(`X-Loki-Backfill-Shard must be UTF-8 of at most ${maxBackfillShardBytes} bytes`)
  }
  return text
}

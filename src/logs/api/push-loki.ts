/** `POST /loki/api/v1/push` and its ancestor `POST /api/prom/push`: the same but for their JSON. */
import { pushParams, pushReply, pushRequestOf, rejectPush, type PushDeps } from './push-reply.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { decompress, decompressSnappy, type BodyLimits, type Compression } from '#/logs/write/push/decode-body.ts'
import { decodeLegacyJson } from '#/logs/write/push/legacy-json.ts'
import { decodeLokiJson } from '#/logs/write/push/loki-json.ts'
import { decodeLokiProtobuf } from '#/logs/write/push/loki-protobuf.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import type { Endpoint, HttpRequest } from '#/platform/http/endpoint.ts'
import { noContent } from '#/platform/http/endpoint-docs.ts'
import { freshMemory, type WorkMemory } from '#/platform/memory/work-memory.ts'

/** What each `Content-Encoding` means; `snappy` only marks what protobuf bodies are anyway. */
const compressions: Readonly<Record<string, Compression>> = {
  '': 'none',
  snappy: 'none',
  gzip: 'gzip',
  deflate: 'deflate',
  zstd: 'zstd',
}
/** Smaller bodies would leave most of a chunk of the pool unused, and there may be many at a time. */
const leastPooledBytes = 128 * 1024
const mediaType = /^\s*([\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+)\s*(?:;|$)/

export function pushEndpoint(deps: PushDeps): Endpoint {
  const doc =
    'Takes log entries: protobuf in a snappy block, or JSON, plain or compressed. Answers 204 when all were stored.'
  return endpoint(deps, { path: '/loki/api/v1/push', doc, decodeJson: decodeLokiJson })
}

export function legacyPushEndpoint(deps: PushDeps): Endpoint {
  const doc = 'Takes log entries as /loki/api/v1/push does; its JSON has labels as text and RFC 3339 times.'
  return endpoint(deps, { path: '/api/prom/push', doc, decodeJson: decodeLegacyJson })
}

type Variant = {
  readonly path: string
  readonly doc: string
  readonly decodeJson: (body: Buffer, memory: WorkMemory) => PushColumns
}

function endpoint(deps: PushDeps, { path, doc, decodeJson }: Variant): Endpoint {
  return {
    methods: ['POST'],
    path,
    doc,
    tenant: 'required',
    access: 'write',
    body: 'raw',
    params: pushParams(Object.keys(compressions)),
    answer: noContent,
    consumes: ['application/json', 'application/x-protobuf'],
    maxBodyBytes: deps.bodyLimits.maxCompressedBytes,
    handle: async (request) => {
      const memory = request.body.length < leastPooledBytes ? undefined : deps.memory.lease()
      try {
        await deps.distributor.admit(request.signal)
        const columns = await decode(request, { limits: deps.bodyLimits, decodeJson, memory: memory ?? freshMemory })
        return pushReply(await deps.distributor.push(request.tenant, pushRequestOf(request, columns)))
      } catch (error) {
        return rejectPush(error)
      } finally {
        memory?.release()
      }
    },
  }
}

type Decoding = {
  readonly limits: BodyLimits
  readonly decodeJson: Variant['decodeJson']
  readonly memory: WorkMemory
}

async function decode(request: HttpRequest, { limits, decodeJson, memory }: Decoding): Promise<PushColumns> {
  const contentType = mediaType.exec(request.headers['content-type'] ?? '')?.[1]?.toLowerCase()
  if (contentType === undefined) throw new BadRequest('mime: no media type')
  const encoding = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  const compression = Object.hasOwn(compressions, encoding) ? compressions[encoding] : undefined
  if (compression === undefined) {
    throw new BadRequest(`Content-Encoding "${request.headers['content-encoding'] ?? ''}" not supported`)
  }
  const body = await decompress(request.body, compression, limits)
  return contentType === 'application/json'
    ? decodeJson(body, memory)
    : decodeLokiProtobuf(await decompressSnappy(body, limits, memory), memory)
}

/** Writes a reply to the socket: compressed when the client takes it and it pays, streams with backpressure. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { constants, createGzip, gzip } from 'node:zlib'

import type { HttpReply } from './endpoint.ts'

/** Smaller bodies fit into one packet anyway. */
const gzipMinBytes = 1400
/** Answers are compressed once and read once: speed counts more than the last percent. */
const gzipLevel = constants.Z_BEST_SPEED
const gzipAsync = promisify(gzip)

export type WriteOptions = {
  readonly mayCompress: boolean
  readonly closeConnection: boolean
  readonly onBytes: (count: number) => void
}

/**
 * Resolves when everything is handed to the socket or the client has gone; a stream that throws rejects, after the head was
 * sent, and the caller has to cut the connection.
 */
export async function writeReply(response: ServerResponse, reply: HttpReply, options: WriteOptions): Promise<void> {
  const { status, body = '' } = reply
  const headers: Record<string, string> = { 'x-content-type-options': 'nosniff', ...reply.headers }
  if (options.closeConnection) headers['connection'] = 'close'
  const mayCompress = options.mayCompress && reply.mayCompress !== false && headers['content-encoding'] === undefined
  if (mayCompress) headers['vary'] = 'Accept-Encoding'
  if (typeof body === 'string' || body instanceof Uint8Array) {
    await writeWhole(response, { status, headers, body: Buffer.from(body as Uint8Array), mayCompress }, options)
    return
  }
  if (mayCompress) headers['content-encoding'] = 'gzip'
  response.writeHead(status, headers)
  response.flushHeaders()
  if (mayCompress) await writeGzipStream(response, body, options)
  else await writeStream(response, body, options)
}

type Whole = {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Buffer
  readonly mayCompress: boolean
}

async function writeWhole(response: ServerResponse, whole: Whole, { onBytes }: WriteOptions): Promise<void> {
  const { status, headers, body, mayCompress } = whole
  const isPacked = mayCompress && body.length >= gzipMinBytes
  const bytes = isPacked ? await gzipAsync(body, { level: gzipLevel }) : body
  if (isPacked) headers['content-encoding'] = 'gzip'
  const hasBody = status !== 204 && status !== 304
  if (hasBody) headers['content-length'] = String(bytes.length)
  if (response.destroyed) return
  response.writeHead(status, headers)
  response.end(hasBody ? bytes : undefined)
  onBytes(hasBody ? bytes.length : 0)
}

async function writeStream(
  response: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  { onBytes }: WriteOptions,
): Promise<void> {
  // aborted when the client goes, so that nobody waits for a drain that cannot come
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  for await (const chunk of body) {
    if (response.destroyed) return
    onBytes(chunk.byteLength)
    if (!response.write(chunk)) await once(response, 'drain', { signal: gone.signal }).catch(() => undefined)
  }
  response.end()
}

async function writeGzipStream(
  response: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  { onBytes }: WriteOptions,
): Promise<void> {
  // every chunk is flushed: a stream is read while it is written
  const packer = createGzip({ level: gzipLevel, flush: constants.Z_SYNC_FLUSH })
  packer.on('data', (chunk: Buffer) => onBytes(chunk.length))
  try {
    await pipeline(Readable.from(body, { objectMode: true }), packer, response)
  } catch (error) {
    if (!response.destroyed || !isClosedEarly(error)) throw error
  }
}

function isClosedEarly(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** Whether `Accept-Encoding` names gzip, and not only to refuse it. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '')
  return text.split(',').some((part) => /^\s*(?:gzip|\*)\s*(?:;\s*q\s*=\s*(?!0(?:\.0*)?\s*$)[\d.]+\s*)?$/i.test(part))
}

/**
 * From the body of a push as it was sent to the bytes of the message. The size of what comes out is bounded while it comes
 * out: a zip bomb costs no more than `maxDecompressedBytes`. Small bodies are done at once, large ones on a thread of the pool.
 */
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { decompressFrame, decompressFrameSync } from 'lz4-napi'
import { uncompress } from 'snappy'
import { lz4ContentBound } from './lz4-frame.ts'
import { BadRequest, TooLarge } from '#/kernel/errors.ts'
import { decompressSnappyBlock, MAX_SNAPPY_BYTES } from '#/kernel/snappy-block.ts'
import { freshMemory, type WorkMemory } from '#/platform/memory/work-memory.ts'

export type BodyLimits = {
  /** Largest body as sent. */
  readonly maxCompressedBytes: number
  readonly maxDecompressedBytes: number
}

export type Compression = 'none' | 'gzip' | 'deflate' | 'zstd' | 'lz4'

/** Bodies up to this size are decompressed in place; beyond it other requests should not wait. */
const maxSyncBytes = 16 * 1024

const gunzip = promisify(zlib.gunzip)
const inflateRaw = promisify(zlib.inflateRaw)
const zstdDecompress = promisify(zlib.zstdDecompress)

/** @throws TooLarge beyond a limit, BadRequest when the bytes are not what `compression` says. */
export async function decompress(body: Buffer, compression: Compression, limits: BodyLimits): Promise<Buffer> {
  if (body.length > limits.maxCompressedBytes) {
    throw new TooLarge(tooLarge('message size', body.length, limits.maxCompressedBytes))
  }
  const options = { maxOutputLength: Math.max(limits.maxDecompressedBytes, 1) }
  const isSmall = body.length <= maxSyncBytes
  try {
    switch (compression) {
      case 'none':
        if (body.length > limits.maxDecompressedBytes) throw bomb(body.length, limits)
        return body
      case 'gzip':
        return isSmall ? zlib.gunzipSync(body, options) : await gunzip(body, options)
      case 'deflate':
        return isSmall ? zlib.inflateRawSync(body, options) : await inflateRaw(body, options)
      case 'zstd':
        return isSmall ? zlib.zstdDecompressSync(body, options) : await zstdDecompress(body, options)
      case 'lz4': {
        const bound = lz4ContentBound(body)
        if (bound > limits.maxDecompressedBytes) throw bomb(bound, limits)
        return isSmall ? decompressFrameSync(body) : await decompressFrame(body)
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw bomb(limits.maxDecompressedBytes + 1, limits, error)
    }
    if (error instanceof TooLarge || error instanceof BadRequest) throw error
    throw new BadRequest(`${compression}: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * A raw snappy block. Its first bytes claim the size of the content, which is checked before anything is allocated. Large blocks
 * are decompressed on a thread of the pool, all others at once and into `memory`.
 */
export async function decompressSnappy(
  body: Buffer,
  limits: BodyLimits,
  memory: WorkMemory = freshMemory,
): Promise<Buffer> {
  const { size, headBytes } = snappyHead(body)
  if (size > limits.maxDecompressedBytes) throw bomb(size, limits)
  if (size <= MAX_SNAPPY_BYTES && body.length <= MAX_SNAPPY_BYTES) {
    const content = memory.bytes(size)
    if (!decompressSnappyBlock(body, headBytes, content)) throw new BadRequest('snappy: corrupt input')
    return content
  }
  try {
    const content = await uncompress(body)
    return Buffer.isBuffer(content) ? content : Buffer.from(content)
  } catch (error) {
    throw new BadRequest('snappy: corrupt input', { cause: error })
  }
}

/** The uvarint of at most 32 bits with which a block begins, and how long it is. */
function snappyHead(body: Buffer): { readonly size: number; readonly headBytes: number } {
  let size = 0
  for (let index = 0; index < 5; index++) {
    const byte = body[index]
    if (byte === undefined) break
    size += (byte & 0x7f) * 2 ** (7 * index)
    if (byte >= 0x80) continue
    // the densest element of the format makes 64 bytes out of three
    if (size > body.length * 22) break
    return { size, headBytes: index + 1 }
  }
  throw new BadRequest('snappy: corrupt input')
}

function bomb(size: number, limits: BodyLimits, cause?: unknown): TooLarge {
  return new TooLarge(tooLarge('decompressed message size', size, limits.maxDecompressedBytes), { cause })
}

function tooLarge(what: string, size: number, limit: number): string {
  return `request body too large: ${what} too large than max (${size} vs ${limit})`
}

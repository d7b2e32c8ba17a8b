/**
 * How much an LZ4 frame may decompress to at most, from its headers alone: the decompressor itself takes no limit.
 *
 *     magic 4 · FLG 1 · BD 1 · [content size 8] · [dictionary id 4] · header checksum 1
 *     blocks: size 4 (high bit: stored as it is) · data · [block checksum 4] … size 0 · [content checksum 4]
 */
import { BadRequest } from '#/kernel/errors.ts'

const MAGIC = 0x184d2204
/** By the code in BD. */
const blockSizes: Readonly<Record<number, number>> = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 }
/** Bytes of content that one byte of a compressed block can make. */
const maxRatio = 255

/** @throws BadRequest when the bytes are not LZ4 frames from end to end. */
export function lz4ContentBound(body: Buffer): number {
  let bound = 0
  for (let at = 0; at < body.length;) {
    if (at + 7 > body.length || body.readUInt32LE(at) !== MAGIC) throw new BadRequest('lz4: not a frame')
    const flags = body[at + 4]!
    const blockSize = blockSizes[(body[at + 5]! >> 4) & 7]
    if (flags >> 6 !== 1 || blockSize === undefined) throw new BadRequest('lz4: unknown frame header')
    at += 7 + (hasFlag(flags, 3) ? 8 : 0) + (hasFlag(flags, 0) ? 4 : 0)
    for (;;) {
      if (at + 4 > body.length) throw new BadRequest('lz4: unexpected end of frame')
      const header = body.readUInt32LE(at)
      at += 4
      if (header === 0) break
      const size = header & 0x7fff_ffff
      bound += header > 0x7fff_ffff ? size : Math.min(blockSize, size * maxRatio)
      at += size + (hasFlag(flags, 4) ? 4 : 0)
    }
    at += hasFlag(flags, 2) ? 4 : 0
    if (at > body.length) throw new BadRequest('lz4: unexpected end of frame')
  }
  return bound
}

function hasFlag(flags: number, bit: number): boolean {
  return ((flags >> bit) & 1) === 1
}

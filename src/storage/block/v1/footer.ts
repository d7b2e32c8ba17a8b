/**
 * The end of a block:
 *
 *     footer:  metadata as JSON text · sections uvarint · (type u16 · version u16 · offset u64 · size u64 · CRC u32)*
 *     trailer: footer size u32 · footer CRC u32 · object size u64 · format version u32 · CRC of these 20 bytes u32 · magic
 *
 * The trailer is the last 32 bytes, so the size of an object is enough to find everything.
 */
import { BLOCK_FORMAT_VERSION, BLOCK_MAGIC, TRAILER_BYTES } from './format.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { crc32 } from '#/kernel/crc32.ts'
import { parseStoredMeta } from '#/storage/block/meta-json.ts'
import type { StoredMeta } from '#/storage/block/meta-json.ts'

const TRAILER_CHECKED_BYTES = 20
const MAX_SECTIONS = 1024

export type Section = {
  readonly type: number
  readonly version: number
  readonly offset: number
  readonly sizeBytes: number
  readonly crc32: number
}

export type Footer = { readonly meta: StoredMeta; readonly sections: readonly Section[] }
export type Trailer = { readonly footerBytes: number; readonly footerCrc32: number; readonly objectBytes: number }

/** Footer and trailer, to be appended at `offset`. */
export function encodeFooter({ meta, sections }: Footer, offset: number): Uint8Array {
  const out = new ByteWriter(1024)
  out.text(JSON.stringify(meta))
  out.uvarint(sections.length)
  for (const section of sections) {
    out.u16(section.type)
    out.u16(section.version)
    out.u64(section.offset)
    out.u64(section.sizeBytes)
    out.u32(section.crc32)
  }
  const footerBytes = out.size
  const footerCrc32 = crc32(out.written)
  out.u32(footerBytes)
  out.u32(footerCrc32)
  out.u64(offset + footerBytes + TRAILER_BYTES)
  out.u32(BLOCK_FORMAT_VERSION)
  out.u32(crc32(out.written.subarray(footerBytes)))
  out.bytes(BLOCK_MAGIC)
  return out.copy()
}

/** Reads the last {@link TRAILER_BYTES} of a block of `objectBytes`. */
export function decodeTrailer(bytes: Uint8Array, origin: ByteOrigin, objectBytes: number): Trailer {
  const reader = new ByteReader(bytes, origin)
  if (!BLOCK_MAGIC.equals(bytes.subarray(TRAILER_BYTES - BLOCK_MAGIC.length))) {
    throw reader.corruption('it does not end as a block does: it was cut off, or is none')
  }
  const footerBytes = reader.u32()
  const footerCrc32 = reader.u32()
  const toldBytes = reader.u64()
  const version = reader.u32()
  const expected = reader.u32()
  const found = crc32(bytes.subarray(0, TRAILER_CHECKED_BYTES))
  if (found !== expected) throw checksumError(reader, 'trailer', { expected, found })
  if (version !== BLOCK_FORMAT_VERSION)
    throw reader.corruption(`format version ${version} is not ${BLOCK_FORMAT_VERSION}`)
  if (toldBytes !== objectBytes)
    throw reader.corruption(`the object has ${objectBytes} bytes, ${toldBytes} were written`)
  if (footerBytes + TRAILER_BYTES + BLOCK_MAGIC.length > objectBytes) {
    throw reader.corruption(`a footer of ${footerBytes} bytes does not fit`)
  }
  return { footerBytes, footerCrc32, objectBytes }
}

export function decodeFooter(bytes: Uint8Array, origin: ByteOrigin, trailer: Trailer): Footer {
  const reader = new ByteReader(bytes, origin)
  const found = crc32(bytes)
  if (found !== trailer.footerCrc32) {
    throw checksumError(reader, 'footer', { expected: trailer.footerCrc32, found })
  }
  const meta = parseStoredMeta(parseJson(reader.text(), reader))
  if (typeof meta === 'string') throw reader.corruption(meta)
  const sections: Section[] = []
  const count = reader.count(MAX_SECTIONS, 'sections')
  for (let i = 0; i < count; i++) {
    const section = {
      type: reader.u16(),
      version: reader.u16(),
      offset: reader.u64(),
      sizeBytes: reader.u64(),
      crc32: reader.u32(),
    }
    if (section.offset + section.sizeBytes > origin.offset)
      throw reader.corruption(`section ${i} reaches into the footer`)
    sections.push(section)
  }
  reader.end()
  return { meta, sections }
}

function parseJson(text: string, reader: ByteReader): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw reader.corruption('metadata is not JSON', error)
  }
}

function checksumError(
  reader: ByteReader,
  what: string,
  { expected, found }: { readonly expected: number; readonly found: number },
): Error {
  return reader.corruption(`checksum of the ${what} is ${hex(found)}, expected ${hex(expected)}`)
}

export function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0')
}

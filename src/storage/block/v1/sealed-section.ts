/** A section that is sealed as a whole: encoding u8, then the bytes as of a column of bytes. */
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ENCODING_BYTES } from '#/storage/column/encoding.ts'
import { unsealBytes } from '#/storage/column/number-columns.ts'
import { sealColumn } from '#/storage/column/sealed.ts'

export function sealSection(raw: Uint8Array): Uint8Array {
  const { encoding, bytes } = sealColumn(ENCODING_BYTES, raw)
  const section = new Uint8Array(bytes.length + 1)
  section[0] = encoding
  section.set(bytes, 1)
  return section
}

/** @throws Corruption. */
export function unsealSection(section: Uint8Array, origin: ByteOrigin): Buffer {
  return unsealBytes({ encoding: section[0] ?? 0, bytes: section.subarray(1) }, origin)
}

/** CRC-32 (IEEE 802.3, as in zip and PNG), the checksum of every stored format; see docs/adr for why not CRC-32C. */
import { crc32 as zlibCrc32 } from 'node:zlib'

/** Checksum of `bytes`, or of everything before plus `bytes` when `before` is the checksum so far. Unsigned. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return zlibCrc32(bytes, before)
}

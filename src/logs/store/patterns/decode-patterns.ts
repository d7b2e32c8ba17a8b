/** The patterns of a block from their stored bytes. */
import { decodePatternSection, type StoredPatterns } from './pattern-section.ts'
import type { PatternBytes } from '#/logs/store/log-block.ts'
import { SECTION_PATTERNS, SECTION_VERSION } from '#/storage/block/v1/format.ts'
import { checkSection } from '#/storage/block/v1/reader.ts'

/** @throws Corruption when the checksum does not match, or anything in it cannot be. */
export function decodePatterns({ block, bytes, offset, crc32, ...counts }: PatternBytes): StoredPatterns {
  const section = { type: SECTION_PATTERNS, version: SECTION_VERSION, offset, sizeBytes: bytes.length, crc32 }
  checkSection(bytes, section, block)
  return decodePatternSection(bytes, { file: block, offset }, counts)
}

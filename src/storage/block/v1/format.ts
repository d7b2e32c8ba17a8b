/** Constants of block format v1; docs/formats/block-v1.md is the description. */

/** First and last eight bytes of a block. */
export const BLOCK_MAGIC = Buffer.from('EDDABLK\n', 'latin1')
export const BLOCK_FORMAT_VERSION = 1
/** Footer size u32 · footer CRC u32 · object size u64 · format version u32 · CRC of these u32 · magic. */
export const TRAILER_BYTES = 32
/** One read of this much from the end opens most blocks. */
export const TAIL_BYTES = 64 * 1024

export const SECTION_LABELS = 1
export const SECTION_PAGES = 2
export const SECTION_RUNS = 3
/** A block has both of these or none. */
export const SECTION_WORD_DICTIONARY = 4
export const SECTION_BLOOM_FILTERS = 5
/** Not every block has it. */
export const SECTION_PATTERNS = 6
/** Version of each of the sections above that this code writes. */
export const SECTION_VERSION = 1
/** Version of the section "runs" that has the bytes of lines. */
export const RUNS_VERSION = 2

const names: Readonly<Record<number, string>> = {
  [SECTION_LABELS]: 'labels',
  [SECTION_PAGES]: 'pages',
  [SECTION_RUNS]: 'runs',
  [SECTION_WORD_DICTIONARY]: 'word-dictionary',
  [SECTION_BLOOM_FILTERS]: 'bloom-filters',
  [SECTION_PATTERNS]: 'patterns',
}

export function sectionName(type: number): string {
  return names[type] ?? `unknown-${type}`
}

/** Where things lie in the memory of ./scan-kernel.ts, and the limits that this sets. */
import { layoutMemory } from '#/kernel/wasm-text.ts'

/** Lines are scanned in pieces of about so many bytes, which stay in the processor's caches; a longer line is a piece of its own. */
export const PIECE_BYTES = 256 * 1024
export const PIECE_ROWS = 8192
/** A page with a longer line is not filtered. */
export const MAX_SCANNED_LINE_BYTES = 4 * 1024 * 1024
/** Keys of one page; a page with more is not filtered. */
export const MAX_PAGE_KEYS = 1 << 17
/** Grams of one page; a page with more has none. */
export const MAX_PAGE_GRAMS = 4096
/** Words of one block. */
export const MAX_WORDS = 16_384
/** Bytes of all of them. */
export const MAX_WORDS_BYTES = 256 * 1024
/** Longer tokens are no words. */
export const MAX_WORD_BYTES = 64

/** At most half full. */
export const WORD_SLOTS = 2 * MAX_WORDS
/** Of the table of keys, when a page begins. It grows so that it is at most half full. */
export const FIRST_KEY_SLOTS = 1 << 15
const MAX_KEY_SLOTS = 4 * MAX_PAGE_KEYS
/** What one step may read or write beyond its end. */
const SLACK = 64

/** Positions in the kernel's memory. What stands after `raw` and `lower` is touched by long lines only. */
export const at = layoutMemory({
  /** Of the block. */
  wordCount: 4,
  wordTextBytes: 4,
  /** Number of the current page, from 1. */
  page: 4,
  /** Of the page; `lengths` has 64 bits. */
  heldCount: 4,
  keyCount: 4,
  keyMask: 4,
  isFull: 4,
  gramCount: 4,
  flags: 4,
  lengths: 8,
  /** Set when a byte may begin a rune that folds to a letter of ASCII. */
  leads: 16,
  /** 16 bytes each: the key u64 · length u8, above it the word's number (all of it 0: empty) · the page that has it last u32. */
  wordSlots: WORD_SLOTS * 16,
  /** Where each word begins in `wordText`, and where the last one ends. */
  wordStarts: (MAX_WORDS + 1) * 4,
  wordText: MAX_WORDS_BYTES + SLACK,
  /** Words that the page holds, u16. */
  held: MAX_WORDS * 2,
  /** The last bytes of tokens or the first ones, in the order of memory, in the order in which they came. */
  keys: MAX_PAGE_KEYS * 8,
  gramCodes: MAX_PAGE_GRAMS * 4,
  grams: MAX_PAGE_GRAMS * 4,
  hasGram: 1 << 18,
  rowLengths: PIECE_ROWS * 4,
  keySlots: MAX_KEY_SLOTS * 8,
  /** Lines of a piece, back to back. */
  raw: MAX_SCANNED_LINE_BYTES + SLACK,
  /** The same in lower case, zeros where there is no token and after each line. */
  beforeLower: SLACK,
  lower: MAX_SCANNED_LINE_BYTES + PIECE_ROWS + SLACK,
  end: 0,
})

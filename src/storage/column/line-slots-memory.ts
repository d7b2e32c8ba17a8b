/** Where things lie in the memory of the kernel of ./line-slots-kernel.ts, and the limits that this sets. */

import { layoutMemory } from '#/kernel/wasm-text.ts'

/** Lines of a page beyond this are stored otherwise. */
export const MAX_SLOT_BYTES = 4 * 1024 * 1024
export const MAX_SLOT_ROWS = 65_536
export const MAX_SLOT_NUMBERS = 1024 * 1024
export const CONTEXTS = 1024
/** Metadata columns that lines can refer to, and the longest value of one. */
export const MAX_VALUE_COLUMNS = 4
export const MAX_VALUE_BYTES = 32
/** Of so many texts at most the position of one is a byte. */
export const ONE_BYTE_TEXTS = 256
/** Slots of the table of texts: twice as many as rows, a power of two. */
export const TEXT_SLOTS = 2 * MAX_SLOT_ROWS
/** What one step may write beyond its end. */
const SLACK = 512

/** What follows an operation is stored with this added: it is neither an operation nor ASCII. */
export const OPERAND = 128

/** Positions in the kernel's memory. */
export const at = layoutMemory({
  classes: 256,
  /** For each number below 1000 its three digits, zeros in front, and in the fourth byte how many are not such zeros. */
  threeDigits: 4000,
  valueTable: MAX_VALUE_COLUMNS * 8,
  /** Of `decode`: for each metadata column, in steps of 8, where the ranks of its rows lie; 0: every row has a value. */
  ranksTable: MAX_VALUE_COLUMNS * 8,
  clock: 16,
  /** Of `encode`: count of numbers, end of hex, count of different texts. */
  results: 12,
  /** Of `encode`: numbers in each context. Of `decode`: the address of the next number of each. */
  counts: CONTEXTS * 4,
  /** Of `encode`: the first number of each context. Of `decode`: where its numbers end. */
  firsts: CONTEXTS * 4,
  seen: CONTEXTS * 4,
  rowMs: MAX_SLOT_ROWS * 4,
  lineEnds: MAX_SLOT_ROWS * 4,
  /** Of `decodeRows`: where the line of each row begins, and where the last one ends. */
  lineStarts: MAX_SLOT_ROWS * 4 + 4,
  /** Where each text begins, and where the last one ends. */
  textStarts: MAX_SLOT_ROWS * 4 + 4,
  /** For each row the position of its text among all. */
  texts: MAX_SLOT_ROWS * 4,
  /** Of `encode`: the hash of each text, and by hash the position of a text and 1; 0: none. */
  textHashes: MAX_SLOT_ROWS * 4,
  textTable: TEXT_SLOTS * 4,
  /** Of `decodeRows`: for each text where its numbers' contexts begin in `steps`, and the last one's end; its bytes of hex. */
  stepStarts: MAX_SLOT_ROWS * 4 + 4,
  hexSizes: MAX_SLOT_ROWS * 4,
  /** Of `decodeRows`: the rows that are to be put together. */
  wanted: MAX_SLOT_ROWS * 4,
  /** Of `decode`: for each row of a metadata column, how many values stand before its own. */
  ranks: MAX_VALUE_COLUMNS * MAX_SLOT_ROWS * 4,
  /** Four times the context of each number of each text, in order. */
  steps: MAX_SLOT_BYTES * 2,
  numbers: MAX_SLOT_NUMBERS * 4,
  contexts: MAX_SLOT_NUMBERS * 2,
  hex: MAX_SLOT_BYTES / 2 + SLACK,
  values: MAX_VALUE_COLUMNS * MAX_SLOT_ROWS * MAX_VALUE_BYTES,
  /** Stays zero: the context of what is at the front of the text. */
  zeros: 64,
  text: MAX_SLOT_BYTES + SLACK,
  lines: MAX_SLOT_BYTES + SLACK,
  end: 0,
})

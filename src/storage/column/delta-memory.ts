/** Where things lie in the memory of ./delta-kernel.ts, and the limits that this sets. */
import { layoutMemory } from '#/kernel/wasm-text.ts'

/** Columns of more values are decoded without the kernel. No page has more rows. */
export const MAX_CELL_ROWS = 65_536
/** Columns of more bytes likewise. */
export const MAX_KERNEL_BYTES = 768 * 1024
/** Entries of the table in which rows are counted: it stays in the caches of the processor. */
export const MAX_COUNTS = 65_536
/** Numbers of an entry: rows that follow one another are counted in turns, so that none waits for the one before. */
export const COUNTS_PER_ENTRY = 2
/** What one step may read or write beyond its end. */
const SLACK = 64

/** Positions in the kernel's memory. */
export const at = layoutMemory({
  /** Where the next byte of the input is read. */
  position: 4,
  /** Differences of a group, i64. */
  differences: 128 * 8,
  /** The column; groups begin behind the power of ten. */
  input: MAX_KERNEL_BYTES + SLACK,
  /** Decoded, f64. */
  values: MAX_CELL_ROWS * 8 + SLACK,
  /** i32. */
  cells: MAX_CELL_ROWS * 4 + SLACK,
  /** u8. */
  codes: MAX_CELL_ROWS + SLACK,
  /** i32. */
  counts: MAX_COUNTS * COUNTS_PER_ENTRY * 4,
  end: 0,
})

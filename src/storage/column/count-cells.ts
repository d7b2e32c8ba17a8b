/**
 * Counts rows by cell of a grid (./value-cells.ts) and by code, in a table of the kernel's memory, of which each thread has one. Whoever
 * counts takes the table as zeros and leaves it as zeros.
 */
import { deltaKernel } from './delta-kernel.ts'
import { at, COUNTS_PER_ENTRY, MAX_CELL_ROWS, MAX_KERNEL_BYTES } from './delta-memory.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'

export { MAX_COUNTS } from './delta-memory.ts'

const ENTRY_BYTES = COUNTS_PER_ENTRY * 4
/** Codes are at most this. */
const MAX_CODE = 127

/**
 * The codes up to `greatest` that are the rest of `reader`, packed as in ./packed-u32.ts; they are overwritten by the next ones.
 * Undefined, and nothing read, when the kernel does not read them, as when they are damaged.
 */
export function unpackCodes(reader: ByteReader, count: number, greatest: number): Uint8Array | undefined {
  const { remaining, position, view } = reader
  if (count > MAX_CELL_ROWS || greatest > MAX_CODE || remaining > MAX_KERNEL_BYTES || count === 0) return undefined
  const kernel = deltaKernel()
  Buffer.from(view.buffer, view.byteOffset + position, remaining).copy(kernel.bytes, at.input)
  if (kernel.unpackCodes(count, at.input, greatest) !== at.input + remaining) return undefined
  reader.skip(remaining)
  return kernel.codes.subarray(0, count)
}

/** The rows [start, end) of a page, whose entry is `first`, plus `width` times their code, plus their cell. */
export type CountedRows = {
  readonly start: number
  readonly end: number
  readonly first: number
  readonly width: number
}

/** Gives the rows of a page their codes; without, {@link countCells} counts by cell alone. */
export function useCodes(codes: Uint8Array): void {
  deltaKernel().codes.set(codes)
}

/** Counts rows by the cells that were found last. */
export function countCells({ start, end, first }: CountedRows): void {
  deltaKernel().countCells(start, end, first * ENTRY_BYTES, 0)
}

/** The same by code, too. */
export function countCodes({ start, end, first, width }: CountedRows): void {
  deltaKernel().countCodes(start, end, first * ENTRY_BYTES, width * ENTRY_BYTES)
}

/** Adds one row to an entry. */
export function countAt(table: Int32Array, entry: number): void {
  table[entry * COUNTS_PER_ENTRY]!++
}

/** Rows of an entry. */
export function countOf(table: Int32Array, entry: number): number {
  return table[entry * COUNTS_PER_ENTRY]! + table[entry * COUNTS_PER_ENTRY + 1]!
}

export function countTable(): Int32Array {
  return deltaKernel().counts
}

/** Makes the first entries zeros again. */
export function clearCounts(entries: number): void {
  deltaKernel().counts.fill(0, 0, entries * COUNTS_PER_ENTRY)
}

/**
 * In which cell of a grid each value of a column lies, without an array of the values. A grid has edges at two distances that
 * are the same for all of them: `enter + k · step` and, if they are others, `leave + k · step`, k = 0, 1, …; the cell of a value
 * is the number of edges before it, less `first`. Cells of values outside of [from, to) are 0.
 */
import type { ColumnMemory } from './column-memory.ts'
import type { SealedColumn } from './sealed.ts'
import { unsealColumnTo, unsealedBytes } from './sealed.ts'
import { deltaKernel } from './delta-kernel.ts'
import { MAX_MAGNITUDE, MAX_POWER } from './delta-f64.ts'
import { ENCODING_DELTA_F64, ENCODING_ZSTD_FLAG } from './encoding.ts'
import { at, MAX_CELL_ROWS, MAX_KERNEL_BYTES } from './delta-memory.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'

export type CellGrid = {
  readonly from: number
  readonly to: number
  readonly step: number
  readonly enter: number
  readonly leave: number | undefined
  readonly first: number
}

export interface ValueCells {
  /** Finds the cells of the values [start, end): they stand at the same positions of the answer, until anybody asks again. */
  find(grid: CellGrid, start: number, end: number): Int32Array
}

/** Undefined for columns that the kernel does not read, damaged ones among them. */
export function unsealCells(column: SealedColumn, count: number, origin: ByteOrigin): ValueCells | undefined {
  return decodeByKernel(column, count, origin) ? new KernelCells(column, count, origin) : undefined
}

/** The values, likewise; in `memory`. */
export function unsealByKernel(
  column: SealedColumn,
  count: number,
  origin: ByteOrigin,
  memory: ColumnMemory,
): Float64Array | undefined {
  if (!decodeByKernel(column, count, origin)) return undefined
  const values = memory.f64(count)
  values.set(deltaKernel().values.subarray(0, count))
  return values
}

/** Columns that were decoded so far: says whether one is still there. */
let decoded = 0

class KernelCells implements ValueCells {
  readonly #column: SealedColumn
  readonly #count: number
  readonly #origin: ByteOrigin
  #number = decoded

  constructor(column: SealedColumn, count: number, origin: ByteOrigin) {
    this.#column = column
    this.#count = count
    this.#origin = origin
  }

  find({ from, to, step, enter, leave, first }: CellGrid, start: number, end: number): Int32Array {
    if (this.#number !== decoded) {
      decodeByKernel(this.#column, this.#count, this.#origin)
      this.#number = decoded
    }
    const { findCells, findCellsOfTwo, cells } = deltaKernel()
    if (leave === undefined) findCells(start, end, from, to, first, step, enter, 0)
    else findCellsOfTwo(start, end, from, to, first, step, enter, leave)
    return cells
  }
}

/** Whether the kernel's memory has the values now. */
function decodeByKernel(column: SealedColumn, count: number, origin: ByteOrigin): boolean {
  const isDelta = (column.encoding & ~ENCODING_ZSTD_FLAG) === ENCODING_DELTA_F64
  if (!isDelta || count > MAX_CELL_ROWS || unsealedBytes(column, origin) >= MAX_KERNEL_BYTES) return false
  decoded++
  const { bytes, decode } = deltaKernel()
  const size = unsealColumnTo(column, origin, bytes.subarray(at.input, at.input + MAX_KERNEL_BYTES + 1))
  const power = bytes[at.input]!
  return size > 0 && power <= MAX_POWER && decode(count, 10 ** power, MAX_MAGNITUDE) === size
}

/** The same for one value, step by step. */
export function cellOf({ from, to, step, enter, leave, first }: CellGrid, value: number): number {
  if (value < from || value >= to) return 0
  return edgesBefore(value, enter, step) + (leave === undefined ? 0 : edgesBefore(value, leave, step)) - first
}

function edgesBefore(value: number, base: number, step: number): number {
  return value <= base ? 0 : Math.ceil((value - base) / step)
}

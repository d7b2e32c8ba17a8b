/**
 * Which lines of a stream are looked at, and how many each stands for. The first {@link EXACT_ROWS} of each level count for
 * themselves; of the rest, one of every few, which chance picks, so that lines that come in turns are seen all. Numbers add up to the
 * number of lines. A level with few lines is therefore counted exactly, however many the others have.
 */
import { MAX_LEVELS } from './pattern-counts.ts'

/** Lines of a level, in one page of one stream, that are counted one by one. */
export const EXACT_ROWS = 32
/** One line of so many is looked at, and from so many lines on one of more. */
const GROUP_ROWS = 4
const MANY_ROWS = 1024
const GROUP_OF_MANY_ROWS = 16

export class RowSampler {
  readonly #rows = new Uint32Array(MAX_LEVELS)
  readonly #seen = new Uint32Array(MAX_LEVELS)
  readonly #chosen = new Uint32Array(MAX_LEVELS)
  readonly #groupEnd = new Uint32Array(MAX_LEVELS)
  readonly #groupRows = new Uint32Array(MAX_LEVELS)
  #random = 1

  /** Begins with the rows `[from, to)`, all of one stream. */
  begin(levels: Uint8Array, from: number, to: number): void {
    this.#rows.fill(0)
    this.#seen.fill(0)
    this.#groupEnd.fill(0)
    for (let row = from; row < to; row++) this.#rows[levels[row]!]!++
  }

  /** How many lines the next one stands for; 0: it is passed over. */
  next(level: number): number {
    const position = this.#seen[level]!++
    if (position < EXACT_ROWS) return 1
    if (position >= this.#groupEnd[level]!) this.#beginGroup(level, position)
    return position === this.#chosen[level] ? this.#groupRows[level]! : 0
  }

  #beginGroup(level: number, position: number): void {
    const size = Math.min(position < MANY_ROWS ? GROUP_ROWS : GROUP_OF_MANY_ROWS, this.#rows[level]! - position)
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    this.#chosen[level] = position + ((this.#random >>> 16) % size)
    this.#groupRows[level] = size
    this.#groupEnd[level] = position + size
  }
}

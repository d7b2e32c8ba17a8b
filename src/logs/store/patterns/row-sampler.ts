/**
 * Which lines of a block are looked at, and how many each stands for. Of each stream and level, the first lines count for themselves;
 * of the rest, one of every few, which chance picks, so that lines that come in turns are seen all. A level with few lines is
 * therefore counted exactly, however many the others have.
 *
 * Rows come in runs of one stream; a stream comes again in each hour. No line stands for one of another run, so that counts have
 * their hour. That leaves little to pass over where streams are small; so a block has limits: of very many streams some are chosen;
 * once a part of the lines was looked at, groups begin at once, and then short runs are passed over whole. What lines stand for and
 * `passedOver` are together all lines.
 */
import { MAX_LEVELS } from './pattern-counts.ts'

/** Lines of a stream and level that are counted one by one. */
export const EXACT_ROWS = 32
/** From so many lines of a stream and level on, one of a group is looked at. */
const GROUPS: readonly { readonly fromRow: number; readonly rows: number }[] = [
  { fromRow: 1024, rows: 16 },
  { fromRow: 128, rows: 8 },
  { fromRow: 0, rows: 4 },
]
/** Where groups do not get larger any more. */
const MANY_ROWS = 1024
/** A block may look at so many lines, and at these parts of its lines: while lines count for themselves, and in all. */
const FREE_ROWS = 16_384
const EXACT_PART = 0.2
const LOOKED_AT_PART = 0.3
/** Most streams that are looked at, and one more for so many lines: of more, the section would have no room for most. */
const FREE_STREAMS = 8192
const ROWS_PER_STREAM = 16
/** What is left of a run may be passed over whole if it is no more. */
const SHORT_REST_ROWS = 16
/** Levels of a stream that are told apart here; further ones are taken for the first. */
const LEVELS_OF_STREAM = 16

export class RowSampler {
  /** Lines by stream and level in the pages before and in this one, up to {@link MANY_ROWS}. */
  #seen = new Uint16Array(64 * LEVELS_OF_STREAM)
  #rows = 0
  #rowsLookedAt = 0
  #passedOver = 0
  #stream = 0
  #isChosen = true
  /** The part of the streams that is chosen, in 2³². */
  readonly #chosenPart: number
  /** Lines of the run that are still to come, by level. */
  readonly #left = new Uint32Array(MAX_LEVELS)
  /** Lines of the group that are still to come, how many are before the chosen one, and how many it stands for, by level. */
  readonly #groupLeft = new Uint32Array(MAX_LEVELS)
  readonly #beforeChosen = new Uint32Array(MAX_LEVELS)
  readonly #groupRows = new Uint32Array(MAX_LEVELS)
  #random = 1

  /** For a block with so many streams and rows. */
  constructor({ streams, rows }: { readonly streams: number; readonly rows: number }) {
    this.#chosenPart = ((FREE_STREAMS + rows / ROWS_PER_STREAM) / streams) * 2 ** 32
  }

  /** Begins with the rows `[from, to)`, all of one stream. */
  begin(stream: number, levels: Uint8Array, from: number, to: number): void {
    this.#rows += to - from
    this.#isChosen = mixed(stream) < this.#chosenPart
    if (!this.#isChosen) {
      this.#passedOver += to - from
      return
    }
    this.#stream = stream
    const needed = (stream + 1) * LEVELS_OF_STREAM
    if (needed > this.#seen.length) {
      const larger = new Uint16Array(Math.max(needed, this.#seen.length * 2))
      larger.set(this.#seen)
      this.#seen = larger
    }
    this.#left.fill(0)
    this.#groupLeft.fill(0)
    for (let row = from; row < to; row++) this.#left[levels[row]!]!++
  }

  /** How many lines the next one stands for; 0: it is passed over. */
  next(level: number): number {
    if (!this.#isChosen) return 0
    if (this.#groupLeft[level] === 0) this.#beginGroup(level)
    this.#left[level]!--
    this.#groupLeft[level]!--
    return this.#beforeChosen[level]!-- === 0 ? this.#groupRows[level]! : 0
  }

  /** Lines for which none stands. */
  get passedOver(): number {
    return this.#passedOver
  }

  #beginGroup(level: number): void {
    const left = this.#left[level]!
    const looksAtMost = FREE_ROWS + LOOKED_AT_PART * this.#rows
    if (left <= SHORT_REST_ROWS && this.#rowsLookedAt >= looksAtMost) {
      this.#passedOver += left
      this.#groupLeft[level] = left
      this.#groupRows[level] = 0
      return
    }
    const slot = this.#stream * LEVELS_OF_STREAM + (level < LEVELS_OF_STREAM ? level : 0)
    const seen = this.#seen[slot]!
    const size = Math.min(this.#groupSize(seen), left)
    this.#rowsLookedAt++
    this.#seen[slot] = Math.min(seen + size, MANY_ROWS)
    this.#groupLeft[level] = size
    this.#groupRows[level] = size
    this.#beforeChosen[level] = size === 1 ? 0 : this.#below(size)
  }

  #groupSize(seen: number): number {
    if (seen < EXACT_ROWS && this.#rowsLookedAt < FREE_ROWS + EXACT_PART * this.#rows) return 1
    for (let i = 0; i < GROUPS.length; i++) if (seen >= GROUPS[i]!.fromRow) return GROUPS[i]!.rows
    return 1
  }

  #below(limit: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    return (this.#random >>> 16) % limit
  }
}

/** Any 32 bits, which are the same for the same number. */
function mixed(stream: number): number {
  let hash = Math.imul(stream ^ (stream >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

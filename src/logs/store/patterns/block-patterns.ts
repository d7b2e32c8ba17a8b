/** Mines the patterns of a block, page by page while it is written. */
import { LevelCodes } from './level-codes.ts'
import { type MinedRow, PatternMiner } from './pattern-miner.ts'
import { encodePatternSection, SHORTEST_STEP_NS } from './pattern-section.ts'
import { RowSampler } from './row-sampler.ts'
import type { TextRanges } from '#/storage/column/text-values.ts'

export type PageToMine = {
  /** Ordinals in the block. */
  readonly streams: Uint32Array
  readonly times: Float64Array
  readonly lengths: Uint32Array
  /** Back to back. */
  readonly lines: Uint8Array
}

export class BlockPatterns {
  readonly #miner = new PatternMiner(SHORTEST_STEP_NS)
  readonly #levels = new LevelCodes()
  readonly #sampler: RowSampler
  #codes = new Uint8Array(0)

  /** Of a block with so many streams and rows. */
  constructor(block: { readonly streams: number; readonly rows: number }) {
    this.#sampler = new RowSampler(block)
  }

  /** The levels of the rows of the next page; without this call none has one. */
  setLevels({ rowCount, count, source, rows, starts, ends }: TextRanges): void {
    this.#clearLevels(rowCount)
    for (let i = 0; i < count; i++) this.#codes[rows[i]!] = this.#levels.codeOf(source, starts[i]!, ends[i]!)
  }

  addPage({ streams, times, lengths, lines }: PageToMine): void {
    if (this.#codes.length < lengths.length) this.#clearLevels(lengths.length)
    const row: MinedRow = { stream: 0, level: 0, time: 0, lines: 1 }
    let start = 0
    for (let i = 0; i < lengths.length; i++) {
      if (i === 0 || streams[i] !== streams[i - 1]) {
        let end = i + 1
        while (end < streams.length && streams[end] === streams[i]) end++
        this.#sampler.begin(streams[i]!, this.#codes, i, end)
      }
      const end = start + lengths[i]!
      row.lines = this.#sampler.next(this.#codes[i]!)
      if (row.lines > 0) {
        row.stream = streams[i]!
        row.level = this.#codes[i]!
        row.time = times[i]!
        this.#miner.add(lines, start, end, row)
      }
      start = end
    }
    this.#codes.fill(0)
  }

  /** `blockBytes`: the size of the block without. */
  finish(blockBytes: number): Uint8Array {
    const mined = this.#miner.finish()
    const uncounted = mined.uncounted + this.#sampler.passedOver
    return encodePatternSection({ ...mined, uncounted }, this.#levels.texts(), blockBytes)
  }

  #clearLevels(rowCount: number): void {
    if (this.#codes.length < rowCount) this.#codes = new Uint8Array(rowCount)
    else this.#codes.fill(0)
  }
}

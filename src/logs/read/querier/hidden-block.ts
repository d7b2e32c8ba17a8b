/** A block of which rows are hidden: its runs count what is left, everything else is as it is stored. */
import type { LogBlock, PageBytes, PageColumns, PageMemory, PatternBytes, StreamStat } from '#/logs/store/log-block.ts'
import type { StreamRuns } from '#/storage/block/contents.ts'
import type { PageBits, PageCondition } from '#/storage/filter/filter.ts'

export class HiddenBlock implements LogBlock {
  readonly meta: LogBlock['meta']
  readonly streams: LogBlock['streams']
  readonly memoryBytes: number
  readonly pages: LogBlock['pages']
  readonly runs: StreamRuns
  readonly #stored: LogBlock

  constructor(stored: LogBlock, runs: StreamRuns) {
    this.#stored = stored
    this.meta = stored.meta
    this.streams = stored.streams
    this.memoryBytes = stored.memoryBytes
    this.pages = stored.pages
    this.runs = runs
  }

  selectPages(ordinals: Uint32Array | undefined, from: number, to: number): number[] {
    const isWanted = new Uint8Array(this.streams.count).fill(ordinals === undefined ? 1 : 0)
    for (const ordinal of ordinals ?? []) isWanted[ordinal] = 1
    const { pageEnds, stream, minTime, maxTime } = this.runs
    return this.#stored.selectPages(ordinals, from, to).filter((position) => {
      for (let run = position === 0 ? 0 : pageEnds[position - 1]!; run < pageEnds[position]!; run++) {
        if (isWanted[stream[run]!] === 1 && maxTime[run]! >= from && minTime[run]! < to) return true
      }
      return false
    })
  }

  streamStats(ordinals: Uint32Array | undefined): readonly StreamStat[] {
    return this.#stored.streamStats(ordinals)
  }

  readBytes(position: number, columns: PageColumns): number {
    return this.#stored.readBytes(position, columns)
  }

  readPages(
    positions: readonly number[],
    columns: PageColumns,
    signal: AbortSignal | undefined,
    memory?: PageMemory,
  ): Promise<PageBytes[]> {
    return this.#stored.readPages(positions, columns, signal, memory)
  }

  pagesWith(condition: PageCondition, signal: AbortSignal | undefined): Promise<PageBits | undefined> {
    return this.#stored.pagesWith(condition, signal)
  }

  readPatterns(signal: AbortSignal | undefined): Promise<PatternBytes | undefined> {
    return this.#stored.readPatterns(signal)
  }
}

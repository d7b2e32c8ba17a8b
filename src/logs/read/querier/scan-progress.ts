/** How far a query has come in what it may have to read. */
import type { QueryProgress } from '#/logs/wire/query-stream.ts'
import type { SourcePage } from './source.ts'
import type { DayView, View } from './view.ts'

export class ScanProgress {
  #bytesDone = 0
  #bytesTotal = 0
  #blocksTotal = 0
  /** Visits of blocks that are over; each of `#visits` scans has one for each block. */
  #blocksDone = 0
  #visits = 1
  /** Pages to be read yet by block. */
  readonly #left = new Map<unknown, number>()
  readonly #pages = new Map<SourcePage, number>()

  /** `view` is what the query may read, `visits` times. */
  begin(view: View, visits: number): void {
    this.#visits = Math.max(1, visits)
    for (const day of view) {
      this.#bytesTotal += bytesOf(day) * this.#visits
      this.#blocksTotal += day.blocks.length
    }
  }

  /** Of a day, `pages` are left after pruning. */
  prepared(view: DayView, pages: readonly SourcePage[]): void {
    const rawBytes = new Map(
      view.blocks.map(({ key, rawBytes: bytes, rowCount }) => [key, bytes / Math.max(1, rowCount)]),
    )
    let bytes = bytesOf(view)
    const used = new Set<string>()
    for (const page of pages) {
      const { source, rowCount, lineBytes } = page
      const size = source.data.kind === 'head' ? lineBytes : rowCount * (rawBytes.get(source.id) ?? 0)
      bytes -= size
      this.#pages.set(page, size)
      if (source.data.kind === 'head') continue
      used.add(source.id)
      this.#left.set(source, (this.#left.get(source) ?? 0) + 1)
    }
    this.#bytesDone += Math.max(0, bytes)
    this.#blocksDone += view.blocks.length - used.size
  }

  /** Counts each page once, however often it is read. */
  read(pages: readonly SourcePage[]): void {
    for (const page of pages) {
      const size = this.#pages.get(page)
      if (size === undefined) continue
      this.#pages.delete(page)
      this.#bytesDone += size
      const left = this.#left.get(page.source)
      if (left === undefined) continue
      this.#left.set(page.source, left - 1)
      if (left === 1) this.#blocksDone++
    }
  }

  /** Nothing else is going to be read. */
  finish(): void {
    this.#bytesDone = this.#bytesTotal
    this.#blocksDone = this.#blocksTotal * this.#visits
  }

  get state(): QueryProgress {
    const { round, floor, min } = Math
    return {
      bytesDone: min(round(this.#bytesDone), round(this.#bytesTotal)),
      bytesTotal: round(this.#bytesTotal),
      blocksDone: min(floor(this.#blocksDone / this.#visits), this.#blocksTotal),
      blocksTotal: this.#blocksTotal,
    }
  }
}

function bytesOf({ heads, blocks }: DayView): number {
  const ofHeads = heads.reduce(
    (sum, { pages }) => sum + pages.reduce((all, page) => all + page.lineStart[page.rowCount]! - page.lineStart[0]!, 0),
    0,
  )
  return ofHeads + blocks.reduce((sum, { rawBytes }) => sum + rawBytes, 0)
}

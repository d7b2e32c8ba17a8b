/** Hands out the rows of one input in their order, page by page; one page is open at a time. */
import { isRowBefore, type RankedInput, type RowKey } from './merge-input.ts'
import type { NamedValues, SliceColumns } from './slice-columns.ts'
import { valueBytes } from './value-bytes.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import type { PageBytes } from '#/logs/store/log-block.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { RunsU32 } from '#/storage/column/runs-u32.ts'

/** What a cursor shares with those of the other inputs. */
export type MergedOutput = {
  /** Ordinal in the output by rank. */
  readonly ordinalOf: Uint32Array
  /** Number of a metadata name in the output. */
  nameId(name: string): number
}

export type InputPages = {
  readonly input: number
  readonly index: Pick<RankedInput, 'rankOf'>
  /** In their order. */
  readonly pages: readonly PageBytes[]
  /** Of the pages that have rows to be erased: 1 for each such row. By position in `pages`. */
  readonly erased: ReadonlyMap<number, Uint8Array>
}

export class InputCursor {
  readonly #source: InputPages
  readonly #output: MergedOutput
  #position = -1
  #page: LogPage | undefined
  #meta: readonly NamedValues[] = []
  /** Of the open page; the run that the next row is in, and the row. */
  #runs: RunsU32 = { values: new Uint32Array(0), ends: new Uint32Array(0) }
  #run = 0
  #row = 0

  constructor(source: InputPages, output: MergedOutput) {
    this.#source = source
    this.#output = output
  }

  /** Passes over the rows before `key`. */
  skipUntil(key: RowKey): void {
    this.#advance(key, undefined)
  }

  /** Adds the rows before `end` to `slice`. */
  takeUntil(end: RowKey, slice: SliceColumns): void {
    this.#advance(end, slice)
  }

  close(): void {
    this.#page?.release()
    this.#page = undefined
  }

  #advance(end: RowKey, slice: SliceColumns | undefined): void {
    for (;;) {
      if (this.#page === undefined && !this.#openNext()) return
      const page = this.#page!
      const { values, ends } = this.#runs
      for (; this.#run < values.length; this.#run++) {
        const rank = this.#source.index.rankOf[values[this.#run]!]!
        const to = firstNotBefore(page.time, rank, end, { from: this.#row, to: ends[this.#run]! })
        if (slice !== undefined && to > this.#row) this.#copy(page, rank, to, slice)
        this.#row = to
        if (to < ends[this.#run]!) return
      }
      this.close()
    }
  }

  #openNext(): boolean {
    const bytes = this.#source.pages[this.#position + 1]
    if (bytes === undefined) return false
    this.#position++
    this.#page = decodeBlockPage(bytes)
    this.#runs = runsOf(this.#page)
    this.#run = this.#row = 0
    this.#meta = []
    return true
  }

  #copy(page: LogPage, rank: number, to: number, slice: SliceColumns): void {
    if (this.#meta.length === 0 && page.metaNames.length > 0) this.#meta = this.#openMeta(page)
    const { time, lineStart, lines } = page
    const source = { input: this.#source.input, time, lineStart, lines, meta: this.#meta }
    const ordinal = this.#output.ordinalOf[rank]!
    const erased = this.#source.erased.get(this.#position)
    if (erased === undefined) {
      slice.add(source, ordinal, this.#row, to)
      return
    }
    for (let from = this.#row; from < to;) {
      if (erased[from] === 1) {
        from++
        continue
      }
      let next = from + 1
      while (next < to && erased[next] === 0) next++
      slice.add(source, ordinal, from, next)
      from = next
    }
  }

  #openMeta(page: LogPage): readonly NamedValues[] {
    return page.metaNames
      .map((name) => ({ name: this.#output.nameId(name), values: valueBytes(page.meta(name)!, page.rowCount) }))
      .sort((a, b) => a.name - b.name)
  }
}

/** Runs of one stream, whose rows ascend in time. */
export function runsOf(page: LogPage): RunsU32 {
  if (page.streamRuns !== undefined) return page.streamRuns
  const { stream, time } = page
  const values: number[] = []
  const ends: number[] = []
  for (let row = 0; row < stream.length; row++) {
    if (row > 0 && stream[row] === stream[row - 1] && time[row]! >= time[row - 1]!) ends[ends.length - 1] = row + 1
    else ends[values.push(stream[row]!) - 1] = row + 1
  }
  return { values: Uint32Array.from(values), ends: Uint32Array.from(ends) }
}

/** The first row of [from, to), all of one stream and ascending in time, that is not before `key`; `to` if there is none. */
export function firstNotBefore(
  time: Float64Array,
  stream: number,
  key: RowKey,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  if (from === to || isRowBefore(stream, time[to - 1]!, key)) return to
  let [low, high] = [from, to - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isRowBefore(stream, time[middle]!, key)) low = middle + 1
    else high = middle
  }
  return low
}

/** Encodes pages of sorted rows, one after the other, and keeps account of the runs of streams in them. */
import { MetaCollector } from './collect-meta.ts'
import { COLUMN_LENGTH, COLUMN_LINE, COLUMN_STREAM, COLUMN_TIME, metaColumn } from './columns.ts'
import type { RawPageColumns } from './log-page.ts'
import type { BlockPatterns } from './patterns/block-patterns.ts'
import { LEVEL_NAME } from './patterns/level-codes.ts'
import { RowLocations } from './row-locations.ts'
import type { PageTotals } from './run-table.ts'
import { RunTable } from './run-table.ts'
import type { SortedRows } from './sort-rows.ts'
import { asBuffer } from '#/kernel/byte-reader.ts'
import { MAX_CONSTANT_BYTES } from '#/storage/block/contents.ts'
import type { ColumnToWrite, PageToWrite } from '#/storage/block/v1/writer.ts'
import { ENCODING_BYTES } from '#/storage/column/encoding.ts'
import { encodeLineSlots } from '#/storage/column/line-slots.ts'
import type { LinesToCut } from '#/storage/column/line-slots.ts'
import { sealF64, sealRunsU32, sealU32 } from '#/storage/column/number-columns.ts'
import { sealColumn } from '#/storage/column/sealed.ts'
import type { SealedColumn } from '#/storage/column/sealed.ts'
import { encodeTextColumn } from '#/storage/column/text-column.ts'
import type { FilterBuilder } from '#/storage/filter/build-filter.ts'

type RowReceivers = {
  readonly filter: FilterBuilder
  readonly patterns: BlockPatterns | undefined
  /** Those of pages before, when a block is made of several sets of rows. */
  readonly runs?: RunTable
}

export class LogPageEncoder {
  readonly #rows: SortedRows
  /** Of each source page. */
  readonly #lineBytes: readonly Buffer[]
  readonly #metaBytes: readonly Buffer[]
  readonly #nameIds: readonly Uint32Array[]
  readonly #locations: RowLocations
  readonly #meta = new MetaCollector()
  readonly #runs: RunTable
  readonly #patterns: BlockPatterns | undefined
  readonly #filter: FilterBuilder
  #lines = Buffer.allocUnsafeSlow(0)

  /** `filter` gets every row, and so do `patterns` and `runs` if given. */
  constructor(
    rows: SortedRows,
    pages: readonly RawPageColumns[],
    { filter, patterns, runs = new RunTable() }: RowReceivers,
  ) {
    this.#runs = runs
    this.#rows = rows
    this.#filter = filter
    this.#patterns = patterns
    this.#locations = new RowLocations(rows, pages)
    this.#lineBytes = pages.map(({ lines }) => asBuffer(lines))
    this.#metaBytes = pages.map(({ meta }) => asBuffer(meta))
    this.#nameIds = pages.map(({ metaNames }) => this.#meta.idsOf(metaNames))
  }

  totals(): PageTotals {
    return this.#runs.totals()
  }

  /** The page of the rows `order[from, to)`. */
  encode(from: number, to: number): PageToWrite {
    const rowCount = to - from
    const { order, time, stream, length } = this.#rows
    const times = new Float64Array(rowCount)
    const streams = new Uint32Array(rowCount)
    const lengths = new Uint32Array(rowCount)
    const rawBytes = new Uint32Array(rowCount)
    for (let i = 0; i < rowCount; i++) {
      const row = order[from + i]!
      times[i] = time[row]!
      streams[i] = stream[row]!
      lengths[i] = length[row]!
    }
    this.#locations.locate(from, rowCount)
    this.#gatherMeta(rawBytes)
    const runs = this.#runs.addPage(streams, times, lengths, rawBytes)
    const lineBytes = this.#gatherLines(lengths)
    const meta = this.#encodeMeta(rowCount)
    this.#patterns?.addPage({ streams, times, lengths, lines: this.#lines })
    this.#filter.addLines(this.#lines, lengths)
    this.#filter.endPage()
    const { min: minTime, max: maxTime } = rangeOf(times)
    return {
      rowCount,
      minTime,
      maxTime,
      columns: [
        {
          name: COLUMN_STREAM,
          column: sealRunsU32(runs.stream, runs.rowCount),
          stats: statsOf(rowCount, rowCount * 4),
        },
        {
          name: COLUMN_TIME,
          column: sealF64(times),
          stats: { ...statsOf(rowCount, rowCount * 8), range: { min: minTime, max: maxTime } },
        },
        {
          name: COLUMN_LENGTH,
          column: sealU32(lengths),
          stats: { ...statsOf(rowCount, rowCount * 4), range: rangeOf(lengths) },
        },
        ...meta.columns,
        {
          name: COLUMN_LINE,
          column: encodeLines({ lines: this.#lines.subarray(0, lineBytes), lengths, times, values: meta.values }),
          stats: statsOf(rowCount, lineBytes),
        },
      ],
    }
  }

  /** Collects the metadata of the page's rows; `rawBytes` becomes the bytes of names and values of each. */
  #gatherMeta(rawBytes: Uint32Array): void {
    const { page, metaStart, metaEnd } = this.#locations
    this.#meta.clear()
    let fetched = 0
    for (let i = 0; i < rawBytes.length; i++) {
      if (i === fetched) fetched = this.#locations.fetch(this.#metaBytes, metaStart, metaEnd, i, rawBytes.length)
      if (metaStart[i] === metaEnd[i]) continue
      const source = page[i]!
      rawBytes[i] = this.#meta.add(i, this.#metaBytes[source]!, metaStart[i]!, metaEnd[i]!, this.#nameIds[source]!)
    }
  }

  /** Also the values that lines may refer to. */
  #encodeMeta(rowCount: number): { readonly columns: ColumnToWrite[]; readonly values: LinesToCut['values'] } {
    const columns: ColumnToWrite[] = []
    const values: LinesToCut['values'][number][] = []
    this.#meta.eachName(rowCount, (name, ranges) => {
      if (name === LEVEL_NAME) this.#patterns?.setLevels(ranges)
      this.#filter.addValues(name, ranges)
      let rawBytes = 0
      for (let i = 0; i < ranges.count; i++) rawBytes += ranges.ends[i]! - ranges.starts[i]!
      const { column, constant, range, hex } = encodeTextColumn(ranges)
      if (hex !== undefined) values.push({ name, hex })
      const isShort = constant !== undefined && Buffer.byteLength(constant) <= MAX_CONSTANT_BYTES
      const stats = { rawBytes, valueCount: ranges.count, range, constant: isShort ? constant : undefined }
      columns.push({ name: metaColumn(name), column, stats })
    })
    return { columns, values }
  }

  /** Puts the page's lines back to back into `#lines`; lines that are neighbours in the head go in one copy. */
  #gatherLines(lengths: Uint32Array): number {
    const { page, lineStart, lineEnd } = this.#locations
    let size = 0
    for (let i = 0; i < lengths.length; i++) size += lengths[i]!
    if (size > this.#lines.length) this.#lines = Buffer.allocUnsafeSlow(size)
    let at = 0
    let fetched = 0
    for (let i = 0; i < lengths.length;) {
      if (i >= fetched) fetched = this.#locations.fetch(this.#lineBytes, lineStart, lineEnd, i, lengths.length)
      const source = page[i]!
      const start = lineStart[i]!
      let end = start + lengths[i]!
      for (i++; i < lengths.length && page[i] === source && lineStart[i] === end; i++) end += lengths[i]!
      at += this.#lineBytes[source]!.copy(this.#lines, at, start, end)
    }
    return size
  }
}

function encodeLines(input: LinesToCut): SealedColumn {
  return encodeLineSlots(input) ?? sealColumn(ENCODING_BYTES, input.lines)
}

function statsOf(valueCount: number, rawBytes: number): ColumnToWrite['stats'] {
  return { rawBytes, valueCount, range: undefined, constant: undefined }
}

function rangeOf(values: Uint32Array | Float64Array): { readonly min: number; readonly max: number } {
  let min = Infinity
  let max = -Infinity
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}

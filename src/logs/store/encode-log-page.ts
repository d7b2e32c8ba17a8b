/** Encodes pages of sorted rows, one after the other, and keeps account of the runs of streams in them. */
import { MetaCollector } from './collect-meta.ts'
import { COLUMN_LENGTH, COLUMN_LINE, COLUMN_STREAM, COLUMN_TIME, metaColumn } from './columns.ts'
import type { HeadPageColumns } from './log-page.ts'
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
import { sealF64, sealRunsU32, sealU32 } from '#/storage/column/number-columns.ts'
import { sealColumn } from '#/storage/column/sealed.ts'
import { encodeTextColumn } from '#/storage/column/text-column.ts'

type Source = {
  readonly columns: HeadPageColumns
  readonly lines: Buffer
  readonly meta: Buffer
  readonly nameIds: Uint32Array
}

export class LogPageEncoder {
  readonly #rows: SortedRows
  readonly #sources: readonly Source[]
  readonly #locations: RowLocations
  readonly #meta = new MetaCollector()
  readonly #runs = new RunTable()
  readonly #patterns: BlockPatterns | undefined
  #lines = Buffer.allocUnsafeSlow(0)

  /** `patterns` gets every row, if given. */
  constructor(rows: SortedRows, pages: readonly HeadPageColumns[], patterns?: BlockPatterns) {
    this.#rows = rows
    this.#patterns = patterns
    this.#locations = new RowLocations(rows, pages)
    this.#sources = pages.map((columns) => ({
      columns,
      lines: asBuffer(columns.lines),
      meta: asBuffer(columns.meta),
      nameIds: this.#meta.idsOf(columns.metaNames),
    }))
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
    for (let i = 0; i < rowCount; i++) this.#runs.add(streams[i]!, times[i]!, rawBytes[i]! + lengths[i]!)
    const runs = this.#runs.endPage()
    const lineBytes = this.#gatherLines(lengths)
    const meta = this.#encodeMeta(rowCount)
    this.#patterns?.addPage({ streams, times, lengths, lines: this.#lines })
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
        ...meta,
        {
          name: COLUMN_LINE,
          column: sealColumn(ENCODING_BYTES, this.#lines.subarray(0, lineBytes)),
          stats: statsOf(rowCount, lineBytes),
        },
      ],
    }
  }

  /** Collects the metadata of the page's rows; `rawBytes` becomes the bytes of names and values of each. */
  #gatherMeta(rawBytes: Uint32Array): void {
    const { page, metaStart, metaEnd } = this.#locations
    this.#meta.clear()
    for (let i = 0; i < rawBytes.length; i++) {
      if (metaStart[i] === metaEnd[i]) continue
      const { meta, nameIds } = this.#sources[page[i]!]!
      rawBytes[i] = this.#meta.add(i, meta, { start: metaStart[i]!, end: metaEnd[i]! }, nameIds)
    }
  }

  #encodeMeta(rowCount: number): ColumnToWrite[] {
    const columns: ColumnToWrite[] = []
    this.#meta.eachName(rowCount, (name, ranges) => {
      if (name === LEVEL_NAME) this.#patterns?.setLevels(ranges)
      let rawBytes = 0
      for (let i = 0; i < ranges.count; i++) rawBytes += ranges.ends[i]! - ranges.starts[i]!
      const { column, constant, range } = encodeTextColumn(ranges)
      const isShort = constant !== undefined && Buffer.byteLength(constant) <= MAX_CONSTANT_BYTES
      const stats = { rawBytes, valueCount: ranges.count, range, constant: isShort ? constant : undefined }
      columns.push({ name: metaColumn(name), column, stats })
    })
    return columns
  }

  /** Puts the page's lines back to back into `#lines`; lines that are neighbours in the head go in one copy. */
  #gatherLines(lengths: Uint32Array): number {
    const { page, lineStart } = this.#locations
    let size = 0
    for (let i = 0; i < lengths.length; i++) size += lengths[i]!
    if (size > this.#lines.length) this.#lines = Buffer.allocUnsafeSlow(size)
    let at = 0
    for (let i = 0; i < lengths.length;) {
      const source = page[i]!
      const start = lineStart[i]!
      let end = start + lengths[i]!
      for (i++; i < lengths.length && page[i] === source && lineStart[i] === end; i++) end += lengths[i]!
      at += this.#sources[source]!.lines.copy(this.#lines, at, start, end)
    }
    return size
  }
}

function statsOf(valueCount: number, rawBytes: number): ColumnToWrite['stats'] {
  return { rawBytes, valueCount, range: undefined, constant: undefined }
}

function rangeOf(values: Uint32Array | Float64Array): { readonly min: number; readonly max: number } {
  let min = Infinity
  let max = -Infinity
  for (const value of values) {
    if (value < min) min = value
    if (value > max) max = value
  }
  return { min, max }
}

/**
 * The section "runs": which rows of which stream stand in which page, so that streams can be pruned and counted without
 * reading a page. Sealed as a whole.
 *
 *     pages uvarint · runs of each page packed ·
 *     per run: stream packed · rows packed · raw bytes packed · min time delta · (max - min time) delta ·
 *              line bytes packed (version 2)
 */
import { RUNS_VERSION, SECTION_VERSION } from './format.ts'
import { sealSection, unsealSection } from './sealed-section.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { KeptParts } from '#/platform/memory/kept-parts.ts'
import type { BlockPage, StreamRuns } from '#/storage/block/contents.ts'
import { decodeDeltaF64, encodeDeltaF64, skipDeltaF64 } from '#/storage/column/delta-f64.ts'
import { decodePackedU32, encodePackedU32, skipPackedU32 } from '#/storage/column/packed-u32.ts'

/** With the bytes of lines; without them it is version 1. */
export function runTableVersion({ lineBytes }: StreamRuns): number {
  return lineBytes === undefined ? SECTION_VERSION : RUNS_VERSION
}

export function encodeRunTable(runs: StreamRuns): Uint8Array {
  const out = new ByteWriter(64 * 1024)
  out.uvarint(runs.pageEnds.length)
  encodePackedU32(
    runs.pageEnds.map((end, page) => end - (runs.pageEnds[page - 1] ?? 0)),
    out,
  )
  encodePackedU32(runs.stream, out)
  encodePackedU32(runs.rowCount, out)
  encodePackedU32(runs.rawBytes, out)
  encodeDeltaF64(runs.minTime, out)
  encodeDeltaF64(
    runs.maxTime.map((max, run) => max - runs.minTime[run]!),
    out,
  )
  if (runs.lineBytes !== undefined) encodePackedU32(runs.lineBytes, out)
  return sealSection(out.written)
}

export type RunTableOptions = {
  readonly version: number
  readonly pages: readonly BlockPage[]
  readonly streamCount: number
  /** Keeps columns that are decoded; by default as long as the table lives. */
  readonly parts?: KeptParts | undefined
}

/** Columns in the order in which they are stored. */
const STREAM = 0
const ROW_COUNT = 1
const RAW_BYTES = 2
const MIN_TIME = 3
const SPAN = 4
const LINE_BYTES = 5

/**
 * Each column is decoded when it is first asked for, and checked against pages and streams: every page's runs hold its rows, every
 * stream exists.
 * @throws Corruption here or, for values that make no sense, when their column is asked for.
 */
export function openRunTable(bytes: Uint8Array, origin: ByteOrigin, options: RunTableOptions): StreamRuns {
  const table = new SealedRuns(bytes, origin, options)
  // getters of its own, so that a copy by `...` has all columns
  return {
    pageEnds: table.pageEnds,
    get stream() {
      return table.stream()
    },
    get rowCount() {
      return table.rowCount()
    },
    get rawBytes() {
      return table.words('raw bytes', RAW_BYTES)
    },
    get lineBytes() {
      return options.version === SECTION_VERSION ? undefined : table.words('line bytes', LINE_BYTES)
    },
    get minTime() {
      return table.minTime()
    },
    get maxTime() {
      return table.maxTime()
    },
  }
}

class SealedRuns {
  readonly pageEnds: Uint32Array
  readonly #count: number
  readonly #bytes: Uint8Array
  readonly #origin: ByteOrigin
  readonly #options: RunTableOptions
  readonly #parts: KeptParts

  constructor(bytes: Uint8Array, origin: ByteOrigin, options: RunTableOptions) {
    this.#bytes = bytes
    this.#origin = origin
    this.#options = options
    this.#parts = options.parts ?? new KeptParts()
    const { pages, version } = options
    const reader = this.#reader()
    const pageCount = reader.uvarint()
    if (pageCount !== pages.length) throw reader.corruption(`runs of ${pageCount} pages, not ${pages.length}`)
    this.pageEnds = decodePackedU32(reader, pageCount)
    let count = 0
    for (const [page, { rowCount }] of pages.entries()) {
      if (this.pageEnds[page]! > rowCount) throw reader.corruption(`more runs than rows in page ${page}`)
      this.pageEnds[page] = count += this.pageEnds[page]!
    }
    this.#count = count
    this.#skip(reader, version === SECTION_VERSION ? LINE_BYTES : LINE_BYTES + 1)
    reader.end()
  }

  stream(): Uint32Array {
    return this.#parts.get('runs stream', () => {
      const { streamCount } = this.#options
      const reader = this.#at(STREAM)
      const value = decodePackedU32(reader, this.#count)
      for (const stream of value)
        if (stream >= streamCount) throw reader.corruption(`stream ${stream} of ${streamCount}`)
      return { value, bytes: value.byteLength }
    })
  }

  rowCount(): Uint32Array {
    return this.#parts.get('runs rows', () => {
      const reader = this.#at(ROW_COUNT)
      const value = decodePackedU32(reader, this.#count)
      this.#checkRows(value, reader)
      return { value, bytes: value.byteLength }
    })
  }

  words(name: string, column: number): Uint32Array {
    return this.#parts.get(`runs ${name}`, () => {
      const value = decodePackedU32(this.#at(column), this.#count)
      return { value, bytes: value.byteLength }
    })
  }

  minTime(): Float64Array {
    return this.#parts.get('runs min time', () => {
      const value = decodeDeltaF64(this.#at(MIN_TIME), this.#count)
      return { value, bytes: value.byteLength }
    })
  }

  maxTime(): Float64Array {
    return this.#parts.get('runs max time', () => {
      const minTime = this.minTime()
      const value = decodeDeltaF64(this.#at(SPAN), this.#count)
      for (let run = 0; run < value.length; run++) value[run]! += minTime[run]!
      return { value, bytes: value.byteLength }
    })
  }

  #checkRows(rowCount: Uint32Array, reader: ByteReader): void {
    let run = 0
    for (const [page, { rowCount: expected }] of this.#options.pages.entries()) {
      let rows = 0
      for (; run < this.pageEnds[page]!; run++) rows += rowCount[run]!
      if (rows !== expected) throw reader.corruption(`runs of page ${page} hold ${rows} rows, not ${expected}`)
    }
  }

  /** A reader in front of a column. */
  #at(column: number): ByteReader {
    const reader = this.#reader()
    skipPackedU32(reader, reader.uvarint())
    this.#skip(reader, column)
    return reader
  }

  /** Passes over so many columns. */
  #skip(reader: ByteReader, columns: number): void {
    for (let column = 0; column < columns; column++) {
      if (column === MIN_TIME || column === SPAN) skipDeltaF64(reader, this.#count)
      else skipPackedU32(reader, this.#count)
    }
  }

  #reader(): ByteReader {
    const raw = this.#parts.hold('runs', () => unsealSection(this.#bytes, this.#origin))
    return new ByteReader(raw, this.#origin)
  }
}

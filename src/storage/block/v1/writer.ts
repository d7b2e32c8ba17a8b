/**
 * Writes a block: pages as they come, then the sections, then footer and trailer. All in memory, in parts that each own
 * their ArrayBuffer and can therefore be transferred to another thread.
 */
import { encodeFooter } from './footer.ts'
import type { Section } from './footer.ts'
import {
  BLOCK_MAGIC,
  SECTION_BLOOM_FILTERS,
  SECTION_LABELS,
  SECTION_PAGES,
  SECTION_PATTERNS,
  SECTION_RUNS,
  SECTION_VERSION,
  SECTION_WORD_DICTIONARY,
} from './format.ts'
import { encodePageDirectory } from './page-directory.ts'
import { encodeRunTable, runTableVersion } from './run-table.ts'
import { crc32 } from '#/kernel/crc32.ts'
import type { BlockColumn, BlockPage, ColumnStats, StreamRuns } from '#/storage/block/contents.ts'
import type { StoredMeta } from '#/storage/block/meta-json.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { SealedColumn } from '#/storage/column/sealed.ts'
import type { EncodedFilter } from '#/storage/filter/build-filter.ts'

const PART_BYTES = 4 * 1024 * 1024

export type ColumnToWrite = { readonly name: string; readonly column: SealedColumn; readonly stats: ColumnStats }
export type PageToWrite = {
  readonly rowCount: number
  readonly minTime: number
  readonly maxTime: number
  readonly columns: readonly ColumnToWrite[]
}
/** `labels` is an encoded label index, `runs` covers all pages; the others are sections as they are stored, if there are any. */
export type IndexToWrite = {
  readonly labels: Uint8Array
  readonly runs: StreamRuns
  readonly patterns?: Uint8Array | undefined
  readonly filter?: EncodedFilter | undefined
}
export type BlockBytes = { readonly meta: BlockMeta; readonly parts: Uint8Array<ArrayBuffer>[] }

export class BlockWriter {
  readonly #out = new PartsWriter()
  readonly #pages: BlockPage[] = []

  constructor() {
    this.#out.append(BLOCK_MAGIC)
  }

  /** Bytes of all pages so far. */
  get sizeBytes(): number {
    return this.#out.sizeBytes
  }

  get pageCount(): number {
    return this.#pages.length
  }

  addPage({ rowCount, minTime, maxTime, columns }: PageToWrite): void {
    const written: BlockColumn[] = []
    for (const { name, column, stats } of columns) {
      const { encoding, bytes } = column
      const offset = this.#out.sizeBytes
      this.#out.append(bytes)
      written.push({ name, encoding, offset, sizeBytes: bytes.length, crc32: crc32(bytes), stats })
    }
    this.#pages.push({ rowCount, minTime, maxTime, columns: written })
  }

  /** The writer is used up afterwards. */
  finish(key: string, meta: StoredMeta, index: IndexToWrite): BlockBytes {
    // what is large or rarely read first: what every reader needs stands together at the end
    const sections: Section[] = []
    if (index.filter) sections.push(this.#addSection(SECTION_BLOOM_FILTERS, index.filter.bloom))
    if (index.patterns) sections.push(this.#addSection(SECTION_PATTERNS, index.patterns))
    if (index.filter) sections.push(this.#addSection(SECTION_WORD_DICTIONARY, index.filter.words))
    sections.push(
      this.#addSection(SECTION_LABELS, index.labels),
      this.#addSection(SECTION_RUNS, encodeRunTable(index.runs), runTableVersion(index.runs)),
      this.#addSection(SECTION_PAGES, encodePageDirectory(this.#pages, BLOCK_MAGIC.length)),
    )
    this.#out.append(encodeFooter({ meta, sections }, this.#out.sizeBytes))
    return { meta: { ...meta, key, sizeBytes: this.#out.sizeBytes }, parts: this.#out.finish() }
  }

  #addSection(type: number, bytes: Uint8Array, version = SECTION_VERSION): Section {
    const offset = this.#out.sizeBytes
    this.#out.append(bytes)
    return { type, version, offset, sizeBytes: bytes.length, crc32: crc32(bytes) }
  }
}

/** Appends bytes to parts of fixed size. */
class PartsWriter {
  sizeBytes = 0
  readonly #full: Uint8Array<ArrayBuffer>[] = []
  #part = new Uint8Array(PART_BYTES)
  #used = 0

  append(bytes: Uint8Array): void {
    this.sizeBytes += bytes.length
    for (let from = 0; from < bytes.length;) {
      const size = Math.min(bytes.length - from, PART_BYTES - this.#used)
      this.#part.set(bytes.subarray(from, from + size), this.#used)
      this.#used += size
      from += size
      if (this.#used < PART_BYTES) continue
      this.#full.push(this.#part)
      this.#part = new Uint8Array(PART_BYTES)
      this.#used = 0
    }
  }

  finish(): Uint8Array<ArrayBuffer>[] {
    return this.#used === 0 ? this.#full : [...this.#full, this.#part.slice(0, this.#used)]
  }
}

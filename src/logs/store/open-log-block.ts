/** Opens a log block: its index in memory, its pages on demand. Runs on the main thread, and decodes no page. */
import { planReads } from './plan-reads.ts'
import type { ColumnCache, SharedBytes } from './column-cache.ts'
import type { PageSpan, ReadPlan } from './plan-reads.ts'
import { COLUMN_LENGTH, COLUMN_LINE, COLUMN_STREAM, COLUMN_TIME, metaNameOf } from './columns.ts'
import { plainReader, type FilterCache } from './filter-cache.ts'
import type { LogBlock, PageBytes, PageColumns, PageEntry, PageMemory, PatternBytes, StreamStat } from './log-block.ts'
import { assert } from '#/kernel/assert.ts'
import { throwIfAborted } from '#/kernel/errors.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { KeptParts, type PartCache } from '#/platform/memory/kept-parts.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { BlockColumn, BlockPage, StreamRuns } from '#/storage/block/contents.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { Section } from '#/storage/block/v1/footer.ts'
import {
  SECTION_BLOOM_FILTERS,
  SECTION_PATTERNS,
  SECTION_VERSION,
  SECTION_WORD_DICTIONARY,
} from '#/storage/block/v1/format.ts'
import type { OpenedBlock } from '#/storage/block/v1/reader.ts'
import { openBlock } from '#/storage/block/versions.ts'
import type { BlockRef } from '#/storage/block/versions.ts'
import { ENCODING_HEX_TEXT, ENCODING_ZSTD_FLAG, isCutLines } from '#/storage/column/encoding.ts'
import type { BlockFilter, PageBits, PageCondition, ReadSection } from '#/storage/filter/filter.ts'
import { openBlockFilter } from '#/storage/filter/open-filter.ts'
import type { SealedLabelIndex } from '#/storage/index/open-label-index.ts'
import { openLabelIndex } from '#/storage/index/open-label-index.ts'

/** Estimates of what the index costs in memory, for the cache's budget. */
const BYTES_PER_COLUMN = 200
const BYTES_PER_PAGE = 400

export type OpenLogBlockOptions = {
  /** What is read of the filters of all blocks. Without it each question reads anew. */
  readonly filters?: FilterCache
  /** What is decoded of the indexes of all blocks. Without it, it stays as long as the block is open. */
  readonly parts?: PartCache
  /** Small columns of pages. Without it, they are read each time. */
  readonly columns?: ColumnCache
  readonly signal?: AbortSignal
}

/** @throws Corruption when footer or index are damaged, NotFound. */
export async function openLogBlock(
  store: ObjectStore,
  ref: BlockRef,
  { filters, parts: cache, columns, signal }: OpenLogBlockOptions = {},
): Promise<LogBlock> {
  const parts = new KeptParts(ref.key, cache)
  return new OpenLogBlock(store, await openBlock(store, ref, { parts, signal }), { filters, parts, columns })
}

type Kept = {
  readonly filters: FilterCache | undefined
  readonly parts: KeptParts
  readonly columns: ColumnCache | undefined
}

class OpenLogBlock implements LogBlock {
  readonly meta: BlockMeta
  readonly streams: SealedLabelIndex
  readonly pages: readonly PageEntry[]
  readonly runs: StreamRuns
  readonly memoryBytes: number
  readonly #store: ObjectStore
  readonly #block: OpenedBlock
  readonly #filters: FilterCache | undefined
  readonly #columns: ColumnCache | undefined

  constructor(store: ObjectStore, block: OpenedBlock, { filters, parts, columns }: Kept) {
    this.#store = store
    this.#block = block
    this.#filters = filters
    this.#columns = columns
    this.meta = block.meta
    const { bytes, origin } = block.labels
    this.streams = openLabelIndex(bytes, { origin, formatText: formatLabels, parts })
    this.pages = block.pages.map(entryOf)
    this.runs = block.runs
    const columnCount = block.pages.reduce((sum, page) => sum + page.columns.length, 0)
    this.memoryBytes =
      this.streams.memoryBytes + block.runBytes + columnCount * BYTES_PER_COLUMN + block.pages.length * BYTES_PER_PAGE
  }

  selectPages(ordinals: Uint32Array | undefined, from: number, to: number): number[] {
    const isWanted = ordinals && this.#flags(ordinals)
    const positions: number[] = []
    for (const [position, { minTime, maxTime }] of this.pages.entries()) {
      if (maxTime < from || minTime >= to) continue
      const window = minTime >= from && maxTime < to ? undefined : { from, to }
      if (isWanted === undefined || this.#pageHolds(position, isWanted, window)) positions.push(position)
    }
    return positions
  }

  streamStats(ordinals: Uint32Array | undefined): readonly StreamStat[] {
    const isWanted = ordinals && this.#flags(ordinals)
    const { stream, rowCount, rawBytes, minTime, maxTime } = this.runs
    const stats = new Map<number, { -readonly [K in keyof StreamStat]: StreamStat[K] }>()
    for (let run = 0; run < stream.length; run++) {
      const ordinal = stream[run]!
      if (isWanted !== undefined && isWanted[ordinal] === 0) continue
      const stat = stats.get(ordinal)
      if (stat === undefined) {
        const first = { rowCount: rowCount[run]!, rawBytes: rawBytes[run]! }
        stats.set(ordinal, { ordinal, ...first, minTime: minTime[run]!, maxTime: maxTime[run]! })
        continue
      }
      stat.rowCount += rowCount[run]!
      stat.rawBytes += rawBytes[run]!
      stat.minTime = Math.min(stat.minTime, minTime[run]!)
      stat.maxTime = Math.max(stat.maxTime, maxTime[run]!)
    }
    return [...stats.values()].sort((a, b) => a.ordinal - b.ordinal)
  }

  readBytes(position: number, columns: PageColumns): number {
    const { start, end } = this.#wantedOf(position, columns).span
    return end - start
  }

  async readPages(
    positions: readonly number[],
    columns: PageColumns,
    signal: AbortSignal | undefined,
    memory?: PageMemory,
  ): Promise<PageBytes[]> {
    const wanted = positions.map((position) => this.#wantedOf(position, columns))
    const spans = wanted.map(({ span }) => span)
    const bytesOf = await this.#readSpans(spans, columns.lines ? undefined : this.#columns, { signal, memory })
    return wanted.map(({ position, span, found, unreadMeta }, i) => ({
      block: this.meta.key,
      page: position,
      rowCount: this.pages[position]!.rowCount,
      bytes: bytesOf[i]!,
      offset: span.start,
      unreadMeta,
      columns: found.map(({ name, encoding, offset, sizeBytes, crc32 }) => ({
        name,
        encoding,
        offset: offset - span.start,
        sizeBytes,
        crc32,
      })),
    }))
  }

  /** The bytes of spans of the object: those that are kept, and those that are read. */
  async #readSpans(
    spans: readonly PageSpan[],
    kept: ColumnCache | undefined,
    { signal, memory }: { readonly signal: AbortSignal | undefined; readonly memory: PageMemory | undefined },
  ): Promise<readonly SharedBytes[]> {
    const { key } = this.meta
    const known = spans.map((span) => kept?.get(key, span))
    const missing = spans.filter((_, i) => known[i] === undefined)
    if (missing.length === 0) return known as readonly SharedBytes[]
    const memoryFor = memory && ((sizeBytes: number): SharedArrayBuffer => memory.take(sizeBytes))
    const plan = planReads(missing, { nearBytes: this.#store.nearBytes, memoryFor })
    await this.#read(plan.reads, signal, memory)
    if (kept !== undefined) {
      const offer = (): void => missing.forEach((span, i) => kept.offer(key, span, plan.bytesOf[i]!))
      if (memory?.whenRead !== undefined) memory.whenRead(offer)
      else if (memory?.readLater === undefined) offer()
    }
    let next = 0
    return known.map((bytes) => bytes ?? plan.bytesOf[next++]!)
  }

  async #read(
    ranges: ReadPlan['reads'],
    signal: AbortSignal | undefined,
    memory: PageMemory | undefined,
  ): Promise<void> {
    const { key } = this.meta
    if (memory?.readLater !== undefined) {
      const sizeBytes = ranges.reduce((sum, { target }) => sum + target.length, 0)
      const file = this.#store.fileOf?.(key, sizeBytes)
      if (file !== undefined) return memory.readLater({ key, file, ranges })
    }
    await this.#store.readRanges(key, ranges, signal)
  }

  async pagesWith(condition: PageCondition, signal: AbortSignal | undefined): Promise<PageBits | undefined> {
    const words = this.#section(SECTION_WORD_DICTIONARY)
    const bloom = this.#section(SECTION_BLOOM_FILTERS)
    if (words === undefined || bloom === undefined) return undefined
    const filter = await this.#openFilter(words, bloom)
    throwIfAborted(signal)
    return filter?.pagesWith(condition)
  }

  #openFilter(words: Section, bloom: Section): Promise<BlockFilter | undefined> {
    const { key, sizeBytes } = this.meta
    const open = (read: ReadSection): Promise<BlockFilter | undefined> =>
      openBlockFilter({ words, bloom }, { pageCount: this.pages.length, read, file: key })
    const block = { store: this.#store, key, sizeBytes }
    return this.#filters === undefined ? open(plainReader(block)) : this.#filters.filterOf(block, open)
  }

  #section(type: number): Section | undefined {
    return this.#block.sections.find((section) => section.type === type)
  }

  async readPatterns(signal: AbortSignal | undefined): Promise<PatternBytes | undefined> {
    const section = this.#block.sections.find(
      ({ type, version }) => type === SECTION_PATTERNS && version === SECTION_VERSION,
    )
    if (section === undefined) return undefined
    const { key, streamCount, rowCount } = this.meta
    const { offset, sizeBytes, crc32 } = section
    const bytes = new Uint8Array(new SharedArrayBuffer(sizeBytes))
    await this.#store.readInto(key, offset, bytes, signal)
    return { block: key, bytes, offset, crc32, streamCount, rowCount }
  }

  /** The columns of a page that are asked for, and the range that holds them all. */
  #wantedOf(position: number, wanted: PageColumns): WantedPage {
    const page = this.#block.pages[position]
    assert(page !== undefined, `page ${position} is one of ${this.pages.length}`)
    const isCut = wanted.lines && page.columns.some(isOfCutLines)
    const found = page.columns.filter((column) => isWantedColumn(column.name, wanted) || (isCut && isHexText(column)))
    const unreadMeta = namesOf(page).filter((name) => wanted.meta !== 'all' && !wanted.meta.includes(name))
    const start = Math.min(...found.map((column) => column.offset))
    const end = Math.max(...found.map((column) => column.offset + column.sizeBytes))
    return { position, span: { start, end }, found, unreadMeta }
  }

  #flags(ordinals: Uint32Array): Uint8Array {
    const flags = new Uint8Array(this.streams.count)
    for (const ordinal of ordinals) flags[ordinal] = 1
    return flags
  }

  /** Whether a page has a run of a wanted stream that reaches into the window; undefined: the whole page lies in it. */
  #pageHolds(position: number, isWanted: Uint8Array, window: TimesInDay | undefined): boolean {
    const { pageEnds, stream } = this.runs
    const [first, end] = [position === 0 ? 0 : pageEnds[position - 1]!, pageEnds[position]!]
    if (window === undefined) {
      for (let run = first; run < end; run++) if (isWanted[stream[run]!] === 1) return true
      return false
    }
    const { minTime, maxTime } = this.runs
    const { from, to } = window
    for (let run = first; run < end; run++) {
      if (isWanted[stream[run]!] === 1 && maxTime[run]! >= from && minTime[run]! < to) return true
    }
    return false
  }
}

/** `to` excluded. */
type TimesInDay = { readonly from: number; readonly to: number }

type WantedPage = {
  readonly position: number
  readonly span: PageSpan
  readonly found: readonly BlockColumn[]
  readonly unreadMeta: readonly string[]
}

function isWantedColumn(column: string, wanted: PageColumns): boolean {
  if (column === COLUMN_STREAM || column === COLUMN_TIME) return true
  if (column === COLUMN_LENGTH) return wanted.lengths || wanted.lines
  if (column === COLUMN_LINE) return wanted.lines
  const name = metaNameOf(column)
  return name !== undefined && (wanted.meta === 'all' || wanted.meta.includes(name))
}

function isOfCutLines({ encoding }: BlockColumn): boolean {
  return isCutLines(encoding)
}

/** Lines that are cut may refer to such metadata. */
function isHexText({ encoding }: BlockColumn): boolean {
  return (encoding & ~ENCODING_ZSTD_FLAG) === ENCODING_HEX_TEXT
}

function entryOf(page: BlockPage): PageEntry {
  const meta = page.columns.flatMap(({ name, stats }) => {
    const metaName = metaNameOf(name)
    return metaName === undefined ? [] : [{ metaName, stats }]
  })
  return {
    rowCount: page.rowCount,
    minTime: page.minTime,
    maxTime: page.maxTime,
    lineBytes: page.columns.find((column) => column.name === COLUMN_LINE)?.stats.rawBytes ?? 0,
    sizeBytes: page.columns.reduce((sum, column) => sum + column.sizeBytes, 0),
    metaNames: meta.map(({ metaName }) => metaName),
    metaBytes: meta.map(({ metaName, stats }) => stats.rawBytes + stats.valueCount * Buffer.byteLength(metaName)),
    metaConstants: meta.map(({ stats }) => stats.constant),
    metaCounts: meta.map(({ stats }) => stats.valueCount),
  }
}

function namesOf(page: BlockPage): string[] {
  return page.columns.map(({ name }) => metaNameOf(name)).filter((name) => name !== undefined)
}

/** What is in a block or a catalog, as plain data for `edda inspect`. Reads everything and checks every checksum. */
import { checkColumn, decodeBlockPage } from './block-page.ts'
import type { PatternBytes } from './log-block.ts'
import { openLogBlock } from './open-log-block.ts'
import { decodePatterns } from './patterns/decode-patterns.ts'
import { Corruption } from '#/kernel/errors.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { BLOCK_MAGIC, SECTION_BLOOM_FILTERS, SECTION_WORD_DICTIONARY, sectionName } from '#/storage/block/v1/format.ts'
import { checkSection } from '#/storage/block/v1/reader.ts'
import { openBlock } from '#/storage/block/versions.ts'
import type { OpenedBlock } from '#/storage/block/v1/reader.ts'
import { parseDayFile } from '#/storage/catalog/day-file.ts'
import { encodingName } from '#/storage/column/encoding.ts'
import { readWords } from '#/storage/filter/open-filter.ts'
import { summarizeWords } from '#/storage/filter/words-section.ts'
import type { FilterSummary } from '#/storage/filter/words-section.ts'

export type BlockInspection = {
  readonly meta: BlockMeta
  readonly sections: readonly InspectedSection[]
  /** Sums over all pages, by column. */
  readonly columns: readonly InspectedColumn[]
  readonly pages: readonly InspectedPage[]
  readonly streams: readonly string[]
  /** Undefined when the block has none, or they are damaged. */
  readonly patterns: InspectedPatterns | undefined
  /** Undefined when the block has none, or they are damaged. */
  readonly filter: FilterSummary | undefined
  /** Every damage that was found; a block without any is sound. */
  readonly problems: readonly string[]
}

export type InspectedSection = {
  readonly type: string
  readonly version: number
  readonly offset: number
  readonly sizeBytes: number
}
export type InspectedPatterns = {
  readonly stepSeconds: number
  /** Lines that are in no pattern. */
  readonly uncounted: number
  /** Over all streams, most lines first. */
  readonly patterns: readonly { readonly lines: number; readonly level: string; readonly pattern: string }[]
}
export type InspectedColumn = {
  readonly name: string
  readonly encodings: readonly string[]
  readonly sizeBytes: number
  readonly rawBytes: number
}
export type InspectedPage = {
  readonly rowCount: number
  readonly minTime: number
  readonly maxTime: number
  readonly columns: readonly {
    readonly name: string
    readonly encoding: string
    readonly offset: number
    readonly sizeBytes: number
    readonly rawBytes: number
    readonly valueCount: number
    readonly constant: string | undefined
  }[]
}

/** @throws Corruption when footer or index cannot be read at all, NotFound. */
export async function inspectBlock(store: ObjectStore, key: string): Promise<BlockInspection> {
  const block = await openBlock(store, { key })
  const problems = await checkBytes(store, block)
  if (problems.length === 0) problems.push(...(await checkPages(store, key)))
  const opened = await openLogBlock(store, { key })
  const streams = await collect(problems, () =>
    Array.from({ length: opened.streams.count }, (_, i) => opened.streams.text(i)),
  )
  const patterns = await collect(problems, async () => sumPatterns(await opened.readPatterns(undefined)))
  return {
    meta: block.meta,
    sections: block.sections.map(({ type, version, offset, sizeBytes }) => ({
      type: sectionName(type),
      version,
      offset,
      sizeBytes,
    })),
    columns: sumColumns(block),
    pages: block.pages.map(({ rowCount, minTime, maxTime, columns }) => ({
      rowCount,
      minTime,
      maxTime,
      columns: columns.map(({ name, encoding, offset, sizeBytes, stats: { rawBytes, valueCount, constant } }) => ({
        name,
        encoding: encodingName(encoding),
        offset,
        sizeBytes,
        rawBytes,
        valueCount,
        constant,
      })),
    })),
    streams: streams ?? [],
    patterns,
    filter: await collect(problems, () => inspectFilter(store, block)),
    problems,
  }
}

export type CatalogInspection =
  | {
      readonly blocks: readonly BlockMeta[]
      readonly tombstones: readonly string[]
      readonly flushed: Readonly<Record<string, number>>
    }
  | { readonly problem: string }

/** `bytes` of a `catalog.json`. */
export function inspectCatalog(bytes: Uint8Array): CatalogInspection {
  const parsed = parseDayFile(bytes)
  if (typeof parsed === 'string') return { problem: parsed }
  return {
    blocks: [...parsed.blocks.values()],
    tombstones: [...parsed.tombstones],
    flushed: Object.fromEntries(parsed.flushed),
  }
}

/** Magic and checksums of all columns and sections, those included that this version does not know. */
async function checkBytes(store: ObjectStore, { meta, pages, sections }: OpenedBlock): Promise<string[]> {
  const problems: string[] = []
  const { key } = meta
  const read = async (offset: number, size: number): Promise<Buffer> => {
    const bytes = Buffer.allocUnsafeSlow(size)
    await store.readInto(key, offset, bytes)
    return bytes
  }
  if (!BLOCK_MAGIC.equals(await read(0, BLOCK_MAGIC.length))) {
    problems.push(new Corruption({ file: key, offset: 0 }, 'it does not begin as a block does').message)
  }
  for (const column of pages.flatMap((page) => page.columns)) {
    const bytes = await read(column.offset, column.sizeBytes)
    await collect(problems, () => checkColumn(bytes, column, { file: key, offset: column.offset }))
  }
  for (const section of sections) {
    const bytes = await read(section.offset, section.sizeBytes)
    await collect(problems, () => checkSection(bytes, section, key))
  }
  return problems
}

/** Decodes everything. */
async function checkPages(store: ObjectStore, key: string): Promise<string[]> {
  const problems: string[] = []
  const block = await openLogBlock(store, { key })
  for (const position of block.pages.keys()) {
    const [bytes] = await block.readPages([position], { lengths: true, lines: true, meta: 'all' }, undefined)
    await collect(problems, () => {
      const page = decodeBlockPage(bytes!)
      for (const name of page.metaNames) page.meta(name)
      return [page.stream, page.time, page.lines]
    })
  }
  return problems
}

async function inspectFilter(
  store: ObjectStore,
  { meta, pages, sections }: OpenedBlock,
): Promise<FilterSummary | undefined> {
  const sectionOf = (type: number) => sections.find((section) => section.type === type)
  const read = async (offset: number, size: number): Promise<Buffer> => {
    const bytes = Buffer.allocUnsafeSlow(size)
    await store.readInto(meta.key, offset, bytes)
    return bytes
  }
  const filter = { words: sectionOf(SECTION_WORD_DICTIONARY), bloom: sectionOf(SECTION_BLOOM_FILTERS) }
  const words = await readWords(filter, { pageCount: pages.length, read, file: meta.key })
  return words && summarizeWords(words)
}

function sumPatterns(bytes: PatternBytes | undefined): InspectedPatterns | undefined {
  if (bytes === undefined) return undefined
  const { stepSeconds, uncounted, counts, levels, texts } = decodePatterns(bytes)
  const sums = new Map<string, { lines: number; level: string; pattern: string }>()
  for (const [series, end] of counts.ends.entries()) {
    const [level, text] = [counts.level[series]!, counts.text[series]!]
    const sum = sums.get(`${level},${text}`) ?? { lines: 0, level: levels[level]!, pattern: texts[text]! }
    sums.set(`${level},${text}`, sum)
    for (let i = counts.ends[series - 1] ?? 0; i < end; i++) sum.lines += counts.counts[i]!
  }
  return { stepSeconds, uncounted, patterns: [...sums.values()].toSorted((a, b) => b.lines - a.lines) }
}

async function collect<T>(problems: string[], check: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof Corruption)) throw error
    problems.push(error.message)
    return undefined
  }
}

function sumColumns({ pages }: OpenedBlock): InspectedColumn[] {
  const sums = new Map<string, { encodings: Set<string>; sizeBytes: number; rawBytes: number }>()
  for (const column of pages.flatMap((page) => page.columns)) {
    const sum = sums.get(column.name) ?? { encodings: new Set(), sizeBytes: 0, rawBytes: 0 }
    sums.set(column.name, sum)
    sum.encodings.add(encodingName(column.encoding))
    sum.sizeBytes += column.sizeBytes
    sum.rawBytes += column.stats.rawBytes
  }
  return Array.from(sums, ([name, { encodings, ...sizes }]) => ({ name, encodings: [...encodings], ...sizes }))
}

/**
 * Makes one block of a head's pages. Synchronous CPU work over shared memory, for a worker thread.
 *
 *     1. sort the rows by (hour, stream, time)             ./sort-rows.ts
 *     2. cut pages                                         ./cut-pages.ts
 *     3. encode each page, column by column                ./encode-log-page.ts
 *        note what its lines hold, for filters             storage/filter/build-filter.ts
 *        and mine patterns of its lines                    ./patterns/block-patterns.ts
 *     4. filters, label index of the streams that have rows, runs, patterns, footer
 */
import { cutPages } from './cut-pages.ts'
import { LogPageEncoder } from './encode-log-page.ts'
import type { HeadPageColumns } from './log-page.ts'
import { BlockPatterns } from './patterns/block-patterns.ts'
import { sortRows } from './sort-rows.ts'
import { assert } from '#/kernel/assert.ts'
import { formatBlockKey } from '#/storage/block/block-key.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { BlockWriter } from '#/storage/block/v1/writer.ts'
import type { BlockBytes } from '#/storage/block/v1/writer.ts'
import { FilterBuilder } from '#/storage/filter/build-filter.ts'
import { LabelIndexEncoder } from '#/storage/index/label-index-format.ts'
import type { CodedLabels } from '#/storage/index/coded-labels.ts'
import type { SharedTexts } from '#/storage/index/shared-texts.ts'

/** The folder below a tenant where log blocks are. */
export const LOGS_SIGNAL = 'logs'

export type LogBlockInput = {
  readonly tenant: string
  /** Days since the epoch, of all rows. */
  readonly day: number
  readonly level: number
  readonly ulid: string
  readonly source: BlockMeta['source']
  /** What `stream` in the pages refers to: canonical texts and labels of the streams. */
  readonly texts: SharedTexts
  readonly labels: CodedLabels
  /** In order of arrival; at least one row. */
  readonly pages: readonly HeadPageColumns[]
  /** Whether the block gets patterns of its lines. */
  readonly minesPatterns: boolean
  /** Most rows of a page, instead of the default: tests want many pages of few rows. */
  readonly pageRows?: number
}

/** The parts of the object in order; each owns its ArrayBuffer and may be transferred. */
export function writeLogBlock(input: LogBlockInput): BlockBytes {
  const { tenant, day, level, ulid, source, texts, pages } = input
  assert(
    pages.some((page) => page.rowCount > 0),
    'a block has rows',
  )
  const rows = sortRows(texts, pages)
  const patterns = input.minesPatterns
    ? new BlockPatterns({ streams: rows.sourceStreams.length, rows: rows.order.length })
    : undefined
  const filter = new FilterBuilder(rows.length.reduce((sum, bytes) => sum + bytes, 0))
  const encoder = new LogPageEncoder(rows, pages, { filter, patterns })
  const writer = new BlockWriter()
  const cuts = cutPages(rows, input.pageRows)
  for (let page = 0; page + 1 < cuts.length; page++) writer.addPage(encoder.encode(cuts[page]!, cuts[page + 1]!))
  const labels = new LabelIndexEncoder()
  for (let i = 0; i < rows.sourceStreams.length; i++) labels.addCoded(input.labels, rows.sourceStreams[i]!)
  const totals = encoder.totals()
  const { minTime, maxTime, rawBytes, runs } = totals
  const key = formatBlockKey({ tenant, signal: LOGS_SIGNAL, day, minTime, maxTime, level, ulid })
  const counts = { rowCount: rows.order.length, streamCount: rows.sourceStreams.length, pageCount: cuts.length - 1 }
  const meta = { tenant, day, level, minTime, maxTime, ...counts, rawBytes, source }
  const index = { labels: labels.finish(), runs, patterns: patterns?.finish(writer.sizeBytes), filter: filter.finish() }
  return writer.finish(key, meta, index)
}

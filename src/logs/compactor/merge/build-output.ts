/**
 * Makes one output block of a merge: synchronous CPU work over shared memory, for a worker thread.
 *
 *     1. erasers look at the pages, and flag rows that go                              ./flag-rows.ts
 *     2. streams that keep a row get ordinals
 *     3. slice by slice: rows of all inputs into columns, sorted, duplicates left out  ./input-cursor.ts, ./sort-slice.ts
 *     4. pages are cut and encoded as those of a flush; rows of the last, unfinished page go on to the next slice
 *     5. filters, patterns, label index, runs, footer
 */
import type { CompileErasers, EraseOrder, ErasedRows } from './erase.ts'
import { flagRows } from './flag-rows.ts'
import { InputCursor, type MergedOutput } from './input-cursor.ts'
import type { RankedInput, RowKey } from './merge-input.ts'
import { SliceColumns } from './slice-columns.ts'
import { sortSlice } from './sort-slice.ts'
import { cutPages } from '#/logs/store/cut-pages.ts'
import { LogPageEncoder } from '#/logs/store/encode-log-page.ts'
import type { PageBytes } from '#/logs/store/log-block.ts'
import { BlockPatterns } from '#/logs/store/patterns/block-patterns.ts'
import { RunTable } from '#/logs/store/run-table.ts'
import type { SortedRows } from '#/logs/store/sort-rows.ts'
import { LOGS_SIGNAL } from '#/logs/store/write-log-block.ts'
import { formatBlockKey } from '#/storage/block/block-key.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { type BlockBytes, BlockWriter } from '#/storage/block/v1/writer.ts'
import { FilterBuilder } from '#/storage/filter/build-filter.ts'
import { LabelIndexEncoder } from '#/storage/index/label-index-format.ts'

export type OutputJob = {
  readonly tenant: string
  readonly day: number
  readonly level: number
  readonly ulid: string
  readonly replaces: readonly string[]
  readonly covers: NonNullable<BlockMeta['covers']>
  readonly minesPatterns: boolean
  readonly inputs: readonly OutputInput[]
  /** Distinct streams of all inputs. */
  readonly streamCount: number
  readonly start: RowKey
  readonly sliceEnds: readonly RowKey[]
  /** Expected bytes of lines and rows. */
  readonly lineBytes: number
  readonly rows: number
  readonly orders: readonly EraseOrder[]
  /** Most rows of a page, instead of the default, for tests. */
  readonly pageRows?: number | undefined
}

/** The pages of an input that may hold rows of the output, in their order. */
export type OutputInput = RankedInput & { readonly pages: readonly PageBytes[] }

export type BuiltOutput = {
  /** Undefined when nothing was left. */
  readonly block: BlockBytes | undefined
  readonly duplicates: number
  readonly erased: readonly ErasedRows[]
}

/** `check` is called now and then, and throws when nobody waits for the result any more. */
export function buildOutput(job: OutputJob, compileErasers: CompileErasers, check: () => void): BuiltOutput {
  const { inputs, streamCount } = job
  const flagged = flagRows(job, compileErasers(job.orders), check)
  const { streamIds, ordinalOf } = giveOrdinals(flagged.rowsOfStream)
  if (streamIds.length === 0) return { block: undefined, duplicates: 0, erased: flagged.erased }
  const names = new NameTable()
  const output: MergedOutput = { ordinalOf, nameId: (name) => names.idOf(name) }
  const cursors = inputs.map(
    (index, input) => new InputCursor({ input, index, pages: index.pages, erased: flagged.flags[input]! }, output),
  )
  for (const cursor of cursors) cursor.skipUntil(job.start)
  const pages = new PageMaker(job, streamIds.length, names.names)
  try {
    for (const [position, end] of job.sliceEnds.entries()) {
      check()
      for (const cursor of cursors) cursor.takeUntil(end, pages.slice)
      pages.endSlice(position === job.sliceEnds.length - 1)
    }
  } finally {
    for (const cursor of cursors) cursor.close()
  }
  const labels = new LabelIndexEncoder()
  const owners = ownersOf(inputs, streamCount)
  for (const rank of streamIds) labels.addCoded(inputs[owners.input[rank]!]!.labels, owners.ordinal[rank]!)
  return { block: pages.finish(labels.finish()), duplicates: pages.duplicates, erased: flagged.erased }
}

function giveOrdinals(rowsOfStream: Uint32Array): { readonly streamIds: Uint32Array; readonly ordinalOf: Uint32Array } {
  const ordinalOf = new Uint32Array(rowsOfStream.length)
  const streamIds: number[] = []
  for (let rank = 0; rank < rowsOfStream.length; rank++) {
    if (rowsOfStream[rank]! > 0) ordinalOf[rank] = streamIds.push(rank) - 1
  }
  return { streamIds: Uint32Array.from(streamIds), ordinalOf }
}

/** For each rank an input that has the stream, and its ordinal there. */
function ownersOf(
  inputs: readonly RankedInput[],
  count: number,
): { readonly input: Uint16Array; readonly ordinal: Uint32Array } {
  const input = new Uint16Array(count)
  const ordinal = new Uint32Array(count)
  for (const [position, { rankOf }] of inputs.entries()) {
    for (let stream = 0; stream < rankOf.length; stream++) {
      input[rankOf[stream]!] = position
      ordinal[rankOf[stream]!] = stream
    }
  }
  return { input, ordinal }
}

class NameTable {
  readonly names: string[] = []
  readonly #ids = new Map<string, number>()

  idOf(name: string): number {
    let id = this.#ids.get(name)
    if (id === undefined) this.#ids.set(name, (id = this.names.push(name) - 1))
    return id
  }
}

/** Makes pages of slices. */
class PageMaker {
  /** Rows that are next; those that the last slice left come first. */
  slice = new SliceColumns()
  duplicates = 0
  #spare = new SliceColumns()
  #rowCount = 0
  readonly #job: OutputJob
  readonly #streamCount: number
  readonly #names: readonly string[]
  readonly #writer = new BlockWriter()
  readonly #runs = new RunTable()
  readonly #filter: FilterBuilder
  readonly #patterns: BlockPatterns | undefined

  constructor(job: OutputJob, streamCount: number, names: readonly string[]) {
    this.#job = job
    this.#streamCount = streamCount
    this.#names = names
    this.#filter = new FilterBuilder(job.lineBytes)
    this.#patterns = job.minesPatterns ? new BlockPatterns({ streams: streamCount, rows: job.rows }) : undefined
  }

  endSlice(isLast: boolean): void {
    if (this.slice.rowCount === 0) return
    const { rows, duplicates } = sortSlice(this.slice, this.#streamCount)
    this.duplicates += duplicates
    const cuts = cutPages(rows, this.#job.pageRows)
    const encoder = new LogPageEncoder(rows, [this.slice.page(this.#names)], {
      filter: this.#filter,
      patterns: this.#patterns,
      runs: this.#runs,
    })
    const pages = isLast ? cuts.length - 1 : cuts.length - 2
    for (let page = 0; page < pages; page++) this.#writer.addPage(encoder.encode(cuts[page]!, cuts[page + 1]!))
    this.#rowCount += cuts[pages]!
    this.#carry(rows, cuts[pages]!)
  }

  #carry({ order }: SortedRows, from: number): void {
    const done = this.slice
    this.slice = this.#spare
    this.slice.clear()
    for (let i = from; i < order.length; i++) this.slice.addRow(done, order[i]!)
    this.#spare = done
  }

  finish(labels: Uint8Array): BlockBytes {
    const { tenant, day, level, ulid, replaces, covers } = this.#job
    const { minTime, maxTime, rawBytes, runs } = this.#runs.totals()
    const key = formatBlockKey({ tenant, signal: LOGS_SIGNAL, day, minTime, maxTime, level, ulid })
    const counts = { rowCount: this.#rowCount, streamCount: this.#streamCount, pageCount: this.#writer.pageCount }
    const meta = { tenant, day, level, minTime, maxTime, ...counts, rawBytes, source: undefined, replaces, covers }
    const patterns = this.#patterns?.finish(this.#writer.sizeBytes)
    return this.#writer.finish(key, meta, { labels, runs, patterns, filter: this.#filter.finish() })
  }
}

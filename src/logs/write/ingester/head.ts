/**
 * What an ingester holds of one tenant and day: pages of rows in the order of arrival, and the streams that they belong to.
 *
 * Invariants. Within a head no two rows agree in stream, time, line and metadata. `lastSequence` is the last WAL record that
 * had a row for this day, even if that row was a duplicate: a block of this head covers all of them. Appending is one
 * synchronous step, so a snapshot holds whole records.
 */
import { DuplicateTable, finishHash, hashBytes, hashRow } from './duplicate-table.ts'
import { HeadPageWriter, PAGE_ROWS } from './head-page-writer.ts'
import type { PageMemory } from './page-memory.ts'
import type { MetaNames, RowMeta } from './meta-names.ts'
import { assert } from '#/kernel/assert.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import type { Day } from '#/logs/model/day.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import { LabelIndexBuilder, type LabelIndexSize } from '#/storage/index/label-index-builder.ts'
import { type HashedTexts, textStart } from '#/storage/index/text-table.ts'

/** Rows of a stream with its greatest time are compared one by one; with more of them the table is made. */
const MAX_CHAIN = 32
const INITIAL_STREAMS = 64

/** A compact batch with its metadata translated to the head's names, and room for the streams' ordinals in the head. */
export type HeadRows = {
  readonly batch: EntryBatch
  readonly meta: RowMeta
  /** The same bytes as `batch.bytes` and `meta.meta`. */
  readonly lineView: DataView
  readonly metaView: DataView
  /** Ordinal of each of the batch's streams, -1 while unknown; the head fills it. */
  readonly ordinals: Int32Array
  /** Rows that were dropped as duplicates, ascending; the head adds to it. */
  readonly duplicates: number[]
}

export type HeadOptions = {
  readonly id: string
  readonly day: Day
  readonly names: MetaNames
  readonly memory: PageMemory
  /** Of the record that the head is made for. */
  readonly firstSequence: number
  /** Room for streams, when it is known what will come. */
  readonly room?: LabelIndexSize | undefined
}

/** What `append` counted, added up over calls. */
export type AppendCounts = { rows: number; bytes: number; duplicateRows: number; duplicateBytes: number }

export class Head {
  readonly id: string
  readonly day: Day
  readonly streams: LabelIndexBuilder
  readonly names: MetaNames
  /** Of the first record in here; the WAL is needed from it on. */
  readonly firstSequence: number
  lastSequence: number
  rowCount = 0
  readonly #memory: PageMemory
  readonly #pages: HeadPageWriter[]
  #page: HeadPageWriter
  #sealedBytes = 0
  /** Greatest time of each stream, and 1 + the last row that has it. */
  #maxTime = new Float64Array(INITIAL_STREAMS)
  #lastAtMax = new Uint32Array(INITIAL_STREAMS)
  /** For each row that had its stream's greatest time when it came: 1 + the one before with the same time. */
  readonly #before: Uint32Array[]
  #table: DuplicateTable | undefined

  #readers = 0
  #isDropped = false

  constructor({ id, day, names, memory, firstSequence, room }: HeadOptions) {
    this.id = id
    this.streams = new LabelIndexBuilder(room)
    this.day = day
    this.names = names
    this.firstSequence = firstSequence
    this.lastSequence = firstSequence
    this.#memory = memory
    this.#page = new HeadPageWriter(memory, undefined)
    this.#pages = [this.#page]
    this.#before = [new Uint32Array(this.#page.stream.length)]
  }

  get memoryBytes(): number {
    const perRow = this.rowCount * 5
    const perStream = this.#maxTime.byteLength + this.#lastAtMax.byteLength
    const pages = this.#sealedBytes + this.#page.allocatedBytes
    return pages + perRow + perStream + this.streams.memoryBytes + (this.#table?.memoryBytes ?? 0)
  }

  /** Somebody reads snapshots of this head until the returned function is called. Who never calls it keeps the memory. */
  retain(): () => void {
    this.#readers++
    let isReleased = false
    return () => {
      if (isReleased) return
      isReleased = true
      this.#readers--
      this.#freeIfUnused()
    }
  }

  /** The head's block is visible: when the last reader is done, the memory of the pages is used for other heads. */
  drop(): void {
    this.#isDropped = true
    this.#freeIfUnused()
  }

  #freeIfUnused(): void {
    if (this.#isDropped && this.#readers === 0) for (const page of this.#pages.splice(0)) page.free()
  }

  snapshot(): HeadSnapshot {
    const { texts } = this.names
    const pages = this.#pages.map((page) => page.snapshot(texts, page !== this.#page))
    return { id: this.id, day: this.day, streams: this.streams, pages: this.rowCount === 0 ? [] : pages }
  }

  /** Takes rows [from, to) of a batch, which all are of this day, as part of record `sequence`. */
  append(
    rows: HeadRows,
    range: { readonly from: number; readonly to: number },
    sequence: number,
    counts: AppendCounts,
  ): void {
    assert(sequence >= this.lastSequence, `record ${sequence} comes behind ${this.lastSequence}`)
    this.lastSequence = sequence
    const { batch, meta, ordinals } = rows
    const { stream, time, lineLength } = batch
    const { metaLength } = meta
    let run = this.#beginRun(range.from)
    let fetched = 0
    for (let row = range.from; row < range.to; row++) {
      const at = stream[row]!
      let ordinal = ordinals[at]!
      if (ordinal < 0) {
        // streams of a batch are in the order of rows: those that come next are read ahead together
        while (at >= fetched) fetched = this.streams.fetch(batch.streams.hashes, fetched, batch.streams.length)
        ordinal = ordinals[at] = this.#ordinalOf(batch.streams, at)
      }
      const lineBytes = lineLength[row]!
      const metaBytes = metaLength[row]!
      const t = time[row]!
      counts.bytes += lineBytes + metaBytes
      if (t <= this.#maxTime[ordinal]! && this.#isDuplicate(rows, row, run, ordinal)) {
        this.#endRun(rows, run)
        run = this.#beginRun(row + 1)
        rows.duplicates.push(row)
        counts.duplicateRows++
        counts.duplicateBytes += lineBytes + metaBytes
        continue
      }
      if (!this.#page.fits(lineBytes, metaBytes)) {
        this.#endRun(rows, run)
        this.#nextPage()
        run = this.#beginRun(row)
      }
      this.#addRow(rows, row, ordinal)
    }
    this.#endRun(rows, run)
    counts.rows += range.to - range.from
  }

  #addRow(rows: HeadRows, row: number, ordinal: number): void {
    const { batch, meta } = rows
    const page = this.#page
    const time = batch.time[row]!
    const id = (this.#pages.length - 1) * PAGE_ROWS + page.rowCount
    page.addRow(ordinal, time, batch.lineLength[row]!, meta.metaLength[row]!)
    this.rowCount++
    const greatest = this.#maxTime[ordinal]!
    let before = 0
    if (time >= greatest) {
      if (time === greatest) before = this.#lastAtMax[ordinal]!
      this.#maxTime[ordinal] = time
      this.#lastAtMax[ordinal] = id + 1
    }
    let column = this.#before.at(-1)!
    const at = id % PAGE_ROWS
    if (at >= column.length) column = this.#growBefore(column)
    column[at] = before
    this.#table?.add(this.#hashOf(rows, row, ordinal), id)
  }

  #growBefore(column: Uint32Array): Uint32Array {
    const grown = new Uint32Array(this.#page.stream.length)
    grown.set(column)
    this.#before[this.#before.length - 1] = grown
    return grown
  }

  // Lines and metadata of neighbouring rows are copied together: a run of batch rows that all went to the current page.

  #beginRun(batchRow: number): Run {
    const { rowCount, lineBytes, metaBytes } = this.#page
    return { batchRow, pageRow: rowCount, lineAt: lineBytes, metaAt: metaBytes }
  }

  #endRun({ batch, meta }: HeadRows, { batchRow, pageRow, lineAt, metaAt }: Run): void {
    const page = this.#page
    if (page.rowCount === pageRow) return
    page.copyLines(lineAt, batch.bytes, batch.lineStart[batchRow]!)
    page.copyMeta(metaAt, meta.meta, meta.metaStart[batchRow]!)
  }

  #nextPage(): void {
    this.#sealedBytes += this.#page.allocatedBytes
    const room = this.#page.likely()
    this.#page = new HeadPageWriter(this.#memory, room)
    this.#pages.push(this.#page)
    this.#before.push(new Uint32Array(this.#page.stream.length))
    assert(this.#pages.length < 65_536, 'the rows of a head have numbers of 32 bits')
  }

  #ordinalOf(texts: HashedTexts, at: number): number {
    const hash = texts.hashes[at]!
    const start = textStart(texts, at)
    const end = texts.ends[at]!
    const known = this.streams.findBytes(hash, texts.view, start, end)
    if (known >= 0) return known
    const ordinal = this.streams.addBytes(hash, texts, start, end, parseLabels)
    if (ordinal >= this.#maxTime.length) {
      const maxTime = new Float64Array(ordinal * 2)
      maxTime.set(this.#maxTime)
      this.#maxTime = maxTime
      const lastAtMax = new Uint32Array(ordinal * 2)
      lastAtMax.set(this.#lastAtMax)
      this.#lastAtMax = lastAtMax
    }
    this.#maxTime[ordinal] = -1
    return ordinal
  }

  // Duplicates. A row that is later than all of its stream is new without a look. One with the greatest time is compared with
  // the rows that have it. Only a row that comes late, or with many others at the same time, needs the table, made then.

  #isDuplicate(rows: HeadRows, row: number, run: Run, ordinal: number): boolean {
    if (this.#table === undefined && rows.batch.time[row] === this.#maxTime[ordinal]) {
      let id = this.#lastAtMax[ordinal]! - 1
      for (let steps = 0; id >= 0 && steps < MAX_CHAIN; steps++) {
        if (this.#equals(rows, row, run, id)) return true
        id = this.#before[Math.floor(id / PAGE_ROWS)]![id % PAGE_ROWS]! - 1
      }
      if (id < 0) return false
    }
    this.#table ??= this.#makeTable(rows, run)
    const hash = this.#hashOf(rows, row, ordinal)
    let slot = this.#table.next(hash, this.#table.firstSlot(hash))
    while (slot >= 0) {
      const id = this.#table.rowAt(slot)
      const page = this.#pages[Math.floor(id / PAGE_ROWS)]!
      const isCandidate = page.stream[id % PAGE_ROWS] === ordinal && page.time[id % PAGE_ROWS] === rows.batch.time[row]
      if (isCandidate && this.#equals(rows, row, run, id)) return true
      slot = this.#table.next(hash, slot + 1)
    }
    return false
  }

  /** Whether row `id` has the line and metadata of batch row `row`; the streams and times are known to agree. */
  #equals(rows: HeadRows, row: number, run: Run, id: number): boolean {
    const { batch, meta } = rows
    const pageNumber = Math.floor(id / PAGE_ROWS)
    const page = this.#pages[pageNumber]!
    const at = id % PAGE_ROWS
    const lineAt = page.lineStart[at]!
    const metaAt = page.metaStart[at]!
    const lineLength = batch.lineLength[row]!
    const metaLength = meta.metaLength[row]!
    if (page.lineStart[at + 1]! - lineAt !== lineLength || page.metaStart[at + 1]! - metaAt !== metaLength) return false
    // the bytes of rows of the open run still stand in the batch only
    const isPending = page === this.#page && at >= run.pageRow
    const lines = isPending ? batch.bytes : page.lines
    const metas = isPending ? meta.meta : page.meta
    const lineShift = isPending ? batch.lineStart[run.batchRow]! - run.lineAt : 0
    const metaShift = isPending ? meta.metaStart[run.batchRow]! - run.metaAt : 0
    return (
      equalBytes(batch.bytes, batch.lineStart[row]!, lines, lineAt + lineShift, lineLength) &&
      equalBytes(meta.meta, meta.metaStart[row]!, metas, metaAt + metaShift, metaLength)
    )
  }

  #hashOf({ batch, meta, lineView, metaView }: HeadRows, row: number, ordinal: number): number {
    const lineAt = batch.lineStart[row]!
    const metaAt = meta.metaStart[row]!
    const lineHash = hashBytes(hashRow(ordinal, batch.time[row]!), lineView, lineAt, lineAt + batch.lineLength[row]!)
    return finishHash(hashBytes(lineHash, metaView, metaAt, metaAt + meta.metaLength[row]!))
  }

  #makeTable(rows: HeadRows, run: Run): DuplicateTable {
    // the copied bytes of the open run are the same as they will be: copying them now and again does no harm
    this.#endRun(rows, run)
    const table = new DuplicateTable(this.rowCount)
    for (const [number, page] of this.#pages.entries()) {
      const lines = asDataView(page.lines)
      const meta = asDataView(page.meta)
      for (let row = 0; row < page.rowCount; row++) {
        const start = hashRow(page.stream[row]!, page.time[row]!)
        const lineHash = hashBytes(start, lines, page.lineStart[row]!, page.lineStart[row + 1]!)
        const hash = finishHash(hashBytes(lineHash, meta, page.metaStart[row]!, page.metaStart[row + 1]!))
        table.add(hash, number * PAGE_ROWS + row)
      }
    }
    return table
  }
}

/** Batch rows from `batchRow` on that stand in the current page from `pageRow` on. */
type Run = { readonly batchRow: number; readonly pageRow: number; readonly lineAt: number; readonly metaAt: number }

function equalBytes(a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aFrom + i] !== b[bFrom + i]) return false
  return true
}

/**
 * Keeps the best rows of a scan as (page, row). Lines and labels are read page by page where few rows of a page are good enough, so that
 * its memory serves the next one, else only when the scan ends. Rows that could not get into the result any more are skipped before any
 * stage runs. With `distinct` or `sort` the labels decide, too.
 */
import { assert } from '#/kernel/assert.ts'
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import type { Day } from '#/logs/model/day.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { LabelSetBuilder } from './label-sets.ts'
import { RowHeap } from './row-heap.ts'
import { TailRows } from './row-tail.ts'
import { comparePlaces } from './row-place.ts'
import type { RowPlace, RowsResult, RowTask, ScanCounts } from './scan-job.ts'
import type { StreamLabels } from './stream-labels.ts'

/** Of a page with more, lines and labels are read at the end, when it is known which rows are left. */
const MAX_ROWS_READ_AT_ONCE = 32
/** Streams of fewer rows than one in so many are looked up, and not those of all rows of the page. */
const FEW_ROWS = 64

type KeptPage = { readonly page: LogPage; readonly labels: StreamLabels }
type PageToAdd = KeptPage & { readonly order: number; readonly pipeline: Pipeline; readonly entry: PipelineEntry }

/** Line and labels of a row. */
type FoundRow = {
  readonly labelSet: number
  readonly stream: number
  readonly key: number
  readonly start: number
  readonly end: number
}

export class RowSink {
  readonly #heap: RowHeap
  readonly #tail: TailRows | undefined
  /** Those that are read at the end. */
  readonly #pages = new Map<number, KeptPage>()
  /** Rows that have been read, by place; some may have left the heap again. */
  readonly #found = new Map<number, FoundRow>()
  readonly #sets = new LabelSetBuilder()
  readonly #lines = new ByteList(ArrayBuffer)
  readonly #backward: boolean
  readonly #byStream: boolean
  readonly #namesStreams: boolean
  readonly #first: RowPlace | undefined

  constructor({ limit, direction, tail, byStream = false, first, namesStreams = false }: RowTask) {
    this.#heap = new RowHeap(limit, direction)
    this.#tail = tail && new TailRows({ limit, direction, tail })
    this.#backward = direction === 'backward'
    this.#byStream = byStream
    this.#namesStreams = namesStreams
    this.#first = first
  }

  /** Runs `rows` through the pipeline and keeps the best; returns how many passed. `entry` is set up but for its row. */
  addPage(from: PageToAdd, rows: Uint32Array): number {
    if (this.#tail !== undefined) return this.#addByLabels(this.#tail, from, rows)
    const { page, labels, order, pipeline, entry } = from
    const { time } = page
    const heap = this.#heap
    const streams = rows.length * FEW_ROWS < page.rowCount ? undefined : page.stream
    const kept: number[] = []
    let passed = 0
    // The end of a page is its newest part, at least within a stream: once the heap is full, most rows need no look.
    for (let i = 0; i < rows.length; i++) {
      const row = rows[this.#backward ? rows.length - 1 - i : i]!
      const t = time[row]!
      const key = this.#byStream ? labels.key(streams?.[row] ?? streamOf(page, row)) : 0
      if (!heap.accepts(t, order, row, key) || this.#isBehind(t, key, order, row)) continue
      if (!pipeline.isTrivial) {
        entry.row = row
        entry.streamLabels = labels.of(streams?.[row] ?? streamOf(page, row))
        if (pipeline.run(entry) === undefined) continue
      }
      passed++
      heap.add(t, order, row, key)
      if (passed <= MAX_ROWS_READ_AT_ONCE) kept.push(row)
    }
    if (passed > MAX_ROWS_READ_AT_ONCE) this.#pages.set(order, from)
    else if (passed > 0) this.#readRows(from, Uint32Array.from(kept).sort())
    return passed
  }

  /** Reads lines and labels of rows, ascending, of a page that is not needed afterwards. */
  #readRows({ page, labels, order, pipeline, entry }: PageToAdd, rows: Uint32Array): void {
    page.chooseLines?.(rows)
    for (const row of rows) {
      entry.row = row
      this.#found.set(placeKey(order, row), this.#readRow({ page, labels }, pipeline, entry, this.#lines))
    }
  }

  /** Whether a row comes before the first one that is wanted. */
  #isBehind(time: number, key: number, order: number, row: number): boolean {
    if (this.#first === undefined || this.#first.time !== time) return false
    const distance = comparePlaces({ time, key, order, row }, this.#first)
    return this.#backward ? distance > 0 : distance < 0
  }

  /** Whether rows of a page may be in the result, so that its columns are still read. */
  keeps(order: number): boolean {
    return this.#pages.has(order)
  }

  #addByLabels(tail: TailRows, from: PageToAdd, rows: Uint32Array): number {
    const { page, labels, order, pipeline, entry } = from
    const { stream, time } = page
    const isByStream = pipeline.isTrivial && tail.isByStream(page.metaNames)
    const candidates = isByStream ? bestOfStreams(page, rows, this.#backward) : rows
    let passed = isByStream ? rows.length - candidates.length : 0
    for (let i = 0; i < candidates.length; i++) {
      const row = candidates[this.#backward ? candidates.length - 1 - i : i]!
      const t = time[row]!
      if (!tail.accepts(t, order, row)) continue
      entry.row = row
      entry.streamLabels = labels.of(stream[row]!)
      const result = pipeline.run(entry)
      if (result === undefined) continue
      passed++
      if (tail.add(result, t, order, row)) this.#pages.set(order, from)
    }
    return passed
  }

  /** Lines of pages that have not been read yet are those of the answer alone. */
  #chooseLines(order: ArrayLike<number>, row: ArrayLike<number>): void {
    const rowsOf = new Map<number, number[]>()
    for (let i = 0; i < order.length; i++) {
      if (!this.#pages.has(order[i]!)) continue
      const rows = rowsOf.get(order[i]!)
      if (rows === undefined) rowsOf.set(order[i]!, [row[i]!])
      else rows.push(row[i]!)
    }
    for (const [page, rows] of rowsOf) this.#pages.get(page)!.page.chooseLines?.(Uint32Array.from(rows).sort())
  }

  /** Reads the row of `entry`, whose line goes into `lines`. */
  #readRow({ page, labels }: KeptPage, pipeline: Pipeline, entry: PipelineEntry, lines: ByteList): FoundRow {
    const stream = streamOf(page, entry.row)
    entry.streamLabels = labels.of(stream)
    const result = pipeline.run(entry)
    assert(result !== undefined, 'a row that passed once passes again')
    const start = lines.sizeBytes
    lines.append(result.bytes, result.start, result.end)
    const key = this.#byStream ? labels.key(stream) : 0
    return { labelSet: this.#sets.add(result), stream, key, start, end: lines.sizeBytes }
  }

  finish(pipeline: Pipeline, day: Day, counts: ScanCounts): RowsResult {
    const { time, order, row } = (this.#tail ?? this.#heap).sorted()
    const rowCount = time.length
    const key = this.#byStream ? new Float64Array(rowCount) : undefined
    const labelSet = new Uint32Array(rowCount)
    const streams = this.#namesStreams ? new Uint32Array(rowCount) : undefined
    const lineStart = new Uint32Array(rowCount + 1)
    const lines = new ByteList(SharedArrayBuffer)
    this.#chooseLines(order, row)
    for (let i = 0; i < rowCount; i++) {
      let found = this.#found.get(placeKey(order[i]!, row[i]!))
      if (found === undefined) {
        const kept = this.#pages.get(order[i]!)!
        found = this.#readRow(kept, pipeline, { page: kept.page, row: row[i]!, day, streamLabels: [] }, lines)
      } else {
        lines.append(this.#lines.bytes, found.start, found.end)
      }
      if (key !== undefined) key[i] = found.key
      labelSet[i] = found.labelSet
      if (streams !== undefined) streams[i] = found.stream
      lineStart[i + 1] = lines.sizeBytes
    }
    for (const { page } of this.#pages.values()) page.release()
    const labelSets = this.#sets.finish()
    return {
      kind: 'rows',
      counts,
      rowCount,
      time,
      order,
      row,
      key,
      lineStart,
      lines: lines.finish(),
      labelSet,
      streams,
      labelSets,
    }
  }
}

/** More rows than any page has. */
const MAX_PAGE_ROWS = 65_536

function placeKey(order: number, row: number): number {
  return order * MAX_PAGE_ROWS + row
}

/** The stream of one row, without those of all others. */
function streamOf(page: LogPage, row: number): number {
  const { streamRuns } = page
  if (streamRuns === undefined) return page.stream[row]!
  const { values, ends } = streamRuns
  let [low, high] = [0, ends.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ends[middle]! <= row) low = middle + 1
    else high = middle
  }
  return values[low]!
}

/** The first row of each stream in the direction of the query; `rows` are ascending. */
function bestOfStreams({ stream, time }: LogPage, rows: Uint32Array, backward: boolean): Uint32Array {
  const best = new Map<number, number>()
  for (const row of rows) {
    const known = best.get(stream[row]!)
    const isBetter = known === undefined || (backward ? time[row]! >= time[known]! : time[row]! < time[known]!)
    if (isBetter) best.set(stream[row]!, row)
  }
  return Uint32Array.from(best.values()).sort()
}

const INITIAL_BYTES = 16 * 1024

/** Bytes in memory of some kind that grows by doubling. */
class ByteList {
  readonly #Memory: typeof ArrayBuffer | typeof SharedArrayBuffer
  #bytes: Uint8Array
  sizeBytes = 0

  constructor(Memory: typeof ArrayBuffer | typeof SharedArrayBuffer) {
    this.#Memory = Memory
    this.#bytes = new Uint8Array(new Memory(INITIAL_BYTES))
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  append(from: Uint8Array, start: number, end: number): void {
    const needed = this.sizeBytes + end - start
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(new this.#Memory(Math.max(needed, this.#bytes.length * 2)))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(from.subarray(start, end), this.sizeBytes)
    this.sizeBytes = needed
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.sizeBytes)
  }
}

/**
 * Keeps the best rows of a scan as (page, row) and reads their lines and labels only when the scan ends. Rows that could not
 * get into the result any more are skipped before any stage runs. With `distinct` or `sort` the labels decide, too.
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

type KeptPage = { readonly page: LogPage; readonly labels: StreamLabels }
type PageToAdd = KeptPage & { readonly order: number; readonly pipeline: Pipeline; readonly entry: PipelineEntry }

export class RowSink {
  readonly #heap: RowHeap
  readonly #tail: TailRows | undefined
  readonly #pages = new Map<number, KeptPage>()
  readonly #backward: boolean
  readonly #byStream: boolean
  readonly #first: RowPlace | undefined

  constructor({ limit, direction, tail, byStream = false, first }: RowTask) {
    this.#heap = new RowHeap(limit, direction)
    this.#tail = tail && new TailRows({ limit, direction, tail })
    this.#backward = direction === 'backward'
    this.#byStream = byStream
    this.#first = first
  }

  /** Runs `rows` through the pipeline and keeps the best; returns how many passed. `entry` is set up but for its row. */
  addPage(from: PageToAdd, rows: Uint32Array): number {
    if (this.#tail !== undefined) return this.#addByLabels(this.#tail, from, rows)
    const { page, labels, order, pipeline, entry } = from
    const { stream, time } = page
    const heap = this.#heap
    let passed = 0
    // The end of a page is its newest part, at least within a stream: once the heap is full, most rows need no look.
    for (let i = 0; i < rows.length; i++) {
      const row = rows[this.#backward ? rows.length - 1 - i : i]!
      const t = time[row]!
      const key = this.#byStream ? labels.key(stream[row]!) : 0
      if (!heap.accepts(t, order, row, key) || this.#isBehind(t, key, order, row)) continue
      if (!pipeline.isTrivial) {
        entry.row = row
        entry.streamLabels = labels.of(stream[row]!)
        if (pipeline.run(entry) === undefined) continue
      }
      passed++
      heap.add(t, order, row, key)
      this.#pages.set(order, from)
    }
    return passed
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
      const rows = rowsOf.get(order[i]!)
      if (rows === undefined) rowsOf.set(order[i]!, [row[i]!])
      else rows.push(row[i]!)
    }
    for (const [page, rows] of rowsOf) this.#pages.get(page)!.page.chooseLines?.(Uint32Array.from(rows).sort())
  }

  finish(pipeline: Pipeline, day: Day, counts: ScanCounts): RowsResult {
    const { time, order, row } = (this.#tail ?? this.#heap).sorted()
    const key = this.#byStream ? new Float64Array(time.length) : undefined
    const rowCount = time.length
    const sets = new LabelSetBuilder()
    const labelSet = new Uint32Array(rowCount)
    const lineStart = new Uint32Array(rowCount + 1)
    const lines = new ByteList()
    this.#chooseLines(order, row)
    for (let i = 0; i < rowCount; i++) {
      const { page, labels } = this.#pages.get(order[i]!)!
      const streamLabels = labels.of(page.stream[row[i]!]!)
      if (key !== undefined) key[i] = labels.key(page.stream[row[i]!]!)
      const result = pipeline.run({ page, row: row[i]!, day, streamLabels })
      assert(result !== undefined, 'a row that passed once passes again')
      labelSet[i] = sets.add(result)
      lines.append(result.bytes, result.start, result.end)
      lineStart[i + 1] = lines.sizeBytes
    }
    for (const { page } of this.#pages.values()) page.release()
    const labelSets = sets.finish()
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
      labelSets,
    }
  }
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

/** Bytes in shared memory that grows by doubling. */
class ByteList {
  #bytes = new Uint8Array(new SharedArrayBuffer(INITIAL_BYTES))
  sizeBytes = 0

  append(from: Buffer, start: number, end: number): void {
    const needed = this.sizeBytes + end - start
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(new SharedArrayBuffer(Math.max(needed, this.#bytes.length * 2)))
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

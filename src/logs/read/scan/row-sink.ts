/**
 * Keeps the best rows of a scan as (page, row) and reads their lines and labels only when the scan ends. Rows that could not
 * get into the result any more are skipped before any stage runs.
 */
import { assert } from '#/kernel/assert.ts'
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import type { Day } from '#/logs/model/day.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { LabelSetBuilder } from './label-sets.ts'
import { RowHeap } from './row-heap.ts'
import type { RowsResult, RowTask, ScanCounts } from './scan-job.ts'
import type { StreamLabels } from './stream-labels.ts'

type KeptPage = { readonly page: LogPage; readonly labels: StreamLabels }

export class RowSink {
  readonly #heap: RowHeap
  readonly #pages = new Map<number, KeptPage>()
  readonly #backward: boolean

  constructor({ limit, direction }: RowTask) {
    this.#heap = new RowHeap(limit, direction)
    this.#backward = direction === 'backward'
  }

  /** Runs `rows` through the pipeline and keeps the best; returns how many passed. `entry` is set up but for its row. */
  addPage(
    from: KeptPage & { readonly order: number; readonly pipeline: Pipeline; readonly entry: PipelineEntry },
    rows: Uint32Array,
  ): number {
    const { page, labels, order, pipeline, entry } = from
    const { stream, time } = page
    const heap = this.#heap
    let passed = 0
    // The end of a page is its newest part, at least within a stream: once the heap is full, most rows need no look.
    for (let i = 0; i < rows.length; i++) {
      const row = rows[this.#backward ? rows.length - 1 - i : i]!
      const t = time[row]!
      if (!heap.accepts(t, order, row)) continue
      if (!pipeline.isTrivial) {
        entry.row = row
        entry.streamLabels = labels.of(stream[row]!)
        if (pipeline.run(entry) === undefined) continue
      }
      passed++
      heap.add(t, order, row)
      this.#pages.set(order, from)
    }
    return passed
  }

  /** Whether rows of the page with this order may be read again by `finish`, which then releases it. */
  keeps(order: number): boolean {
    return this.#pages.has(order)
  }

  finish(pipeline: Pipeline, day: Day, counts: ScanCounts): RowsResult {
    const { time, order, row } = this.#heap.sorted()
    const rowCount = time.length
    const sets = new LabelSetBuilder()
    const labelSet = new Uint32Array(rowCount)
    const lineStart = new Uint32Array(rowCount + 1)
    const lines = new ByteList()
    for (let i = 0; i < rowCount; i++) {
      const { page, labels } = this.#pages.get(order[i]!)!
      const streamLabels = labels.of(page.stream[row[i]!]!)
      const result = pipeline.run({ page, row: row[i]!, day, streamLabels })
      assert(result !== undefined, 'a row that passed once passes again')
      labelSet[i] = sets.add(result)
      lines.append(result.bytes, result.start, result.end)
      lineStart[i + 1] = lines.sizeBytes
    }
    for (const { page } of this.#pages.values()) page.release()
    const labelSets = sets.finish()
    return { kind: 'rows', counts, rowCount, time, order, row, lineStart, lines: lines.finish(), labelSet, labelSets }
  }
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

/** Collects the distinct non-empty values of one label. Ends early when there are more than the querier has use for. */
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { ScanCounts, ValuesResult, ValueTask } from './scan-job.ts'
import type { StreamLabels } from './stream-labels.ts'

export class ValueSink {
  readonly #task: ValueTask
  readonly #values = new Set<string>()
  #bytes = 0

  constructor(task: ValueTask) {
    this.#task = task
  }

  /** Whether there are too many values already: what else there is makes no difference. */
  get isFull(): boolean {
    return this.#values.size > this.#task.maxValues || this.#bytes > this.#task.maxBytes
  }

  /** Runs `rows` through the pipeline; returns how many passed. `entry` is set up but for its row. */
  addPage(
    {
      page,
      labels,
      pipeline,
      entry,
    }: {
      readonly page: LogPage
      readonly labels: StreamLabels
      readonly pipeline: Pipeline
      readonly entry: PipelineEntry
    },
    rows: Uint32Array,
  ): number {
    let passed = 0
    for (let i = 0; i < rows.length && !this.isFull; i++) {
      entry.row = rows[i]!
      entry.streamLabels = labels.of(page.stream[entry.row]!)
      const row = pipeline.run(entry)
      if (row === undefined) continue
      passed++
      const value = row.get(this.#task.label)
      if (value === undefined || value === '' || this.#values.has(value)) continue
      this.#values.add(value)
      this.#bytes += Buffer.byteLength(value)
    }
    return passed
  }

  finish(counts: ScanCounts): ValuesResult {
    return { kind: 'values', counts, values: [...this.#values] }
  }
}

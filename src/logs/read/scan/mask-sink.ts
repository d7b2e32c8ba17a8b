/** Marks the rows that pass. */
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { MaskResult, ScanCounts } from './scan-job.ts'
import type { StreamLabels } from './stream-labels.ts'

export type MaskedPage = {
  readonly page: LogPage
  readonly labels: StreamLabels
  readonly order: number
  readonly pipeline: Pipeline
  /** Set up but for its row. */
  readonly entry: PipelineEntry
}

export class MaskSink {
  readonly #masks: { readonly order: number; readonly mask: Uint8Array<SharedArrayBuffer> }[] = []

  /** Runs `rows` through the pipeline; returns how many passed. */
  addPage({ page, labels, order, pipeline, entry }: MaskedPage, rows: Uint32Array): number {
    const mask = new Uint8Array(new SharedArrayBuffer(Math.ceil(page.rowCount / 8)))
    let passed = 0
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      if (!pipeline.isTrivial) {
        entry.row = row
        entry.streamLabels = labels.of(page.stream[row]!)
        if (pipeline.run(entry) === undefined) continue
      }
      mask[row >> 3]! |= 1 << (row & 7)
      passed++
    }
    if (passed > 0) this.#masks.push({ order, mask })
    return passed
  }

  finish(counts: ScanCounts): MaskResult {
    return { kind: 'mask', counts, masks: this.#masks }
  }
}

/** Runs a log query for the distinct values of one label: its lines are read only if its stages read them, its rows kept nowhere. */
import type { Selection } from '#/logs/logql/planner/plan.ts'
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import type { TimeRange } from '#/logs/model/day.ts'
import { pipelineOf } from '#/logs/read/scan/pipeline-cache.ts'
import type { ValuesResult } from '#/logs/read/scan/scan-job.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import { prepareDay, type DayScan } from './day-scan.ts'
import { takeBatch, type PageBatch } from './page-batch.ts'
import type { QueryRun } from './query-run.ts'
import { runBounded } from './run-bounded.ts'
import { scanBatch } from './scan-batch.ts'
import { narrowView, type View } from './view.ts'

/** A text of this many bytes and its place in a set, estimated. */
const VALUE_OVERHEAD_BYTES = 64

export type ValueQuery = {
  /** Equal for equal `selection`. */
  readonly key: string
  readonly selection: Selection
  readonly range: TimeRange
  readonly label: string
  readonly maxValues: number
  readonly maxBytes: number
}

export type FoundValues = { readonly values: readonly string[]; readonly bytes: number }

/**
 * All distinct non-empty values; when there are more than either maximum, some that are more. The values stay in the memory of the
 * query.
 */
export function runValues(run: QueryRun, view: View, query: ValueQuery): Promise<FoundValues> {
  return new ValueQueryRun(run, query).find(view)
}

type ValueJob = { readonly scan: DayScan; readonly batch: PageBatch }

class ValueQueryRun {
  readonly #run: QueryRun
  readonly #query: ValueQuery
  readonly #key: string
  readonly #pipeline: Pipeline
  readonly #values = new Set<string>()
  #bytes = 0

  constructor(run: QueryRun, query: ValueQuery) {
    this.#run = run
    this.#query = query
    this.#key = `values ${query.key}`
    this.#pipeline = pipelineOf(this.#key, query.selection.stages, query.selection.needed)
  }

  async find(view: View): Promise<FoundValues> {
    await runBounded(
      this.#jobs(view),
      this.#run.concurrency,
      (job) => this.#scan(job),
      (result) => this.#accept(result),
    )
    return { values: [...this.#values], bytes: this.#bytes }
  }

  get #isFull(): boolean {
    return this.#values.size > this.#query.maxValues || this.#bytes > this.#query.maxBytes
  }

  async *#jobs(view: View): AsyncGenerator<ValueJob> {
    const { selection, range } = this.#query
    for (const dayView of narrowView(view, range)) {
      const scan = await prepareDay(this.#run, dayView, { selection, range })
      const pages = scan?.pages ?? []
      const totalBytes = pages.reduce((sum, { lineBytes }) => sum + lineBytes, 0)
      const { firstBytes, maxBytes } = this.#run.sampleJobSizes
      const share = totalBytes / (this.#run.concurrency * 2)
      const most = { lineBytes: Math.min(Math.max(share, firstBytes), maxBytes), readBytes: this.#run.maxReadBytes }
      for (let at = 0; scan !== undefined && at < pages.length;) {
        if (this.#isFull) return
        const batch = takeBatch(pages, at, most)
        at += batch.pages.length
        yield { scan, batch }
      }
    }
  }

  async #scan({ scan, batch }: ValueJob): Promise<ValuesResult> {
    const { selection, label, maxValues, maxBytes } = this.#query
    const result = await scanBatch(this.#run, scan, batch, {
      key: this.#key,
      stages: selection.stages,
      needed: selection.needed,
      task: { kind: 'values', label, maxValues, maxBytes },
      columns: this.#columns(),
      bytes: batch.sizeBytes,
    })
    if (result.kind !== 'values') throw new TypeError(`a job for values answered ${result.kind}`)
    return result
  }

  #columns(): PageColumns {
    const { readsLines, readsMeta } = this.#pipeline
    // entries may bring an error with them, which label filters look at
    const meta = readsMeta === 'all' ? readsMeta : [...new Set([...readsMeta, '__error__', '__error_details__'])]
    return { lengths: true, lines: readsLines, meta }
  }

  async #accept({ values }: ValuesResult): Promise<void> {
    const fresh = values.filter((value) => !this.#values.has(value))
    const bytes = fresh.reduce((sum, value) => sum + Buffer.byteLength(value), 0)
    await this.#run.reserve(bytes + fresh.length * VALUE_OVERHEAD_BYTES)
    // another job may have found some of them meanwhile
    for (const value of fresh) {
      if (this.#values.has(value)) continue
      this.#values.add(value)
      this.#bytes += Buffer.byteLength(value)
    }
  }
}

/** A query that somebody tails: which streams it wants, and its pipeline. Readers of the same query share it and its entries. */
import { utf8Text } from '#/kernel/buffer-text.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import type { Selection } from '#/logs/logql/planner/plan.ts'
import { labelMatchers } from '#/logs/logql/planner/label-matchers.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { Labels, LabelMatcher } from '#/storage/index/label-index.ts'
import { LabelSets } from './label-sets.ts'
import { LiveEntry } from './live-entry.ts'
import type { TailSession } from './tail-session.ts'

/** Rows between two chances to let others work. */
const ROWS_BETWEEN_PAUSES = 128

/** New entries, as a query sees them. */
export type NewRows = {
  readonly page: LogPage
  readonly day: Int32Array
  /** By ordinal of the stream; undefined for streams that nobody wants. */
  readonly labels: readonly (Labels | undefined)[]
  /** Position among all batches of the tenant. */
  readonly number: number
  readonly nowNs: bigint
}

export class LiveQuery {
  readonly text: string
  readonly sessions = new Set<TailSession>()
  readonly #matchers: readonly LabelMatcher[]
  readonly #pipeline: Pipeline
  readonly #sets = new LabelSets()
  #order = 0

  /** @throws BadRequest when a stage is not evaluated yet. */
  constructor(text: string, { matchers, stages }: Selection) {
    this.text = text
    this.#matchers = labelMatchers(matchers)
    this.#pipeline = compilePipeline(stages, { needed: 'all' })
  }

  wants(labels: Labels): boolean {
    return this.#matchers.every(({ name, matches }) => matches(labels.find(([other]) => other === name)?.[1] ?? ''))
  }

  /** Whether an entry would be of no use: nobody has room for it, nor for the news that it was dropped. */
  get isDeaf(): boolean {
    for (const session of this.sessions) if (!session.isDeaf) return false
    return true
  }

  /** Runs `rows` (ascending, of wanted streams) and offers what passes to the readers; yields between pieces of work. */
  *run({ page, day, labels, number, nowNs }: NewRows, rows: Uint32Array): Generator<void> {
    let count = rows.length
    for (const filter of this.#pipeline.pageFilters) {
      count = filter.select(page.lines, page.lineStart, rows, count)
      yield
    }
    const entry: PipelineEntry = { page, row: 0, day: 0, streamLabels: [] }
    for (let i = 0; i < count; i++) {
      // another query may have used the same stages in between, and another piece of work this pipeline
      if (i % ROWS_BETWEEN_PAUSES === 0) {
        if (i > 0) yield
        if (this.isDeaf) return
        this.#pipeline.begin(nowNs, noCheck)
      }
      const row = (entry.row = rows[i]!)
      entry.day = day[row]!
      entry.streamLabels = labels[page.stream[row]!]!
      const result = this.#pipeline.run(entry)
      if (result === undefined) continue
      const set = this.#sets.of(result)
      const line = utf8Text(result.bytes, result.start, result.end)
      const time = { day: entry.day, time: page.time[row]! }
      const found = new LiveEntry(time, line, set, ++this.#order, this.#sets.newBytes)
      for (const session of this.sessions) if (session.sinceBatch < number) session.offer(found)
    }
  }
}

/** Pieces of work are short, and a template has limits of its own. */
const noCheck = (): void => undefined

/**
 * Delete requests hide what is pushed while they are in force, if its time is theirs: no tail shows it. A batch whose times no request
 * means, which is nearly every one, costs a comparison for each request.
 */
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import type { Pipeline, PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import { streamMatchers } from '#/logs/logql/planner/label-matchers.ts'
import { rowQuery } from '#/logs/logql/planner/row-query.ts'
import { clipToDay } from '#/logs/model/day.ts'
import type { HiddenRows } from '#/logs/wire/deletes.ts'
import type { Labels, LabelMatcher } from '#/storage/index/label-index.ts'
import type { NewRows } from './live-query.ts'

/** Rows between two chances to let others work. */
const ROWS_BETWEEN_PAUSES = 128

type Compiled = { readonly matchers: readonly LabelMatcher[]; readonly pipeline: Pipeline }

export class HiddenLiveRows {
  /** By request that is in force. */
  readonly #compiled = new Map<HiddenRows, Compiled>()

  #compile(request: HiddenRows, requests: readonly HiddenRows[]): Compiled {
    const known = this.#compiled.get(request)
    if (known !== undefined) return known
    for (const old of this.#compiled.keys()) if (!requests.includes(old)) this.#compiled.delete(old)
    const selection = rowQuery(request.query)
    const pipeline = compilePipeline(selection.stages, { needed: new Set() })
    const compiled = { matchers: streamMatchers(selection), pipeline }
    this.#compiled.set(request, compiled)
    return compiled
  }

  /** By row, 1 where it is hidden; undefined when none is. Yields between pieces of work. */
  *find(rows: NewRows, requests: readonly HiddenRows[]): Generator<void, Uint8Array | undefined> {
    if (requests.length === 0) {
      this.#compiled.clear()
      return undefined
    }
    const days = timesByDay(rows)
    let hidden: Uint8Array | undefined
    for (const request of requests) {
      for (const [day, { min, max }] of days) {
        const { from, to } = clipToDay(request, day)
        if (min >= to || max < from) continue
        hidden ??= new Uint8Array(rows.page.rowCount)
        yield* this.#hide(rows, this.#compile(request, requests), { day, from, to }, hidden)
      }
    }
    return hidden
  }

  *#hide(
    { page, day, labels, nowNs }: NewRows,
    { matchers, pipeline }: Compiled,
    times: { readonly day: number; readonly from: number; readonly to: number },
    hidden: Uint8Array,
  ): Generator<void> {
    const isMeant = labels.map((of) => of !== undefined && isMatched(of, matchers))
    const rows = new Uint32Array(page.rowCount)
    let count = 0
    for (let row = 0; row < page.rowCount; row++) {
      const time = page.time[row]!
      if (day[row] === times.day && time >= times.from && time < times.to && isMeant[page.stream[row]!])
        rows[count++] = row
    }
    for (const filter of pipeline.pageFilters) {
      yield
      // filters with conditions are there to save work; the stages look again
      if (filter.unlessLabels === undefined) count = filter.select(page.lines, page.lineStart, rows, count)
    }
    const entry: PipelineEntry = { page, row: 0, day: times.day, streamLabels: [] }
    for (let i = 0; i < count; i++) {
      // another query may have used the same stages in between
      if (i % ROWS_BETWEEN_PAUSES === 0) {
        if (i > 0) yield
        pipeline.begin(nowNs, noCheck)
      }
      const row = (entry.row = rows[i]!)
      entry.streamLabels = labels[page.stream[row]!]!
      if (pipeline.isTrivial || pipeline.run(entry) !== undefined) hidden[row] = 1
    }
  }
}

/** First and last time of each day. */
function timesByDay({ page, day }: NewRows): ReadonlyMap<number, { readonly min: number; readonly max: number }> {
  const days = new Map<number, { min: number; max: number }>()
  for (let row = 0; row < page.rowCount; row++) {
    const time = page.time[row]!
    const known = days.get(day[row]!)
    if (known === undefined) days.set(day[row]!, { min: time, max: time })
    else if (time < known.min) known.min = time
    else if (time > known.max) known.max = time
  }
  return days
}

function isMatched(labels: Labels, matchers: readonly LabelMatcher[]): boolean {
  return matchers.every(({ name, matches }) => matches(labels.find(([other]) => other === name)?.[1] ?? ''))
}

/** Pieces of work are short. */
const noCheck = (): void => undefined

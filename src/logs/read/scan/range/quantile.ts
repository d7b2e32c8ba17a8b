/**
 * `quantile_over_time`: exact, so the values themselves are kept. A job sorts the values of each cell and counts equal ones, which
 * for durations in milliseconds or sizes saves most of them.
 */
import { assert } from '#/kernel/assert.ts'
import type { Series } from '#/series/series-set.ts'
import { CellLog } from './cell-log.ts'
import { CellRuns } from './cell-runs.ts'
import { sharedCopy } from './grow.ts'
import type { Collector, Merger, PostedCells, PostedValues, RangeFold, Sample, Windows } from './sample.ts'
import { Pause } from './pause.ts'
import { RankedWindow } from './ranked-window.ts'

export const quantile: RangeFold = {
  keepsSamples: true,
  collect: () => new ValueCollector(),
  merge: (parameter = NaN) => new ValueMerger(parameter),
}

class ValueCollector implements Collector {
  readonly #log = new CellLog(1)

  get sizeBytes(): number {
    return this.#log.sizeBytes
  }

  add(cell: number, { value }: Sample): void {
    const at = this.#log.push(cell)
    this.#log.columns[0]![at] = value
  }

  finish(cellCount: number): PostedValues {
    const starts = this.#log.starts(cellCount)
    const values = this.#log.sorted(0, starts)
    for (let cell = 0; cell < cellCount; cell++) values.subarray(starts[cell]!, starts[cell + 1]!).sort()
    return countEqual(starts, values)
  }
}

/** Keeps one of equal values of a cell, when that saves memory: a count takes half as much as a value. */
function countEqual(starts: Uint32Array, values: Float64Array): PostedValues {
  const distinct = countDistinct(starts, values)
  if (distinct * 12 >= values.length * 8) return { kind: 'values', starts, values, counts: undefined }
  const kept = new Float64Array(new SharedArrayBuffer(distinct * 8))
  const counts = new Uint32Array(new SharedArrayBuffer(distinct * 4))
  const keptStarts = sharedCopy(starts, starts.length)
  let at = -1
  for (let cell = 0; cell + 1 < starts.length; cell++) {
    keptStarts[cell] = at + 1
    for (let i = starts[cell]!; i < starts[cell + 1]!; i++) {
      if (i === starts[cell] || !isSame(values[i]!, values[i - 1]!)) kept[++at] = values[i]!
      counts[at]!++
    }
  }
  keptStarts[starts.length - 1] = distinct
  return { kind: 'values', starts: keptStarts, values: kept, counts }
}

function countDistinct(starts: Uint32Array, values: Float64Array): number {
  let distinct = 0
  for (let cell = 0; cell + 1 < starts.length; cell++) {
    for (let i = starts[cell]!; i < starts[cell + 1]!; i++) {
      if (i === starts[cell] || !isSame(values[i]!, values[i - 1]!)) distinct++
    }
  }
  return distinct
}

function isSame(a: number, b: number): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

class ValueMerger implements Merger {
  readonly isApproximate = false
  readonly #quantile: number
  readonly #runs = new CellRuns()
  readonly #posted: PostedValues[] = []

  constructor(quantile: number) {
    this.#quantile = quantile
  }

  costOf(posted: PostedCells): number {
    assert(posted.kind === 'values', `values are merged, not ${posted.kind}`)
    const { starts, values, counts } = posted
    return values.byteLength + (counts?.byteLength ?? 0) + starts.length * CellRuns.runBytes
  }

  absorb(posted: PostedCells, cells: Uint32Array): void {
    assert(posted.kind === 'values', `values are merged, not ${posted.kind}`)
    const index = this.#posted.push(posted) - 1
    for (let i = 0; i < cells.length; i++) this.#runs.add(cells[i]!, index, posted.starts[i]!, posted.starts[i + 1]!)
  }

  *evaluate(cells: Int32Array, windows: Windows, into: Series): Iterable<void> {
    const { stepCount, first, last } = windows
    const bySegment = Array.from(cells, (cell) => (cell === 0 ? [] : this.#runs.of(cell - 1)))
    const window = new RankedWindow(this.#posted, bySegment)
    const pause = new Pause()
    for (const _ of window.prepare()) if (pause.isDue(window.work)) yield
    for (let step = 0; step < stepCount; step++) {
      const count = window.slideTo(first[step]!, last[step]!)
      if (pause.isDue(window.work)) yield
      if (count === 0) continue
      into.present[step] = 1
      into.values[step] = interpolate(window, count, this.#quantile)
    }
  }
}

/** Between the two values around the rank, in proportion; NaN is the smallest value. */
function interpolate(window: RankedWindow, count: number, q: number): number {
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  const rank = q * (count - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(count - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return window.valueAt(lower) * (1 - weight) + window.valueAt(upper) * weight
}

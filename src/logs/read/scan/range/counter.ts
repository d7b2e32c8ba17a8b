/**
 * `rate_counter`: the increase per second of a counter, with resets, extrapolated to the ends of the window. Samples of several
 * streams may lie between each other in time, so they are kept as they are until all of a cell are there; then a cell becomes a
 * state, and windows slide over states.
 */
import { assert } from '#/kernel/assert.ts'
import type { Series } from '#/series/series-set.ts'
import { CellLog } from './cell-log.ts'
import { CellRuns } from './cell-runs.ts'
import type { Collector, Merger, PostedCells, PostedPoints, RangeFold, Sample, Windows } from './sample.ts'
import { Pause } from './pause.ts'
import { slideWindows } from './slide-windows.ts'
import type { StateFold, WindowAt } from './state-cells.ts'

export const counter: RangeFold = {
  keepsSamples: true,
  collect: () => new PointCollector(),
  merge: () => new PointMerger(),
}

class PointCollector implements Collector {
  /** Value, time, position. */
  readonly #log = new CellLog(3)

  get sizeBytes(): number {
    return this.#log.sizeBytes
  }

  add(cell: number, { value, time, position }: Sample): void {
    const at = this.#log.push(cell)
    const { columns } = this.#log
    columns[0]![at] = value
    columns[1]![at] = time
    columns[2]![at] = position
  }

  finish(cellCount: number): PostedPoints {
    const starts = this.#log.starts(cellCount)
    const [values, times, positions] = [0, 1, 2].map((column) => this.#log.sorted(column, starts))
    return { kind: 'points', starts, values: values!, times: times!, positions: positions! }
  }
}

class PointMerger implements Merger {
  readonly isApproximate = false
  readonly #runs = new CellRuns()
  readonly #posted: PostedPoints[] = []

  costOf(posted: PostedCells): number {
    assert(posted.kind === 'points', `points are merged, not ${posted.kind}`)
    return posted.values.byteLength * 3 + posted.starts.length * CellRuns.runBytes
  }

  absorb(posted: PostedCells, cells: Uint32Array): void {
    assert(posted.kind === 'points', `points are merged, not ${posted.kind}`)
    const index = this.#posted.push(posted) - 1
    for (let i = 0; i < cells.length; i++) this.#runs.add(cells[i]!, index, posted.starts[i]!, posted.starts[i + 1]!)
  }

  *evaluate(cells: Int32Array, windows: Windows, into: Series): Iterable<void> {
    const { fields } = increase
    const states = new Float64Array(cells.length * fields)
    const own = new Int32Array(cells.length)
    const pause = new Pause()
    let work = 0
    for (const [segment, cell] of cells.entries()) {
      if (cell === 0) continue
      work += this.#fold(cell - 1, states, segment * fields)
      own[segment] = segment + 1
      if (pause.isDue(work)) yield
    }
    slideWindows({ fold: increase, states, cells: own, windows }, into)
  }

  /** Makes the state of all samples of a cell, in the order of time, and returns how many there are. */
  #fold(cell: number, states: Float64Array, at: number): number {
    const { times, positions, values } = this.#points(cell)
    const order = Uint32Array.from(times.keys())
    const distance = (a: number, b: number): number => times[a]! - times[b]! || positions[a]! - positions[b]!
    const isSorted = order.every((i) => i === 0 || distance(i - 1, i) <= 0)
    if (!isSorted) order.sort(distance)
    const sample: Sample = { value: 0, text: '', time: 0, position: 0 }
    for (let i = 0; i < order.length; i++) {
      sample.time = times[order[i]!]!
      sample.value = values[order[i]!]!
      if (i === 0) increase.start(states, at, sample)
      else increase.add(states, at, sample)
    }
    return order.length
  }

  /** All samples of a cell, oldest result first. */
  #points(cell: number): Points {
    const runs = this.#runs.of(cell).toReversed()
    const count = runs.reduce((sum, { from, to }) => sum + to - from, 0)
    const points = {
      times: new Float64Array(count),
      positions: new Float64Array(count),
      values: new Float64Array(count),
    }
    let at = 0
    for (const { posted, from, to } of runs) {
      const source = this.#posted[posted]!
      points.times.set(source.times.subarray(from, to), at)
      points.positions.set(source.positions.subarray(from, to), at)
      points.values.set(source.values.subarray(from, to), at)
      at += to - from
    }
    return points
  }
}

type Points = { readonly times: Float64Array; readonly positions: Float64Array; readonly values: Float64Array }

const [COUNT, FIRST_TIME, FIRST, LAST_TIME, LAST, LOST] = [0, 1, 2, 3, 4, 5]
/** A gap longer than this many average distances means that the counter began, or ended, inside the window. */
const GAP_FACTOR = 1.1

/** `LOST` is what the counter had reached at each reset. */
const increase: StateFold = {
  fields: 6,
  start(states, at, { value, time }) {
    states[at + COUNT] = 1
    states[at + FIRST_TIME] = states[at + LAST_TIME] = time
    states[at + FIRST] = states[at + LAST] = value
    states[at + LOST] = 0
  },
  add(states, at, { value, time }) {
    states[at + COUNT]!++
    if (value < states[at + LAST]!) states[at + LOST]! += states[at + LAST]!
    states[at + LAST_TIME] = time
    states[at + LAST] = value
  },
  merge(states, at, others, from) {
    states[at + COUNT]! += others[from + COUNT]!
    states[at + LOST]! += others[from + LOST]!
    if (others[from + FIRST]! < states[at + LAST]!) states[at + LOST]! += states[at + LAST]!
    states[at + LAST_TIME] = others[from + LAST_TIME]!
    states[at + LAST] = others[from + LAST]!
  },
  finish: increasePerSecond,
}

function increasePerSecond(states: Float64Array, at: number, { endNs, rangeNs }: WindowAt): number {
  const count = states[at + COUNT]!
  if (count < 2) return 0
  const first = states[at + FIRST]!
  const delta = states[at + LAST]! - first + states[at + LOST]!
  const sampled = states[at + LAST_TIME]! - states[at + FIRST_TIME]!
  const average = sampled / (count - 1)
  const reach = (gap: number): number => (gap >= average * GAP_FACTOR ? average / 2 : gap)
  let toStart = reach(states[at + FIRST_TIME]! - (endNs - rangeNs))
  const toEnd = reach(endNs - states[at + LAST_TIME]!)
  // a counter is never negative: it cannot have begun before it was zero
  if (delta > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / delta))
  return (delta * ((sampled + toStart + toEnd) / sampled)) / (rangeNs / 1e9)
}

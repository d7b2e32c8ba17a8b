/**
 * What a leaf finds in a block depends on where the block lies among the steps, not on where the query begins and ends. So it is
 * found for a window that belongs to the block alone, all steps at which any of its rows can count and no others, and moved from
 * there into the steps of each query that asks.
 *
 *     steps of the query          |   |   |   |   |   |   |   |   |
 *     rows of the block                  [=====]
 *     its window, range = 1.5 steps        |   |   |                    shift = 2
 *
 * An evaluation at a single time that sees the whole block needs no place at all.
 */
import { dayStartNs, type Day } from '#/logs/model/day.ts'
import type { DiffsResult } from '#/logs/read/scan/scan-job.ts'
import { Segments } from '#/logs/read/scan/segments.ts'
import type { StepWindow } from '#/logs/read/scan/step-grid.ts'

/** Windows with more steps are not worth keeping: a row of the table of each series has as many places. */
const MAX_STEPS = 16_384
/** The key of a single time whose window has the whole block. */
const SEES_ALL = 'all'

export type BlockGrid = {
  /** The steps at which rows of the block count. */
  readonly window: StepWindow
  /** Position of its first step among those of the query; may lie outside of these. */
  readonly shift: number
  /** Equal for equal results. */
  readonly key: string
  /** Set when the window is the whole query: a single time that sees all rows of the block. */
  readonly isQuery: boolean
}

/** Least and greatest time in day. */
export type BlockTimes = { readonly minTime: number; readonly maxTime: number }

/** Undefined when no step sees the block, or too many do. */
export function blockGrid(query: StepWindow, day: Day, { minTime, maxTime }: BlockTimes): BlockGrid | undefined {
  const { startNs, stepNs, stepCount, rangeNs } = query
  const startInDay = startNs - dayStartNs(day)
  if (stepCount === 1) {
    const seesAll = BigInt(minTime) > startInDay - rangeNs && BigInt(maxTime) <= startInDay
    if (seesAll) return { window: query, shift: 0, key: SEES_ALL, isQuery: true }
  }
  if (stepNs <= 0n) return undefined
  const first = divideUp(BigInt(minTime) - startInDay, stepNs)
  const end = divideUp(BigInt(maxTime) + rangeNs - startInDay, stepNs)
  if (end <= first || end - first > MAX_STEPS) return undefined
  const window = { startNs: startNs + first * stepNs, stepNs, stepCount: Number(end - first), rangeNs }
  const key = `${stepNs} ${rangeNs} ${startInDay + first * stepNs - BigInt(minTime)}`
  return { window, shift: Number(first), key, isQuery: false }
}

function divideUp(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a > 0n && quotient * b !== a ? quotient + 1n : quotient
}

/** Moves differences into the steps of a query: what lies before its first step counts at it, what lies behind its last is gone. */
export function shiftDiffs(result: DiffsResult, shift: number, stepCount: number): DiffsResult {
  const { firstStep, width } = result
  const first = firstStep + shift
  if (first >= 0 && first + width <= stepCount + 1) return { ...result, firstStep: first }
  const place = (step: number): number => Math.min(Math.max(step, 0), stepCount)
  const from = place(first)
  const clipped = place(first + width - 1) - from + 1
  const clip = (diffs: Float64Array): Float64Array => {
    const into = new Float64Array(result.series.length * clipped)
    for (let slot = 0; slot < result.series.length; slot++) {
      for (let i = 0; i < width; i++) into[slot * clipped + place(first + i) - from]! += diffs[slot * width + i]!
    }
    return into
  }
  const rowDiffs = clip(result.rowDiffs)
  const valueDiffs = result.valueDiffs && clip(result.valueDiffs)
  return withoutEmpty({ ...result, firstStep: from, width: clipped, rowDiffs, valueDiffs })
}

/** Leaves out series that have nothing at any step of the query: to it they do not exist. */
function withoutEmpty(result: DiffsResult): DiffsResult {
  const { series, width, rowDiffs, valueDiffs } = result
  const rowOf = (diffs: Float64Array, slot: number): Float64Array => diffs.subarray(slot * width, (slot + 1) * width)
  // the place behind the last step only ever subtracts
  const kept = [...series.keys()].filter((slot) =>
    rowOf(rowDiffs, slot)
      .subarray(0, -1)
      .some((count) => count !== 0),
  )
  if (kept.length === series.length) return result
  const pick = (diffs: Float64Array): Float64Array => {
    const into = new Float64Array(kept.length * width)
    for (const [slot, from] of kept.entries()) into.set(rowOf(diffs, from), slot * width)
    return into
  }
  return {
    ...result,
    series: kept.map((slot) => series[slot]!),
    rowDiffs: pick(rowDiffs),
    valueDiffs: valueDiffs && pick(valueDiffs),
  }
}

/**
 * The segment of a query for each segment of a block's window (see range/sample.ts). Undefined when the window reaches beyond the
 * steps of the query: segments would have to be put together then.
 */
export function segmentsInQuery({ window, shift, key }: BlockGrid, query: StepWindow): Uint32Array | undefined {
  const { stepNs, stepCount, rangeNs } = window
  if (shift < 0 || shift + stepCount > query.stepCount) return undefined
  const [own, other] = [new Segments(window), new Segments(query)]
  const moved = new Uint32Array(own.count)
  if (key === SEES_ALL) return moved.map((_, segment) => segment)
  // a row that enters at step k leaves `range / step` steps later, or one more when that is no whole number
  const least = Number(rangeNs / stepNs)
  const most = rangeNs % stepNs === 0n ? least : least + 1
  for (let enter = 0; enter <= stepCount; enter++) {
    for (let leave = enter + least; leave <= enter + most; leave++) {
      if (leave > stepCount) break
      moved[own.of(enter, leave)] = other.of(enter + shift, leave + shift)
    }
  }
  return moved
}

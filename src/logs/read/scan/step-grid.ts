/**
 * Which steps of a metric query an entry counts at, exactly to the nanosecond, without BigInt per entry.
 *
 * Step k stands at T(k) = start + k·step (the offset is in `start` already) and sees the entries with
 * T(k) - range < t ≤ T(k). An entry therefore enters at the number of steps before t and leaves at the number of steps before
 * t + range. Both are the same function of t with another origin (`Edge`), clipped to [0, stepCount].
 *
 * An edge works in times of one day. Its `base` is the first step not before midnight: 0 ≤ base < step, taken with BigInt. Then
 * (t - base) / step is exact enough for `ceil`: numerator and base are integers below 2^53, and the quotient of two such numbers
 * is never rounded across an integer while quotient · step < 2^53. A step beyond a day has at most one boundary in the day, where
 * the sign of t - base decides.
 */
import { NS_PER_DAY, dayStartNs, type Day } from '#/logs/model/day.ts'
import type { CellGrid } from '#/storage/column/value-cells.ts'

export type StepWindow = {
  readonly startNs: bigint
  readonly stepNs: bigint
  readonly stepCount: number
  readonly rangeNs: bigint
}

type Edge = {
  /** Steps before midnight. */
  readonly stepsBefore: number
  /** Time in day of the first step that is not before midnight; NS_PER_DAY when that is another day. */
  readonly base: number
}

/** All pieces of a range of times whose entries count at the same steps, by number, from 1; 0 is what lies outside of the range. */
export type StepCells = {
  /** Finds the numbers of times. */
  readonly grid: CellGrid
  /** One more than the greatest number. Some may be unused. */
  readonly count: number
  /** By number: the steps [enterStep, leaveStep), none for 0 and where nothing counts. */
  readonly enterStep: Int32Array
  readonly leaveStep: Int32Array
}

/** No two edges of windows that are so far apart lie in one day. */
const NO_NEXT_STEP_NS = 4n * BigInt(NS_PER_DAY)

export class StepGrid {
  readonly stepCount: number
  readonly #stepNs: number
  readonly #enter: Edge
  readonly #leave: Edge
  /** Set by {@link locate}: the entry counts at the steps [enterStep, leaveStep). */
  enterStep = 0
  leaveStep = 0
  /** `locate` gives the same steps for every time in (validAfter, validTo]. */
  validAfter = 0
  validTo = -Infinity
  /** Steps from each edge's base to the time that was located last, and the time of the next one. */
  #entered = 0
  #left = 0
  #nextEnter = 0
  #nextLeave = 0

  constructor(window: StepWindow, day: Day) {
    // A single step may come without a distance to the next one; there is none, so it may be as far away as we like.
    const stepNs = window.stepCount === 1 ? NO_NEXT_STEP_NS : window.stepNs
    const startInDay = window.startNs - dayStartNs(day)
    this.stepCount = window.stepCount
    this.#stepNs = Number(stepNs)
    this.#enter = makeEdge(startInDay, stepNs)
    this.#leave = makeEdge(startInDay - window.rangeNs, stepNs)
  }

  /** Finds the steps of time `t`; the answer is in the fields. */
  locate(t: number): void {
    const step = this.#stepNs
    if (t > this.validTo && t <= this.validTo + step) {
      // at most one step of each edge lies between
      if (t > this.#nextEnter) this.#enterNext(this.#entered + 1)
      if (t > this.#nextLeave) this.#leaveNext(this.#left + 1)
    } else {
      this.#enterNext(stepsSince(t, this.#enter.base, step))
      this.#leaveNext(stepsSince(t, this.#leave.base, step))
    }
    this.validAfter = Math.max(
      this.#enter.base + (this.#entered - 1) * step,
      this.#leave.base + (this.#left - 1) * step,
    )
    this.validTo = Math.min(this.#nextEnter, this.#nextLeave)
  }

  #enterNext(entered: number): void {
    this.#entered = entered
    this.enterStep = clip(this.#enter.stepsBefore + entered, this.stepCount)
    this.#nextEnter = this.#enter.base + entered * this.#stepNs
  }

  #leaveNext(left: number): void {
    this.#left = left
    this.leaveStep = clip(this.#leave.stepsBefore + left, this.stepCount)
    this.#nextLeave = this.#leave.base + left * this.#stepNs
  }

  /** Undefined when times in [from, to) would need more numbers than `maxCount`. */
  cells(from: number, to: number, maxCount: number): StepCells | undefined {
    const [enter, leave] = [this.#enter.base, this.#leave.base]
    // edges of both kinds at the same times count once
    const edgesBefore = (): number => (enter === leave ? this.#entered : this.#entered + this.#left)
    this.locate(to - 1)
    const last = edgesBefore()
    this.locate(from)
    const first = edgesBefore() - 1
    const count = last - first + 1
    if (!(count <= maxCount && from < to)) return undefined
    const enterStep = new Int32Array(count)
    const leaveStep = new Int32Array(count)
    for (let t = from; t < to; t = this.validTo + 1) {
      this.locate(t)
      if (this.enterStep >= this.leaveStep) continue
      enterStep[edgesBefore() - first] = this.enterStep
      leaveStep[edgesBefore() - first] = this.leaveStep
    }
    const grid = { from, to, step: this.#stepNs, enter, leave: enter === leave ? undefined : leave, first }
    return { grid, count, enterStep, leaveStep }
  }

  /** The steps [first, last) at which any entry of [minTime, maxTime] may count; empty when none does. */
  stepsOf(minTime: number, maxTime: number): { readonly first: number; readonly last: number } {
    this.locate(minTime)
    const first = this.enterStep
    this.locate(maxTime)
    return { first, last: this.leaveStep }
  }
}

function makeEdge(firstInDay: bigint, stepNs: bigint): Edge {
  // ceil(-first / step): how many steps lie before midnight, negative when the first one lies far behind it
  const stepsBefore = ceilDivide(-firstInDay, stepNs)
  const base = firstInDay + stepsBefore * stepNs
  return {
    stepsBefore: Number(clampToSafe(stepsBefore)),
    base: base >= BigInt(NS_PER_DAY) ? NS_PER_DAY : Number(base),
  }
}

function ceilDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a > 0n && quotient * b !== a ? quotient + 1n : quotient
}

const safe = BigInt(Number.MAX_SAFE_INTEGER) / 2n

function clampToSafe(value: bigint): bigint {
  return value > safe ? safe : value < -safe ? -safe : value
}

/** Steps in [base, t). */
function stepsSince(t: number, base: number, stepNs: number): number {
  return t <= base ? 0 : Math.ceil((t - base) / stepNs)
}

function clip(step: number, stepCount: number): number {
  return step < 0 ? 0 : step > stepCount ? stepCount : step
}

/** The buckets of a volume by time: they end at multiples of the step since the epoch; the first and the last are cut by the range. */
import { absoluteNs, dayStartNs, type Day, type TimeRange } from '#/logs/model/day.ts'

export class VolumeBuckets {
  readonly count: number
  readonly endsNs: readonly bigint[]
  readonly #stepNs: bigint
  /** Multiple of the step at or before the start of the range. */
  readonly #firstNs: bigint

  /** Both ends of the range are included. `stepNs` 0: one bucket. */
  constructor({ startNs, endNs }: TimeRange, stepNs: bigint) {
    const floor = (ns: bigint): bigint => ns - (((ns % stepNs) + stepNs) % stepNs)
    this.#stepNs = stepNs
    this.#firstNs = stepNs === 0n ? startNs : floor(startNs)
    this.count = stepNs === 0n ? 1 : Number((endNs - this.#firstNs) / stepNs) + 1
    this.endsNs = Array.from({ length: this.count }, (_, i) =>
      i === this.count - 1 ? endNs : this.#firstNs + BigInt(i + 1) * stepNs,
    )
  }

  /** The buckets of a day from time `from` in it: that of `t` is `first + floor((t - originTime) / step)`. */
  inDay(day: Day, from: number): DayBuckets {
    if (this.#stepNs === 0n) return { first: 0, originTime: 0, step: Infinity }
    const first = (absoluteNs(day, from) - this.#firstNs) / this.#stepNs
    const originTime = Number(this.#firstNs + first * this.#stepNs - dayStartNs(day))
    return { first: Number(first), originTime, step: Number(this.#stepNs) }
  }
}

export type DayBuckets = { readonly first: number; readonly originTime: number; readonly step: number }

/** For `t` at or after the `from` of the day's buckets. */
export function bucketOf({ first, originTime, step }: DayBuckets, t: number): number {
  return first + Math.floor((t - originTime) / step)
}

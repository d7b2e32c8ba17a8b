/**
 * Days. Every stored thing belongs to one UTC day, and inside it a time is a float64 of nanoseconds since midnight: exact
 * (8.64e13 < 2^53) and free of BigInt in loops. BigInt nanoseconds since the epoch exist at the edges only.
 */
export const NS_PER_DAY = 86_400e9
const SECONDS_PER_DAY = 86_400
const nsPerDay = 86_400_000_000_000n

/** Days since 1970-01-01; negative before. */
export type Day = number

/** A half-open range of time, `start` included, `end` excluded, in nanoseconds since the epoch. */
export type TimeRange = { readonly startNs: bigint; readonly endNs: bigint }

export function dayOf(ns: bigint): Day {
  const day = ns / nsPerDay
  return Number(ns < 0n && day * nsPerDay !== ns ? day - 1n : day)
}

/** Nanoseconds since midnight of the day that `ns` is in. */
export function timeInDay(ns: bigint): number {
  return Number(ns - BigInt(dayOf(ns)) * nsPerDay)
}

/** Midnight at the start of `day`, in nanoseconds since the epoch. */
export function dayStartNs(day: Day): bigint {
  return BigInt(day) * nsPerDay
}

export function absoluteNs(day: Day, time: number): bigint {
  return BigInt(day) * nsPerDay + BigInt(time)
}

/** The day of a timestamp that comes as seconds and nanoseconds, without BigInt. */
export function dayOfSeconds(seconds: number): Day {
  return Math.floor(seconds / SECONDS_PER_DAY)
}

/** Nanoseconds since midnight for seconds since the epoch and `nanos` in [0, 1e9). */
export function timeOfSeconds(seconds: number, nanos: number): number {
  return (seconds - Math.floor(seconds / SECONDS_PER_DAY) * SECONDS_PER_DAY) * 1e9 + nanos
}

/** The part of `range` inside `day` as times in day, `from` included, `to` excluded (`to` may be {@link NS_PER_DAY}). */
export function clipToDay(range: TimeRange, day: Day): { readonly from: number; readonly to: number } {
  const start = dayStartNs(day)
  const clip = (ns: bigint): number => {
    const offset = ns - start
    return offset <= 0n ? 0 : offset >= nsPerDay ? NS_PER_DAY : Number(offset)
  }
  return { from: clip(range.startNs), to: clip(range.endNs) }
}

/** The functions of a window of samples, as the language defines each. */
import { areClose, Undecided } from './outcome.ts'

export type WindowSample = {
  readonly timeNs: bigint
  readonly value: number
  readonly bytes: number
  /** The stream that the entry is stored in: between streams entries of one time have no order. */
  readonly stream: string
  /** Value of the label whose values are counted. */
  readonly text?: string | undefined
}

export type Window = {
  /** In order of time; never empty. */
  readonly samples: readonly WindowSample[]
  readonly hasValues: boolean
  readonly parameter: number | undefined
  readonly startNs: bigint
  readonly endNs: bigint
}

export function applyRangeFunction(op: string, window: Window): number {
  const { samples, hasValues, parameter } = window
  const values = samples.map(({ value }) => value)
  const seconds = Number(window.endNs - window.startNs) / 1e9
  switch (op) {
    case 'count_over_time':
      return samples.length
    case 'rate':
      return (hasValues ? sum(values) : samples.length) / seconds
    case 'bytes_over_time':
      return sum(samples.map(({ bytes }) => bytes))
    case 'bytes_rate':
      return sum(samples.map(({ bytes }) => bytes)) / seconds
    case 'sum_over_time':
      return sum(values)
    case 'avg_over_time':
      return runningMean(values)
    case 'min_over_time':
      return values.reduce((least, value) => (value < least || Number.isNaN(least) ? value : least))
    case 'max_over_time':
      return values.reduce((most, value) => (value > most || Number.isNaN(most) ? value : most))
    case 'stdvar_over_time':
      return variance(values)
    case 'stddev_over_time':
      return Math.sqrt(variance(values))
    case 'quantile_over_time':
      return quantile(values, parameter ?? NaN)
    case 'first_over_time':
      checkOrder(samples.filter(({ timeNs }) => timeNs === samples[0]!.timeNs))
      return values[0]!
    case 'last_over_time':
      checkOrder(samples.filter(({ timeNs }) => timeNs === samples.at(-1)!.timeNs))
      return values.at(-1)!
    case 'rate_counter':
      for (const tied of Map.groupBy(samples, ({ timeNs }) => timeNs).values()) checkOrder(tied)
      return counterRate(window)
    case 'count_distinct_over_time':
      return new Set(samples.map(({ text }) => text)).size
    default:
      throw new Error(`the reference does not know ${op}`)
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

export function variance(values: readonly number[]): number {
  const mean = sum(values) / values.length
  return sum(values.map((value) => (value - mean) ** 2)) / values.length
}

/** The mean of the first value, of the first two, and so on: sums never grow out of range. */
function runningMean(values: readonly number[]): number {
  return values.reduce((mean, value, at) => mean + value / (at + 1) - mean / (at + 1), 0)
}

/** Between the two values next to the rank. */
export function quantile(values: readonly number[], q: number): number {
  if (Number.isNaN(q)) return NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  const sorted = values.toSorted((a, b) => a - b)
  const rank = q * (sorted.length - 1)
  const lower = Math.floor(rank)
  const weight = rank - lower
  return sorted[lower]! * (1 - weight) + sorted[Math.min(lower + 1, sorted.length - 1)]! * weight
}

/** Entries of one time and different streams may come in any order. */
function checkOrder(tied: readonly WindowSample[]): void {
  if (tied.some(({ stream, value }) => stream !== tied[0]!.stream && !areClose(value, tied[0]!.value)))
    throw new Undecided('order of samples at one time')
}

/** The increase per second of a counter, stretched to the borders of the window as far as its samples justify. */
function counterRate({ samples, startNs, endNs }: Window): number {
  const first = samples[0]!
  const last = samples.at(-1)!
  if (samples.length < 2) return 0
  let increase = last.value - first.value
  for (const [i, { value }] of samples.entries()) {
    const previous = samples[i - 1]?.value ?? -Infinity
    if (value < previous) increase += previous
  }
  const seconds = (ns: bigint): number => Number(ns) / 1e9
  const sampled = seconds(last.timeNs - first.timeNs)
  const average = sampled / (samples.length - 1)
  const stretch = (distance: number): number => (distance >= average * 1.1 ? average / 2 : distance)
  let toStart = stretch(seconds(first.timeNs - startNs))
  if (increase > 0 && first.value >= 0) toStart = Math.min(toStart, sampled * (first.value / increase))
  const length = sampled + toStart + stretch(seconds(endNs - last.timeNs))
  return (increase * (length / sampled)) / seconds(endNs - startNs)
}

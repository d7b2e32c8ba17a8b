/** Numbers with units: durations, sizes and the range in brackets. */
import { parseDuration, parsePrometheusDuration } from '#/kernel/duration.ts'
import { quoteGo } from '#/kernel/go-quote.ts'

/** The longest duration that Loki can hold: 2^63 - 1 ns. */
const maxDurationNs = 2 ** 63

/** Nanoseconds of a duration literal: Prometheus' form first, then Go's; undefined when it is neither. */
export function parseDurationLiteral(text: string): number | undefined {
  const ns = parseDuration(text)
  return ns === undefined || ns >= maxDurationNs ? undefined : ns
}

const prometheusUnits = ['y', 'w', 'd', 'h', 'm', 's', 'ms']

/** Nanoseconds of the text in `[…]`, or what is wrong with it. Only Prometheus' form is allowed there. */
export function parseRangeText(text: string): number | string {
  const ns = parsePrometheusDuration(text)
  if (ns !== undefined) return ns < maxDurationNs ? ns : 'duration out of range'
  if (text === '') return 'empty duration string'
  const notValid = `not a valid duration string: ${quoteGo(text)}`
  if (/^[^0-9]/.test(text)) return notValid
  for (const [, unit = ''] of text.matchAll(/[0-9]+([^0-9]*)/g)) {
    if (unit === '') return notValid
    if (!prometheusUnits.includes(unit)) return `unknown unit ${quoteGo(unit)} in duration ${quoteGo(text)}`
  }
  return notValid
}

const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  p: 1e15,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
  ti: 1024 ** 4,
  pi: 1024 ** 5,
}

/** Bytes of a size literal: `k` is 1000, `Ki` is 1024, a `B` behind them changes nothing; undefined when it is none. */
export function parseBytesLiteral(text: string): number | undefined {
  const match = /^(\d+(?:\.\d*)?|\.\d+)([a-z]+)$/i.exec(text)
  if (!match) return undefined
  const unit = match[2]!.toLowerCase()
  const factor = sizeUnits[unit] ?? (unit.endsWith('b') ? sizeUnits[unit.slice(0, -1)] : undefined)
  if (factor === undefined || unit === 'bb') return undefined
  const bytes = Math.trunc(Number(match[1]) * factor)
  return bytes < 2 ** 64 ? bytes : undefined
}

/** The value of a number's text, or what is wrong with it. */
export function parseNumberText(text: string): number | string {
  const problem = (what: string): string =>
    `unable to parse literal as a float: strconv.ParseFloat: parsing ${quoteGo(text)}: ${what}`
  if (!/^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return problem('invalid syntax')
  const value = Number(text)
  return Number.isFinite(value) ? value : problem('value out of range')
}

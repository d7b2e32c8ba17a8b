/**
 * The two ways in which this world writes durations. Prometheus: `1h30m`, integer parts, units y w d h m s ms, descending,
 * each once, 1y = 365d. Go: `1.5h`, `2h45m`, `300us`, with fractions and ns us µs ms s m h, no days. All values are
 * nanoseconds as numbers: exact up to 104 days, and beyond for whole milliseconds.
 */
import { quoteGo } from './go-quote.ts'

const NS = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
  w: 604_800e9,
  y: 31_536_000e9,
}
const goUnits: ReadonlyMap<string, number> = new Map(
  (['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h'] as const).map((unit) => [unit, NS[unit]]),
)
const prometheusUnits = ['y', 'w', 'd', 'h', 'm', 's', 'ms'] as const

/** Nanoseconds, or undefined when `text` is not a Prometheus duration. `0` is one. */
export function parsePrometheusDuration(text: string): number | undefined {
  if (text === '0') return 0
  const match = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text)
  if (!match || text === '') return undefined
  return prometheusUnits.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * NS[unit], 0)
}

/** Nanoseconds, or undefined when `text` is not a Go duration. */
export function parseGoDuration(text: string): number | undefined {
  const simple = parseOneTerm(text)
  if (simple !== undefined) return simple
  const sign = text.startsWith('-') ? -1 : 1
  const body = /^[+-]/.test(text) ? text.slice(1) : text
  if (body === '0') return 0
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined
  let total = 0
  for (const [, whole, fraction = '', unit] of body.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = NS[unit as keyof typeof NS]
    total += Number(whole) * size + Math.trunc(Number(fraction) * (size / 10 ** fraction.length))
  }
  return total < MAX_GO_NS ? sign * total : undefined
}

/** Whole seconds and the rest are divided apart, as Go does. */
export function goSeconds(ns: number): number {
  return Math.trunc(ns / 1e9) + (ns % 1e9) / 1e9
}

/** Go counts nanoseconds in 64 bits: 292 years. */
const MAX_GO_NS = 2 ** 63
/** Amounts of at most this many digits are exact, with and without a point. */
const MAX_TERM_DIGITS = 15
const ZERO = 0x30

/** `12ms`, `1.5s`: most durations in logs are one amount and one unit, which need no regular expression. */
function parseOneTerm(text: string): number | undefined {
  let whole = 0
  let fraction = 0
  let scale = 0
  let i = 0
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const digit = code - ZERO
    if (digit >= 0 && digit <= 9) {
      if (scale === 0) whole = whole * 10 + digit
      else {
        fraction = fraction * 10 + digit
        scale *= 10
      }
    } else if (code === 0x2e && scale === 0 && i > 0) scale = 1
    else break
  }
  if (i === 0 || i > MAX_TERM_DIGITS) return undefined
  const size = goUnits.get(text.slice(i))
  if (size === undefined) return undefined
  // what is below a nanosecond is cut off, as Go does
  const ns = whole * size + (scale === 0 ? 0 : Math.trunc(fraction * (size / scale)))
  // the long way says no
  return ns < MAX_GO_NS ? ns : undefined
}

/** Why `text`, which is not a Go duration, is none, in Go's words. */
export function goDurationFault(text: string): string {
  const quoted = quoteGo(text)
  let rest = text.replace(/^[+-]/, '')
  while (rest !== '') {
    const [amount = ''] = /^\d*\.?\d*/.exec(rest) ?? []
    if (!/\d/.test(amount)) break
    const [unit = ''] = /^[^.\d]*/.exec(rest.slice(amount.length)) ?? []
    if (unit === '') return `time: missing unit in duration ${quoted}`
    if (!/^(?:ns|us|µs|μs|ms|s|m|h)$/.test(unit)) return `time: unknown unit ${quoteGo(unit)} in duration ${quoted}`
    rest = rest.slice(amount.length + unit.length)
  }
  return `time: invalid duration ${quoted}`
}

/** Either way, as configuration files use both; a bare number is not a duration. */
export function parseDuration(text: string): number | undefined {
  return parsePrometheusDuration(text) ?? parseGoDuration(text)
}

/** Prometheus' text: `1h30m`, `721h` is `30d1h`; 0 is `0s`. Parts below a millisecond are cut. */
export function formatPrometheusDuration(ns: number): string {
  let rest = Math.floor(ns / 1e6)
  if (rest === 0) return '0s'
  let text = ''
  for (const unit of prometheusUnits) {
    const size = NS[unit] / 1e6
    // weeks and years only when nothing is left over, as Prometheus prints them
    if ((unit === 'y' || unit === 'w') && rest % size !== 0) continue
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}

/** Go's text: `1h30m0s`, `1.5s`, `300ms`, `0s`. */
export function formatGoDuration(ns: number): string {
  if (ns === 0) return '0s'
  const sign = ns < 0 ? '-' : ''
  const size = Math.abs(ns)
  if (size < 1e3) return `${sign}${size}ns`
  if (size < 1e6) return `${sign}${size / 1e3}µs`
  if (size < 1e9) return `${sign}${size / 1e6}ms`
  const hours = Math.floor(size / NS.h)
  const minutes = Math.floor((size - hours * NS.h) / NS.m)
  const nanos = size - hours * NS.h - minutes * NS.m
  const seconds = `${Math.floor(nanos / 1e9)}${fraction(nanos % 1e9)}s`
  return sign + (hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : '') + seconds
}

function fraction(nanos: number): string {
  return nanos === 0 ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`
}

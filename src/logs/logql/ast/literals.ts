/** How names, strings, numbers, durations and sizes are written in canonical LogQL. Everything here parses back to the same value. */
import { formatGoDuration } from '#/kernel/duration.ts'
import { quoteGo } from '#/kernel/go-quote.ts'
import type { Matcher } from './matcher.ts'

/** A string that keeps its backticks when `raw`. */
export function printString(text: string, raw: boolean): string {
  return raw ? `\`${text}\`` : quoteGo(text)
}

export function printMatcher(matcher: Matcher): string {
  return `${matcher.name}${matcher.op}${quoteGo(matcher.value)}`
}

/** `{a="b", c=~"d.*"}` */
export function printSelector(matchers: readonly Matcher[]): string {
  return `{${matchers.map(printMatcher).join(', ')}}`
}

/** A number without exponent: 1e6 is `1000000`. */
export function printPlainNumber(value: number): string {
  const text = String(value)
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (!match) return Object.is(value, -0) ? '-0' : text
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match
  const exponent = Number(exponentText)
  const digits = whole + fraction
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return sign + digits.padEnd(exponent + 1, '0')
}

/**
 * A number as Go prints it by default: the shortest digits, with an exponent (`1e+06`) below 1e-4 and from a million on. Values
 * that have no literal, which folding can make, are written as the operation that gives them.
 */
export function printNumber(value: number): string {
  if (Number.isNaN(value)) return '(0 / 0)'
  if (value === Infinity) return '(1e+308 * 1e+308)'
  if (value === -Infinity) return '(-1e+308 * 1e+308)'
  const [mantissa = '', exponentText = ''] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (value === 0 || (exponent >= -4 && exponent < 6)) return printPlainNumber(value)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

export function printDuration(ns: number): string {
  return formatGoDuration(ns)
}

const sizeUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** A size for people, `5.0kB`, where that is exact; else in bytes. */
export function printBytes(bytes: number): string {
  if (bytes < 10) return `${bytes}B`
  const power = Math.min(Math.floor(Math.log10(bytes) / 3), sizeUnits.length - 1)
  const unit = 1000 ** power
  const rounded = Math.floor((bytes / unit) * 10 + 0.5) / 10
  const text = rounded < 10 ? rounded.toFixed(1) : rounded.toFixed(0)
  return Math.trunc(Number(text) * unit) === bytes ? text + sizeUnits[power]! : `${bytes}B`
}

export function printLabels(labels: readonly string[]): string {
  return `(${labels.join(',')})`
}

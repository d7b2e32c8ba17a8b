/** Numbers for people, in the words of Prometheus' template functions. */
import { formatText } from '#/logs/logql/template/format-text.ts'

const largePrefixes = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
const binaryPrefixes = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']
const smallPrefixes = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']

/** `%.4g` */
export function fourDigits(value: number): string {
  return formatText('%.4g', [value])
}

/** `1.235M`, `10m` */
export function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return fourDigits(value)
  return Math.abs(value) >= 1 ? scaledDown(value, largePrefixes, 1000) : scaledUp(value)
}

/** `1.5ki` */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return fourDigits(value)
  return scaledDown(value, binaryPrefixes, 1024)
}

/** Seconds as `1d 2h 3m 4s`, or as `1.5s` and `12ms` when there are few. */
export function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return fourDigits(value)
  if (value === 0) return '0s'
  if (Math.abs(value) < 1) return `${scaledUp(value)}s`
  const sign = value < 0 ? '-' : ''
  const size = Math.abs(value)
  const whole = Math.trunc(size)
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ]
  const seconds = whole % 60
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`
  return `${sign}${fourDigits(size)}s`
}

export function humanizePercentage(value: number): string {
  return `${fourDigits(value * 100)}%`
}

function scaledDown(value: number, prefixes: readonly string[], step: number): string {
  let rest = value
  let prefix = ''
  for (const one of prefixes) {
    if (Math.abs(rest) < step) break
    prefix = one
    rest /= step
  }
  return fourDigits(rest) + prefix
}

function scaledUp(value: number): string {
  let rest = value
  let prefix = ''
  for (const one of smallPrefixes) {
    if (Math.abs(rest) >= 1) break
    prefix = one
    rest *= 1000
  }
  return fourDigits(rest) + prefix
}

/** Label values as numbers, durations and sizes, in Go's ways of writing them. Undefined when the text is none. */

export function toNumber(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text))
    return Number.isFinite(Number(text)) ? Number(text) : undefined
  if (/^nan$/i.test(text)) return NaN
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  return undefined
}

const unitNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** Nanoseconds: `1h2.5s`, `-300ms`, `0`. */
export function toDuration(text: string): number | undefined {
  const [, sign, body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (body === '0') return 0
  const parts = [...body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g)]
  // each part is cut to whole nanoseconds
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== body) return undefined
  const ns = parts.reduce((sum, [, amount, unit]) => sum + Number(nanoseconds(amount!, unit!)), 0)
  // nanoseconds have 64 bits
  if (ns >= 2 ** 63) return undefined
  return sign === '-' ? -ns : ns
}

/** The sum of two numbers, as in Go. */
export function seconds(ns: number): number {
  return Math.trunc(ns / 1e9) + (ns % 1e9) / 1e9
}

function nanoseconds(amount: string, unit: string): bigint {
  const [whole = '', fraction = ''] = amount.split('.')
  const scale = 10n ** BigInt(fraction.length)
  return (BigInt(`0${whole}${fraction}`) * BigInt(unitNs[unit]!)) / scale
}

/** Bytes: `10KB` is 10,000, `10 KiB` is 10,240. */
export function toBytes(text: string): number | undefined {
  const [, amount = '', letter = '', i] = /^([\d.,]+)\s*([kmgtpe]?)(i?)b?\s*$/i.exec(text) ?? []
  const number = toNumber(amount.replaceAll(',', ''))
  if (number === undefined || (letter === '' && i === 'i')) return undefined
  return Math.floor(number * (i ? 1024 : 1000) ** ' kmgtpe'.indexOf(letter.toLowerCase() || ' '))
}

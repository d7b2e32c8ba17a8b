/** Decimal digits of floats: exact ones, rounded half to even, as Go's `strconv` gives them. */

/** `0.d₁d₂d₃… × 10^point`; no digits for zero. */
export type Digits = { readonly digits: string; readonly point: number }

/** All digits of a finite, not negative value. */
export function exactDigits(value: number): Digits {
  if (value === 0) return { digits: '', point: 0 }
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const fraction = bits & 0xfffffffffffffn
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n)
  const power = Math.max(exponent, 1) - 1075
  // m × 2^-k is m × 5^k / 10^k
  const whole = power >= 0 ? mantissa << BigInt(power) : mantissa * 5n ** BigInt(-power)
  const text = whole.toString()
  return { digits: text.replace(/0+$/, ''), point: text.length + Math.min(power, 0) }
}

/** The first `count` digits, rounded half to even; trailing zeros are gone. */
export function roundDigits({ digits, point }: Digits, count: number): Digits {
  if (count >= digits.length) return { digits, point }
  if (count < 0) return { digits: '', point: 0 }
  const half = digits.charCodeAt(count) - 0x35
  const isOdd = count > 0 && digits.charCodeAt(count - 1) % 2 === 1
  const roundsUp = half > 0 || (half === 0 && (digits.length > count + 1 || isOdd))
  const kept = digits.slice(0, count)
  if (!roundsUp) return trimmed(kept, point)
  const up = (BigInt(`0${kept}`) + 1n).toString()
  return up.length > count ? trimmed(up, point + 1) : trimmed(up.padStart(count, '0'), point)
}

function trimmed(digits: string, point: number): Digits {
  const kept = digits.replace(/0+$/, '')
  return kept === '' ? { digits: '', point: 0 } : { digits: kept, point }
}

/** The fewest digits that mean this value. */
export function shortestDigits(value: number): Digits {
  if (value === 0) return { digits: '', point: 0 }
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  return { digits: mantissa.replace('.', ''), point: Number(power) + 1 }
}

/** `123.4500` */
export function fixedText({ digits, point }: Digits, places: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0'
  if (places === 0) return whole
  const fraction = point >= 0 ? digits.slice(point) : '0'.repeat(Math.min(-point, places)) + digits
  return `${whole}.${fraction.slice(0, places).padEnd(places, '0')}`
}

/** `1.2345e+02` */
export function exponentText({ digits, point }: Digits, places: number): string {
  const exponent = digits === '' ? 0 : point - 1
  const fraction = places > 0 ? `.${digits.slice(1, places + 1).padEnd(places, '0')}` : ''
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${digits[0] ?? '0'}${fraction}e${exponent < 0 ? '-' : '+'}${size}`
}

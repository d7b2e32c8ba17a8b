/** Exact decimal arithmetic: 0.1 + 0.2 is 0.3. A value is `units / 10^scale`. */
export type Decimal = { readonly units: bigint; readonly scale: number }

/** Digits behind the point of a quotient that does not end. */
const DIVISION_DIGITS = 16

export function toDecimal(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  const scale = fraction.length - Number(exponent)
  const units = BigInt(whole + fraction)
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 }
}

export function fromDecimal({ units, scale }: Decimal): number {
  return Number(`${units}e${-scale}`)
}

export function addDecimals(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale)
  return { units: rescale(left, scale) + rescale(right, scale), scale }
}

export function negateDecimal({ units, scale }: Decimal): Decimal {
  return { units: -units, scale }
}

export function multiplyDecimals(left: Decimal, right: Decimal): Decimal {
  return { units: left.units * right.units, scale: left.scale + right.scale }
}

/** Rounded half away from zero. */
export function divideDecimals(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale)
  const dividend = rescale(left, scale) * 10n ** BigInt(DIVISION_DIGITS)
  const divisor = rescale(right, scale)
  const isNegative = dividend < 0n !== divisor < 0n
  const [a, b] = [dividend < 0n ? -dividend : dividend, divisor < 0n ? -divisor : divisor]
  const units = (a * 2n + b) / (b * 2n)
  return { units: isNegative ? -units : units, scale: DIVISION_DIGITS }
}

function rescale({ units, scale }: Decimal, to: number): bigint {
  return units * 10n ** BigInt(to - scale)
}

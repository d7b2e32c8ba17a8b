/** Decimals straight from bytes. */
const ZERO = 0x30
const MINUS = 0x2d
const POINT = 0x2e
/** Up to so many digits, digits and power of ten are exact numbers, so that their quotient is rounded correctly, once. */
const MAX_DIGITS = 15
const powersOfTen = Array.from({ length: MAX_DIGITS + 1 }, (_, i) => 10 ** i)

/** The number in `bytes[start, end)`: `12`, `-3.25`, `.5`, `7.`; NaN for anything else, and for more than 15 digits. */
export function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  let i = start
  const isNegative = i < end && bytes[i] === MINUS
  if (isNegative) i++
  if (end - i > MAX_DIGITS + 1) return NaN
  let value = 0
  let digits = 0
  let point = -1
  for (; i < end; i++) {
    const byte = bytes[i]!
    if (byte === POINT) {
      if (point >= 0) return NaN
      point = digits
      continue
    }
    const digit = byte - ZERO
    if (digit < 0 || digit > 9) return NaN
    value = value * 10 + digit
    digits++
  }
  if (digits === 0 || digits > MAX_DIGITS) return NaN
  if (point >= 0) value /= powersOfTen[digits - point]!
  return isNegative ? -value : value
}

/** The same for a text. */
export function readDecimalText(text: string): number {
  const isNegative = text.charCodeAt(0) === MINUS
  let i = isNegative ? 1 : 0
  if (text.length - i > MAX_DIGITS + 1) return NaN
  let value = 0
  let digits = 0
  let point = -1
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === POINT && point < 0) {
      point = digits
      continue
    }
    const digit = code - ZERO
    if (digit < 0 || digit > 9) return NaN
    value = value * 10 + digit
    digits++
  }
  if (digits === 0 || digits > MAX_DIGITS) return NaN
  if (point >= 0) value /= powersOfTen[digits - point]!
  return isNegative ? -value : value
}

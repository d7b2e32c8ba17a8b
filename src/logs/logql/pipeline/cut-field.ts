/** Values of a label in all rows that have one cut text, without their lines. */
import type { LinePiece } from './sample-line.ts'
import { readDecimalText } from '#/kernel/read-decimal.ts'
import type { CutNumbers } from '#/storage/column/cut-numbers.ts'

/** Knows nothing of pages: the numbers are those of the page that the row is in. */
export interface CutField {
  textOf(numbers: CutNumbers, row: number): string
  /** As {@link readDecimalText}. */
  decimalOf(numbers: CutNumbers, row: number): number
}

const MAX_DIGITS = 15
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const powersOfTen = Array.from({ length: MAX_DIGITS + 1 }, (_, i) => 10 ** i)
/** Texts of numbers below it are made once. */
const KNOWN_NUMBERS = 1024
const knownTexts = Array.from({ length: KNOWN_NUMBERS }, (_, i) => String(i))

/** The field of these pieces; `contexts` are those of the numbers of the text. */
export function fieldOf(pieces: readonly LinePiece[], contexts: Uint16Array): CutField {
  const bound = pieces.map((piece) => (typeof piece === 'string' ? cleanText(piece) : numberOf(piece, contexts)))
  const [first] = bound
  if (bound.length === 1 && first instanceof NumberField) return first
  return bound.every((piece) => typeof piece === 'string') ? new ConstantField(bound.join('')) : new PiecedField(bound)
}

/** As parsers show bytes that are no UTF-8. */
function cleanText(text: string): string {
  return text.includes('\ufffd') ? text.replaceAll('\ufffd', ' ') : text
}

function numberOf({ number, digits }: Exclude<LinePiece, string>, contexts: Uint16Array): NumberField {
  const context = contexts[number]!
  let before = 0
  for (let i = 0; i < number; i++) if (contexts[i] === context) before++
  return new NumberField(context, before, digits)
}

class ConstantField implements CutField {
  readonly #text: string
  readonly #decimal: number

  constructor(text: string) {
    this.#text = text
    this.#decimal = readDecimalText(text)
  }

  textOf(): string {
    return this.#text
  }

  decimalOf(): number {
    return this.#decimal
  }
}

/** The number that stands behind `before` others of its context in the text. */
class NumberField implements CutField {
  readonly #context: number
  readonly #before: number
  /** With zeros in front; 0: as many as it needs. */
  readonly digits: number

  constructor(context: number, before: number, digits: number) {
    this.#context = context
    this.#before = before
    this.digits = digits
  }

  decimalOf(numbers: CutNumbers, row: number): number {
    const { values, firstOfRow } = numbers.column(this.#context)
    return values[firstOfRow[row]! + this.#before]!
  }

  textOf(numbers: CutNumbers, row: number): string {
    const value = this.decimalOf(numbers, row)
    const text = value < KNOWN_NUMBERS ? knownTexts[value]! : String(value)
    return this.digits === 0 ? text : text.padStart(this.digits, '0')
  }
}

class PiecedField implements CutField {
  readonly #pieces: readonly (string | NumberField)[]

  constructor(pieces: readonly (string | NumberField)[]) {
    this.#pieces = pieces
  }

  textOf(numbers: CutNumbers, row: number): string {
    let text = ''
    for (const piece of this.#pieces) text += typeof piece === 'string' ? piece : piece.textOf(numbers, row)
    return text
  }

  /** Without making the text. */
  decimalOf(numbers: CutNumbers, row: number): number {
    let value = 0
    let digits = 0
    let point = -1
    let isNegative = false
    for (let i = 0; i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]!
      if (typeof piece !== 'string') {
        const number = piece.decimalOf(numbers, row)
        const size = piece.digits === 0 ? digitsOf(number) : piece.digits
        digits += size
        if (digits > MAX_DIGITS) return NaN
        value = value * powersOfTen[size]! + number
        continue
      }
      for (let c = 0; c < piece.length; c++) {
        const code = piece.charCodeAt(c)
        if (code === MINUS && i === 0 && c === 0) isNegative = true
        else if (code === POINT && point < 0) point = digits
        else if (code >= ZERO && code < ZERO + 10 && ++digits <= MAX_DIGITS) value = value * 10 + code - ZERO
        else return NaN
      }
    }
    if (point >= 0) value /= powersOfTen[digits - point]!
    return isNegative ? -value : value
  }
}

/** Of a number below 10^9. */
function digitsOf(number: number): number {
  let digits = 1
  while (number >= powersOfTen[digits]!) digits++
  return digits
}

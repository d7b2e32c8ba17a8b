/** Literals of templates: strings, numbers and characters. */
import { BadRequest } from '#/kernel/errors.ts'
import { unquoteGo } from '#/kernel/go-quote.ts'
import type { Value } from './values.ts'

const MAX_INT = 2n ** 63n
const integer = /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9]\d*)$/
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const hexFloat = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)$/

/** What a number means: `bigint` is Go's int. @throws BadRequest in Go's words. */
export function numberLiteral(source: string): Value {
  const text = withoutSeparators(source)
  const [, sign = '', digits] = integer.exec(text) ?? []
  if (digits !== undefined) {
    const size = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
    const value = sign === '-' ? -size : size
    if (value >= MAX_INT || value < -MAX_INT) throw new BadRequest(`integer overflow: ${JSON.stringify(source)}`)
    return value
  }
  // what looks whole but is no int is too large for Go, 08 included
  if (/^[+-]?\d+$/.test(text)) throw new BadRequest(`integer overflow: ${JSON.stringify(source)}`)
  if (decimal.test(text) && Number.isFinite(Number(text))) return Number(text)
  const [, hexSign, whole = '', fraction = '', power] = hexFloat.exec(text) ?? []
  if (power === undefined || whole + fraction === '')
    throw new BadRequest(`illegal number syntax: ${JSON.stringify(source)}`)
  return (hexSign === '-' ? -1 : 1) * Number.parseInt(whole + fraction, 16) * 2 ** (Number(power) - 4 * fraction.length)
}

/** Underscores may stand between digits and behind the prefix of a base. */
function withoutSeparators(source: string): string {
  if (!source.includes('_')) return source
  return /^[+-]?(?:0[xXoObB]?_?)?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*$/.test(source) ? source.replaceAll('_', '') : source
}

/** The code of the one character in `'…'`. */
export function runeLiteral(source: string): bigint {
  let text: string
  try {
    text = unquoteGo(source)
  } catch {
    throw new BadRequest('invalid syntax')
  }
  if (Array.from(text).length !== 1) throw new BadRequest(`malformed character constant: ${source}`)
  return BigInt(text.codePointAt(0)!)
}

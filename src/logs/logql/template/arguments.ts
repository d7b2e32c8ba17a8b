/** Values as the type that a function works with, by the rules of Go's cast library: what cannot be read is 0. */
import { parseGoFloat } from '#/kernel/go-number.ts'
import { isList, isMap, isTime, printValue, TemplateFailure, type Value } from './values.ts'

/** Longest text that a function may make, in UTF-16 units. */
export const MAX_TEXT = 1 << 20

export function fail(what: string): never {
  throw new TemplateFailure(what)
}

/** @throws TemplateFailure when `text` is too long. */
export function bounded(text: string): string {
  return text.length > MAX_TEXT ? fail(`text is longer than ${MAX_TEXT} characters`) : text
}

const MAX_INT = 2n ** 63n

export function castInt(value: Value): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : 0n
  if (typeof value === 'boolean') return value ? 1n : 0n
  return typeof value === 'string' ? castText(value) : 0n
}

/** In the base that the prefix says; a fraction of zeros is ignored. */
function castText(text: string): bigint {
  if (/^[1-9]\d{0,14}$/.test(text)) return BigInt(Number(text))
  const [, sign = '', digits = ''] =
    /^([+-]?)(0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|0[oO]?_?[0-7]+(?:_[0-7]+)*|0[bB]_?[01]+(?:_[01]+)*|0|[1-9]\d*(?:_\d+)*)(?:\.0*)?$/.exec(
      text,
    ) ?? []
  if (digits === '' || digits.length > 100) return 0n
  const plain = digits.replaceAll('_', '')
  const size = BigInt(/^0[0-7]+$/.test(plain) ? `0o${plain.slice(1)}` : plain)
  const value = sign === '-' ? -size : size
  return value >= MAX_INT || value < -MAX_INT ? 0n : value
}

export function castFloat(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') return 0
  const number = parseGoFloat(value)
  return typeof number === 'number' ? number : 0
}

/** How much text a value holds, for counting work. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length
  if (isList(value)) return value.length
  return typeof value === 'object' && !isTime(value) && isMap(value) ? value.size * 8 : 1
}

/** Blanks only between neighbours that are both no strings. */
export function joinValues(args: readonly Value[], show: (value: Value) => string = printValue): string {
  let text = ''
  for (const [index, arg] of args.entries()) {
    if (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string') text += ' '
    text = bounded(text + show(arg))
  }
  return text
}

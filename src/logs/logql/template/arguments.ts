/** Arguments of template functions as the type that a function asks for. */
import { isTime, TemplateFailure, typeName, type Time, type Value } from './values.ts'

/** Longest text that a function may make. */
export const MAX_TEXT = 1 << 20

export function textOf(value: Value): string {
  if (typeof value === 'string') return value
  throw new TemplateFailure(`wrong type for value; expected string; got ${typeName(value)}`)
}

export function intOf(value: Value): number {
  if (typeof value === 'bigint') return Number(value)
  throw new TemplateFailure(`wrong type for value; expected int; got ${typeName(value)}`)
}

export function timeOf(value: Value): Time {
  if (isTime(value)) return value
  throw new TemplateFailure(`wrong type for value; expected time.Time; got ${typeName(value)}`)
}

/** Anything as a whole number, as Go's cast library does it: what cannot be read is 0. */
export function castInt(value: Value): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : 0n
  if (typeof value === 'boolean') return value ? 1n : 0n
  return typeof value === 'string' ? castText(value) : 0n
}

function castText(text: string): bigint {
  const [, sign = '', digits = ''] =
    /^([+-]?)(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9]\d*)(?:\.0*)?$/.exec(text) ?? []
  if (digits === '') return 0n
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
  return BigInt.asIntN(64, sign === '-' ? -value : value)
}

export function castFloat(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string' || !/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(value)) return 0
  return Number(value)
}

/**
 * Values of templates: `bigint` is Go's int, `number` its float64, `undefined` nil. How they print, compare and count as true
 * follows Go.
 */
import { quoteGo } from '#/kernel/go-quote.ts'

/** A time in UTC; nanoseconds since the epoch. */
export type Time = { readonly kind: 'time'; readonly ns: bigint }
export type ValueMap = ReadonlyMap<string, Value>
export type Value = string | boolean | bigint | number | undefined | Time | readonly Value[] | ValueMap

/** Why a template could not be executed; ends as `TemplateFormatErr` on the entry. */
export class TemplateFailure extends Error {
  override readonly name = 'TemplateFailure'
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value)
export const isMap = (value: Value): value is ValueMap => value instanceof Map
export const isTime = (value: Value): value is Time => typeof value === 'object' && 'kind' in value

export function isTrue(value: Value): boolean {
  if (isMap(value)) return value.size > 0
  if (isList(value)) return value.length > 0
  return isTime(value) || Boolean(value)
}

export function typeName(value: Value): string {
  if (value === undefined) return 'nil'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (isTime(value)) return 'time.Time'
  return isMap(value) ? 'map[string]interface {}' : '[]interface {}'
}

/** As Go's `%v` prints it. */
export function printValue(value: Value): string {
  if (typeof value === 'string') return value
  if (value === undefined) return '<no value>'
  if (typeof value === 'number') return printFloat(value)
  if (isTime(value)) return printTime(value)
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${nested(value.get(key))}`)
      .join(' ')}]`
  if (isList(value)) return `[${value.map(nested).join(' ')}]`
  return String(value)
}

const nested = (value: Value): string => (value === undefined ? '<nil>' : printValue(value))

export function sortedKeys(map: ValueMap): string[] {
  return [...map.keys()].sort((a, b) => (a < b ? -1 : 1))
}

/** Shortest digits; with an exponent below 1e-4 and from a million on: `1e+06`. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 6) return `${mantissa}${goExponent(exponent)}`
  return Object.is(value, -0) ? '-0' : String(value)
}

export function goExponent(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** `2024-01-02 15:04:05.123 +0000 UTC`. */
function printTime({ ns }: Time): string {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : (ns - 999_999_999n) / 1_000_000_000n
  const nanos = ns - seconds * 1_000_000_000n
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')
  const fraction = nanos === 0n ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`
  return `${text}${fraction} +0000 UTC`
}

/** Orders two values of one kind. @throws TemplateFailure when Go would not compare them. */
export function compareValues(left: Value, right: Value): number {
  if (typeof left !== typeof right || !isOrdered(left) || !isOrdered(right)) {
    throw new TemplateFailure('incompatible types for comparison')
  }
  return left < right ? -1 : left > right ? 1 : left === right ? 0 : Number.NaN
}

const isOrdered = (value: Value): value is string | bigint | number =>
  typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number'

export function equalValues(left: Value, right: Value): boolean {
  if (left === undefined || right === undefined) return left === right
  if (isTime(left) && isTime(right)) return left.ns === right.ns
  if (typeof left === 'boolean' && typeof right === 'boolean') return left === right
  return compareValues(left, right) === 0
}

export const quoteValue = (value: Value): string => quoteGo(printValue(value))

/**
 * Values of templates: `bigint` is Go's int, `number` its float64, `undefined` nil. How they print, compare and count as true
 * follows Go.
 */
import { formatTime } from './time-format.ts'
import type { Zone } from './zones.ts'

/** An instant as a zone's clocks show it; nanoseconds since the epoch. */
export type Time = { readonly kind: 'time'; readonly ns: bigint; readonly zone: Zone }
export type ValueMap = ReadonlyMap<string, Value>
export type Value = string | boolean | bigint | number | undefined | Time | readonly Value[] | ValueMap

/** All labels of an entry, Go's map[string]string: a name that is missing has the value ''. */
export class LabelMap extends Map<string, string> {}

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
  // NaN is not zero
  return isTime(value) || (typeof value === 'number' ? value !== 0 : Boolean(value))
}

export function typeName(value: Value): string {
  if (value === undefined) return '<nil>'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  if (isTime(value)) return 'time.Time'
  if (isList(value)) return '[]interface {}'
  return value instanceof LabelMap ? 'map[string]string' : 'map[string]interface {}'
}

/** As the output of an action shows it. */
export function printValue(value: Value): string {
  if (typeof value === 'string') return value
  return value === undefined ? '<no value>' : showValue(value)
}

/** As `%v` shows it. */
export function showValue(value: Value): string {
  if (typeof value === 'string') return value
  if (value === undefined) return '<nil>'
  if (typeof value === 'number') return printFloat(value)
  if (isTime(value)) return formatTime(value, timeLayout)
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${showValue(value.get(key))}`)
      .join(' ')}]`
  if (isList(value)) return `[${value.map(showValue).join(' ')}]`
  return String(value)
}

const timeLayout = '2006-01-02 15:04:05.999999999 -0700 MST'

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

/** What a value looks like, by the first reading that fits. */
import { parseGoDuration } from '#/kernel/duration.ts'
import { parseGoFloat, parseHumanBytes } from '#/kernel/go-number.ts'
import type { FieldType } from '#/logs/wire/index-query.ts'

const MAX_INT64 = 2n ** 63n - 1n
const booleans = new Set(['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False'])
const sizeUnits = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB']

export function fieldTypeOf(value: string): FieldType {
  if (isInt64(value)) return 'int'
  if (typeof parseGoFloat(value) === 'number') return 'float'
  if (booleans.has(value)) return 'boolean'
  if (parseGoDuration(value) !== undefined) return 'duration'
  if (typeof parseHumanBytes(value) === 'number') return 'bytes'
  return 'string'
}

/** Sizes, which are written in many ways, in one: `5.2MB`. Everything else as it is. */
export function shownValue(value: string): string {
  return fieldTypeOf(value) === 'bytes' ? humanBytes(Number(parseHumanBytes(value))) : value
}

/** Decimal units, one digit behind the point below ten. */
export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes}B`
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(1000) + 1e-12), sizeUnits.length - 1)
  const amount = Math.floor((bytes / 1000 ** power) * 10 + 0.5) / 10
  return `${amount.toFixed(amount < 10 ? 1 : 0)}${sizeUnits[power]}`
}

function isInt64(text: string): boolean {
  if (!/^[+-]?\d{1,32}$/.test(text)) return false
  if (text.length < 19) return true
  const value = BigInt(text.replace(/^\+/, ''))
  return value <= MAX_INT64 && value >= -MAX_INT64 - 1n
}

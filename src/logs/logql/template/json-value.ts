/** JSON texts as values of templates. */
import { parseJson } from '#/kernel/parse-json.ts'
import type { Value } from './values.ts'

/** Deeper texts count as invalid. */
const MAX_DEPTH = 500

/** Undefined (nil) when `text` is not JSON. Numbers are floats. */
export function jsonValue(text: string): Value {
  try {
    return fromJson(parseJson(text), 0)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined
    throw error
  }
}

function fromJson(value: unknown, depth: number): Value {
  if (depth > MAX_DEPTH) throw new RangeError(`deeper than ${MAX_DEPTH}`)
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('number out of range')
  if (value === null || typeof value !== 'object') return (value ?? undefined) as Value
  if (Array.isArray(value)) return value.map((item) => fromJson(item, depth + 1))
  return new Map(Object.entries(value).map(([key, member]) => [key, fromJson(member, depth + 1)]))
}

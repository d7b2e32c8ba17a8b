/** Functions that Go's template language has built in; `and`, `or` and `call` are the execution's own. */
import { fail, joinValues, bounded } from './arguments.ts'
import { compareValues, equalValues } from './compare.ts'
import { formatText } from './format-text.ts'
import type { TemplateFunction } from './functions.ts'
import { isList, isMap, isTrue, LabelMap, showValue, typeName, type Value } from './values.ts'

export const builtinFunctions: Readonly<Record<string, TemplateFunction>> = {
  not: ([value]) => !isTrue(value),
  len: ([value]) => BigInt(lengthOf(value)),
  index: ([value, ...keys]) => keys.reduce(indexOne, value),
  slice: ([value, ...bounds]) => sliceOne(value, bounds),
  print: (args) => joinValues(args, showValue),
  println: (args) => bounded(`${args.map((arg) => bounded(showValue(arg))).join(' ')}\n`),
  printf: ([format, ...args]) => formatText(format, args),
  html: (args) => bounded(joinValues(args).replaceAll(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char)),
  js: (args) => bounded(joinValues(args).replaceAll(/[\\'"<>&=]|[^\x20-\x7f\p{L}\p{M}\p{N}\p{P}\p{S}]/gu, jsEscape)),
  urlquery: (args) => bounded(queryEscape(joinValues(args))),
  eq: ([first, ...others]) => {
    if (others.length === 0) fail('missing argument for comparison')
    return others.some((other) => equalValues(first, other))
  },
  ne: ([left, right]) => !equalValues(left, right),
  lt: ([left, right]) => compareValues(left, right) < 0,
  le: ([left, right]) => compareValues(left, right) <= 0,
  // Go asks whether the opposite is untrue, which shows with NaN
  gt: ([left, right]) => !(compareValues(left, right) <= 0),
  ge: ([left, right]) => !(compareValues(left, right) < 0),
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (isList(value)) return value.length
  if (isMap(value)) return value.size
  return fail(value === undefined ? 'len of nil pointer' : `len of type ${typeName(value)}`)
}

function indexOne(value: Value, key: Value): Value {
  if (value === undefined) return fail('index of untyped nil')
  if (isMap(value)) {
    if (typeof key !== 'string')
      fail(key === undefined ? 'value is nil; should be string' : `value has type ${typeName(key)}; should be string`)
    return value.get(key as string) ?? (value instanceof LabelMap ? '' : undefined)
  }
  if (typeof value !== 'string' && !isList(value)) return fail(`can't index item of type ${typeName(value)}`)
  const items = typeof value === 'string' ? Buffer.from(value) : value
  const at = position(key, items.length - 1)
  return typeof value === 'string' ? BigInt((items as Buffer)[at]!) : value[at]
}

/** An index that is at most `last`. */
function position(key: Value, last: number): number {
  if (typeof key !== 'bigint')
    return fail(
      key === undefined ? 'cannot index slice/array with nil' : `cannot index slice/array with type ${typeName(key)}`,
    )
  if (key < 0n || key > BigInt(last)) fail(`index out of range: ${key}`)
  return Number(key)
}

function sliceOne(value: Value, bounds: readonly Value[]): Value {
  if (value === undefined) return fail('slice of untyped nil')
  if (bounds.length > 3) fail(`too many slice indexes: ${bounds.length}`)
  if (typeof value === 'string' && bounds.length === 3) fail('cannot 3-index slice a string')
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  if (!Buffer.isBuffer(bytes) && !isList(bytes)) return fail(`can't slice item of type ${typeName(value)}`)
  const ends = bounds.map((bound) => position(bound, bytes.length))
  const [from = 0, to = bytes.length, most] = ends
  if (from > to) fail(`invalid slice index: ${from} > ${to}`)
  if (most !== undefined && to > most) fail(`invalid slice index: ${to} > ${most}`)
  return Buffer.isBuffer(bytes) ? bytes.toString('utf8', from, to) : bytes.slice(from, to)
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
}

function jsEscape(char: string): string {
  if (char === '\\' || char === "'" || char === '"') return `\\${char}`
  return `\\u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
}

/** Go's query escaping: blanks are `+`, all but letters, digits and `-_.~` is percent-encoded. */
export function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Functions that Go's template language has built in. */
import { castFloat, intOf } from './arguments.ts'
import type { TemplateFunction } from './functions.ts'
import { formatText } from './format-text.ts'
import {
  compareValues,
  equalValues,
  isList,
  isMap,
  isTrue,
  printValue,
  TemplateFailure,
  typeName,
  type Value,
} from './values.ts'

export const builtinFunctions: Readonly<Record<string, TemplateFunction>> = {
  not: ([value]) => !isTrue(value),
  len: ([value]) => BigInt(lengthOf(value)),
  index: ([value, ...keys]) => keys.reduce(indexOne, value),
  slice: ([value, ...bounds]) => sliceOne(value, bounds),
  print: (args) => print(args),
  println: (args) => `${args.map(printValue).join(' ')}\n`,
  printf: ([format, ...args]) => formatText(printValue(format), args),
  html: (args) => print(args).replaceAll(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char),
  js: (args) => print(args).replaceAll(/[\\'"<>&=]|\p{Cc}/gu, jsEscape),
  urlquery: (args) => queryEscape(print(args)),
  call: () => {
    throw new TemplateFailure('call of a value that is not a function')
  },
  eq: ([first, ...others]) => others.some((other) => equalValues(first, other)),
  ne: ([left, right]) => !equalValues(left, right),
  lt: ([left, right]) => compareValues(left, right) < 0,
  le: ([left, right]) => compareValues(left, right) <= 0,
  gt: ([left, right]) => compareValues(left, right) > 0,
  ge: ([left, right]) => compareValues(left, right) >= 0,
}

/** Blanks only between neighbours that are both no strings. */
function print(args: readonly Value[]): string {
  let text = ''
  for (const [index, arg] of args.entries()) {
    if (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string') text += ' '
    text += printValue(arg)
  }
  return text
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (isList(value)) return value.length
  if (isMap(value)) return value.size
  throw new TemplateFailure(`len of type ${typeName(value)}`)
}

function indexOne(value: Value, key: Value): Value {
  if (isMap(value)) return value.get(printValue(key))
  const at = intOf(key)
  if (typeof value !== 'string' && !isList(value))
    throw new TemplateFailure(`can't index item of type ${typeName(value)}`)
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  if (at < 0 || at >= bytes.length) throw new TemplateFailure(`index out of range: ${at}`)
  return typeof value === 'string' ? BigInt((bytes as Buffer)[at]!) : value[at]
}

function sliceOne(value: Value, bounds: readonly Value[]): Value {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  if (!Buffer.isBuffer(bytes) && !isList(bytes))
    throw new TemplateFailure(`can't slice item of type ${typeName(value)}`)
  const [from = 0, to = bytes.length] = bounds.map((bound) => castFloat(intOf(bound)))
  if (from < 0 || to > bytes.length || from > to) throw new TemplateFailure(`index out of range: ${from}:${to}`)
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
  return `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** Go's query escaping: blanks are `+`, all but letters, digits and `-_.~` is percent-encoded. */
export function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}

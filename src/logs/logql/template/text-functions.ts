/** Template functions on text. Positions and lengths are bytes unless said otherwise. */
import { quoteGo } from '#/kernel/go-quote.ts'
import { bounded, fail, MAX_TEXT } from './arguments.ts'
import { queryEscape } from './builtin-functions.ts'
import type { TemplateFunction } from './functions.ts'
import { lowerCase, titleCase, trimSpace, upperCase } from './letters.ts'
import { jsonValue } from './json-value.ts'
import { isTrue } from './values.ts'

export const textFunctions: Readonly<Record<string, TemplateFunction>> = {
  // the old names take the subject first
  ToLower: ([s]) => lowerCase(s),
  ToUpper: ([s]) => bounded(upperCase(s)),
  Replace: ([s, old, replacement, n]) => replaceSome(s, old, replacement, Number(n)),
  Trim: ([s, cutset]) => trimSet(s, cutset, 'both'),
  TrimLeft: ([s, cutset]) => trimSet(s, cutset, 'left'),
  TrimRight: ([s, cutset]) => trimSet(s, cutset, 'right'),
  TrimPrefix: ([s, prefix]) => withoutPrefix(s, prefix),
  TrimSuffix: ([s, suffix]) => withoutSuffix(s, suffix),
  TrimSpace: ([s]) => trimSpace(s),
  lower: ([s]) => lowerCase(s),
  upper: ([s]) => bounded(upperCase(s)),
  title: ([s]) => titleCase(s),
  replace: ([old, replacement, s]) => replaceSome(s, old, replacement, -1),
  trim: ([s]) => trimSpace(s),
  trimAll: ([cutset, s]) => trimSet(s, cutset, 'both'),
  trimPrefix: ([prefix, s]) => withoutPrefix(s, prefix),
  trimSuffix: ([suffix, s]) => withoutSuffix(s, suffix),
  trunc: ([n, s]) => truncate(Number(n), s),
  substr: ([start, end, s]) => substring(Number(start), Number(end), s),
  contains: ([part, s]) => s.includes(part),
  hasPrefix: ([prefix, s]) => s.startsWith(prefix),
  hasSuffix: ([suffix, s]) => s.endsWith(suffix),
  indent: ([n, s]) => indent(Number(n), s),
  nindent: ([n, s]) => `\n${indent(Number(n), s)}`,
  repeat: ([n, s]) => repeat(s, Number(n)),
  alignLeft: ([n, s]) => align(Number(n), s, 'left'),
  alignRight: ([n, s]) => align(Number(n), s, 'right'),
  default: ([fallback, value]) => (isTrue(value) ? value : fallback),
  urlencode: ([s]) => bounded(queryEscape(s)),
  urldecode: ([s]) => queryUnescape(s),
  b64enc: ([s]) => bounded(Buffer.from(s).toString('base64')),
  b64dec: ([s]) => decodeBase64(s),
  fromJson: ([s]) => jsonValue(s),
}

/** The first `count` places, all when negative. An empty `old` stands before every rune and at the end. */
function replaceSome(text: string, old: string, replacement: string, count: number): string {
  if (count === 0 || old === replacement) return text
  const pieces = old === '' ? ['', ...Array.from(text)] : text.split(old)
  if (old === '') pieces.push('')
  const most = count < 0 ? pieces.length - 1 : Math.min(count, pieces.length - 1)
  const separator = old === '' ? '' : old
  if (text.length + most * replacement.length > MAX_TEXT) fail(`text is longer than ${MAX_TEXT} characters`)
  return (
    pieces.slice(0, most + 1).join(replacement) +
    pieces
      .slice(most + 1)
      .map((piece) => separator + piece)
      .join('')
  )
}

function trimSet(text: string, cutset: string, side: 'left' | 'right' | 'both'): string {
  const set = new Set(cutset)
  const runes = Array.from(text)
  let from = 0
  let to = runes.length
  while (side !== 'right' && from < to && set.has(runes[from]!)) from++
  while (side !== 'left' && from < to && set.has(runes[to - 1]!)) to--
  return runes.slice(from, to).join('')
}

const withoutPrefix = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length) : text
const withoutSuffix = (text: string, suffix: string): string =>
  suffix !== '' && text.endsWith(suffix) ? text.slice(0, -suffix.length) : text

function truncate(size: number, text: string): string {
  const bytes = Buffer.from(text)
  if (size < 0) return bytes.length + size > 0 ? bytes.toString('utf8', bytes.length + size) : text
  return bytes.length > size ? bytes.toString('utf8', 0, size) : text
}

function substring(start: number, end: number, text: string): string {
  const bytes = Buffer.from(text)
  if (start < 0) return sliceBytes(bytes, undefined, end)
  return sliceBytes(bytes, start, end < 0 || end > bytes.length ? undefined : end)
}

/** Fails as Go's slices do. */
function sliceBytes(bytes: Buffer, start: number | undefined, end: number | undefined): string {
  const { length } = bytes
  const wrong = 'runtime error: slice bounds out of range'
  if (end !== undefined && end < 0) fail(`${wrong} [:${end}]`)
  if (end !== undefined && end > length) fail(`${wrong} [:${end}] with length ${length}`)
  if (start !== undefined && start > (end ?? length)) fail(`${wrong} [${start}:${end ?? length}]`)
  return bytes.toString('utf8', start ?? 0, end ?? length)
}

function indent(size: number, text: string): string {
  const padding = repeat(' ', size)
  return bounded(padding + replaceSome(text, '\n', `\n${padding}`, -1))
}

function repeat(text: string, count: number): string {
  if (count < 0) fail('strings: negative Repeat count')
  if (text.length * count > MAX_TEXT) fail(`text is longer than ${MAX_TEXT} characters`)
  return text.repeat(count)
}

/** Pads with blanks or cuts to a number of runes; to the right, the end of the text stays. */
function align(size: number, text: string, side: 'left' | 'right'): string {
  if (size < 0) return text
  const runes = Array.from(text)
  if (runes.length > size) return (side === 'left' ? runes.slice(0, size) : runes.slice(runes.length - size)).join('')
  const padding = repeat(' ', size - runes.length)
  return bounded(side === 'left' ? text + padding : padding + text)
}

function queryUnescape(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2})[^]{0,2}/.exec(text)
  if (bad) fail(`invalid URL escape ${quoteGo(bad[0])}`)
  const bytes: number[] = []
  for (const [, hex, rest] of text.replaceAll('+', ' ').matchAll(/%([0-9a-fA-F]{2})|([^%]+)/g)) {
    if (hex !== undefined) bytes.push(Number.parseInt(hex, 16))
    else for (const byte of Buffer.from(rest!)) bytes.push(byte)
  }
  return Buffer.from(bytes).toString()
}

/** Missing padding is added; what is no base64 comes back as the text of the error. */
function decodeBase64(text: string): string {
  const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=')
  const bad = /^[A-Za-z0-9+/]*/.exec(padded)![0].length
  const isGood = /^={0,2}$/.test(padded.slice(bad))
  return isGood ? Buffer.from(padded, 'base64').toString() : `illegal base64 data at input byte ${bad}`
}

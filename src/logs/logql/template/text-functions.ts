/** Template functions on text. Positions and lengths are bytes unless said otherwise. */
import { compileRegex, type Regex, type RegexMatch } from '#/platform/regex/compile.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { castInt, MAX_TEXT, textOf } from './arguments.ts'
import { queryEscape } from './builtin-functions.ts'
import type { TemplateFunction } from './functions.ts'
import { isTrue, TemplateFailure, type Value } from './values.ts'

export const textFunctions: Readonly<Record<string, TemplateFunction>> = {
  // the old names take the subject first
  ToLower: ([s]) => textOf(s).toLowerCase(),
  ToUpper: ([s]) => textOf(s).toUpperCase(),
  Replace: ([s, old, replacement, n]) => replaceSome(textOf(s), textOf(old), textOf(replacement), Number(castInt(n))),
  Trim: ([s, cutset]) => trimSet(textOf(s), textOf(cutset), 'both'),
  TrimLeft: ([s, cutset]) => trimSet(textOf(s), textOf(cutset), 'left'),
  TrimRight: ([s, cutset]) => trimSet(textOf(s), textOf(cutset), 'right'),
  TrimPrefix: ([s, prefix]) => withoutPrefix(textOf(s), textOf(prefix)),
  TrimSuffix: ([s, suffix]) => withoutSuffix(textOf(s), textOf(suffix)),
  TrimSpace: ([s]) => textOf(s).trim(),
  lower: ([s]) => textOf(s).toLowerCase(),
  upper: ([s]) => textOf(s).toUpperCase(),
  title: ([s]) => textOf(s).replaceAll(/(?<![\p{L}\p{N}_'])\p{L}/gu, (letter) => letter.toUpperCase()),
  replace: ([old, replacement, s]) => replaceSome(textOf(s), textOf(old), textOf(replacement), -1),
  trim: ([s]) => textOf(s).trim(),
  trimAll: ([cutset, s]) => trimSet(textOf(s), textOf(cutset), 'both'),
  trimPrefix: ([prefix, s]) => withoutPrefix(textOf(s), textOf(prefix)),
  trimSuffix: ([suffix, s]) => withoutSuffix(textOf(s), textOf(suffix)),
  trunc: ([n, s]) => truncate(Number(castInt(n)), textOf(s)),
  substr: ([start, end, s]) => substring(Number(castInt(start)), Number(castInt(end)), textOf(s)),
  contains: ([part, s]) => textOf(s).includes(textOf(part)),
  hasPrefix: ([prefix, s]) => textOf(s).startsWith(textOf(prefix)),
  hasSuffix: ([suffix, s]) => textOf(s).endsWith(textOf(suffix)),
  indent: ([n, s]) => indent(Number(castInt(n)), textOf(s)),
  nindent: ([n, s]) => `\n${indent(Number(castInt(n)), textOf(s))}`,
  repeat: ([n, s]) => repeat(textOf(s), Number(castInt(n))),
  alignLeft: ([n, s]) => align(Number(castInt(n)), textOf(s), 'left'),
  alignRight: ([n, s]) => align(Number(castInt(n)), textOf(s), 'right'),
  default: ([fallback, value]) => (isTrue(value) ? value : fallback),
  regexReplaceAll: ([pattern, s, replacement]) =>
    replaceMatches(regexOf(pattern), textOf(s), expander(textOf(replacement))),
  regexReplaceAllLiteral: ([pattern, s, replacement]) =>
    replaceMatches(regexOf(pattern), textOf(s), () => textOf(replacement)),
  count: ([pattern, s]) => BigInt(allMatches(regexOf(pattern), textOf(s)).length),
  urlencode: ([s]) => queryEscape(textOf(s)),
  urldecode: ([s]) => queryUnescape(textOf(s)),
  b64enc: ([s]) => Buffer.from(textOf(s)).toString('base64'),
  b64dec: ([s]) => decodeBase64(textOf(s)),
  fromJson: ([s]) => parseJson(textOf(s)),
}

function bounded(text: string): string {
  if (text.length > MAX_TEXT) throw new TemplateFailure(`text is longer than ${MAX_TEXT} characters`)
  return text
}

/** The first `count` places, all when negative. An empty `old` stands before every rune and at the end. */
function replaceSome(text: string, old: string, replacement: string, count: number): string {
  if (count === 0 || old === replacement) return text
  const pieces = old === '' ? ['', ...Array.from(text)] : text.split(old)
  if (old === '') pieces.push('')
  const most = count < 0 ? pieces.length - 1 : Math.min(count, pieces.length - 1)
  const separator = old === '' ? '' : old
  const isTooLong = text.length + most * replacement.length > MAX_TEXT
  if (isTooLong) throw new TemplateFailure(`text is longer than ${MAX_TEXT} characters`)
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
  if (start < 0) return bytes.toString('utf8', 0, Math.min(Math.max(0, end), bytes.length))
  const to = end < 0 || end > bytes.length ? bytes.length : end
  if (start > to) throw new TemplateFailure(`slice bounds out of range [${start}:${to}]`)
  return bytes.toString('utf8', start, to)
}

function indent(size: number, text: string): string {
  const padding = repeat(' ', size)
  return bounded(padding + replaceSome(text, '\n', `\n${padding}`, -1))
}

function repeat(text: string, count: number): string {
  if (count < 0) throw new TemplateFailure('strings: negative Repeat count')
  if (text.length * count > MAX_TEXT) throw new TemplateFailure(`text is longer than ${MAX_TEXT} characters`)
  return text.repeat(count)
}

/** Pads with blanks or cuts to a number of runes; to the right, the end of the text stays. */
function align(size: number, text: string, side: 'left' | 'right'): string {
  if (size < 0) return text
  const runes = Array.from(text)
  if (runes.length > size) return (side === 'left' ? runes.slice(0, size) : runes.slice(runes.length - size)).join('')
  const padding = repeat(' ', size - runes.length)
  return side === 'left' ? text + padding : padding + text
}

function regexOf(pattern: Value): Regex {
  try {
    return compileRegex(textOf(pattern), { anchored: false })
  } catch (error) {
    if (error instanceof BadRequest) throw new TemplateFailure(error.message)
    throw error
  }
}

/** Matches that do not overlap, left to right; an empty match right behind another does not count. */
function allMatches(regex: Regex, text: string): RegexMatch[] {
  const matches: RegexMatch[] = []
  let lastEnd = -1
  for (let from = 0; from <= text.length;) {
    const match = regex.exec(text, from)
    if (!match) break
    if (match.end > match.start || match.start !== lastEnd) matches.push(match)
    lastEnd = match.end
    from = match.end > match.start ? match.end : match.end + runeLength(text, match.end)
  }
  return matches
}

function runeLength(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

type Expand = (match: RegexMatch, names: readonly (string | undefined)[]) => string

function replaceMatches(regex: Regex, text: string, expand: Expand): string {
  let result = ''
  let at = 0
  for (const match of allMatches(regex, text)) {
    result = bounded(result + text.slice(at, match.start) + expand(match, regex.groupNames))
    at = match.end
  }
  return bounded(result + text.slice(at))
}

/** `$1`, `$name`, `${name}`, `$$`; the longest run of word characters is the name, unknown ones are empty. */
function expander(replacement: string): Expand {
  return (match, names) =>
    replacement.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, bare?: string, braced?: string) => {
      const name = bare ?? braced
      if (name === undefined) return whole.slice(1)
      const index = /^\d+$/.test(name) ? Number(name) : names.indexOf(name) + 1
      return (index === 0 && name !== '0' ? undefined : match.groups[index]) ?? ''
    })
}

function queryUnescape(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text)
  if (bad) throw new TemplateFailure(`invalid URL escape ${JSON.stringify(bad[0])}`)
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

function parseJson(text: string): Value {
  try {
    return fromJson(JSON.parse(text))
  } catch {
    return undefined
  }
}

function fromJson(value: unknown): Value {
  if (value === null || typeof value !== 'object') return (value ?? undefined) as Value
  if (Array.isArray(value)) return value.map(fromJson)
  return new Map(Object.entries(value).map(([key, member]) => [key, fromJson(member)]))
}

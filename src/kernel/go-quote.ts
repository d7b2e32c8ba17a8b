/**
 * String literals as Go writes and reads them; label values, LogQL strings and canonical stream texts are in this form.
 * `unquoteGo(quoteGo(text)) === text` for every text without lone surrogates.
 */
import { BadRequest } from './errors.ts'

/** Characters that stand for themselves: Go's `unicode.IsPrint`, without `"` and `\`. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const printable = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u
const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}
const escapedCharacters: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}
const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** `text` in double quotes, as Go's `strconv.Quote` writes it. A lone surrogate becomes U+FFFD, as in UTF-8. */
export function quoteGo(text: string): string {
  if (plain.test(text)) return `"${text}"`
  let quoted = '"'
  for (const character of text.toWellFormed()) quoted += quoteCharacter(character)
  return `${quoted}"`
}

function quoteCharacter(character: string): string {
  const short = shortEscapes[character]
  if (short !== undefined) return short
  if (printable.test(character)) return character
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/**
 * The text of a literal in `"…"`, `'…'` (any number of characters) or `` `…` `` (raw). Bytes given as `\xNN` or `\NNN` that do not
 * form UTF-8 become U+FFFD. @throws BadRequest `invalid syntax` when it is not a literal.
 */
export function unquoteGo(literal: string): string {
  const quote = literal[0]
  if (literal.length < 2 || literal.at(-1) !== quote) throw new BadRequest('invalid syntax')
  const body = literal.slice(1, -1)
  if (quote === '`') {
    if (body.includes('`')) throw new BadRequest('invalid syntax')
    return body
  }
  if ((quote !== '"' && quote !== "'") || body.includes('\n')) throw new BadRequest('invalid syntax')
  if (!body.includes('\\')) {
    if (body.includes(quote)) throw new BadRequest('invalid syntax')
    return body
  }
  return unescape(body, quote)
}

/** Reads escapes. Text collects in `text`; once a byte escape above 0x7f occurs, everything collects in `bytes`. */
function unescape(body: string, quote: string): string {
  let text = ''
  const parts: Buffer[] = []
  for (let at = 0; at < body.length;) {
    const character = body[at] ?? ''
    if (character === quote) throw new BadRequest('invalid syntax')
    if (character !== '\\') {
      const next = nextSpecial(body, at, quote)
      text += body.slice(at, next)
      at = next
      continue
    }
    const escape = readEscape(body, at + 1, quote)
    at = escape.end
    if (typeof escape.value === 'string') {
      text += escape.value
    } else {
      parts.push(Buffer.from(text), Buffer.of(escape.value))
      text = ''
    }
  }
  return parts.length === 0 ? text : Buffer.concat([...parts, Buffer.from(text)]).toString('utf8')
}

function nextSpecial(body: string, from: number, quote: string): number {
  let at = from
  while (at < body.length && body[at] !== '\\' && body[at] !== quote) at++
  return at
}

/** An escape whose letter is at `at`; a number stands for one byte that is not ASCII. */
function readEscape(
  body: string,
  at: number,
  quote: string,
): { readonly value: string | number; readonly end: number } {
  const letter = body[at] ?? ''
  if (letter === quote) return { value: letter, end: at + 1 }
  const simple = escapedCharacters[letter]
  if (simple !== undefined) return { value: simple, end: at + 1 }
  const digits = hexDigits[letter]
  if (digits !== undefined) {
    const hex = body.slice(at + 1, at + 1 + digits)
    if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) throw new BadRequest('invalid syntax')
    const code = Number.parseInt(hex, 16)
    if (letter === 'x') return { value: code < 0x80 ? String.fromCharCode(code) : code, end: at + 3 }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new BadRequest('invalid syntax')
    return { value: String.fromCodePoint(code), end: at + 1 + digits }
  }
  const octal = body.slice(at, at + 3)
  if (!/^[0-3][0-7]{2}$/.test(octal)) throw new BadRequest('invalid syntax')
  const code = Number.parseInt(octal, 8)
  return { value: code < 0x80 ? String.fromCharCode(code) : code, end: at + 3 }
}

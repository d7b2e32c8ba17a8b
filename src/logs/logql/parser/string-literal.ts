/** Go's string literals: finding their end, and what they stand for. */

/** What is wrong with a literal, in the scanner's words. */
export class LiteralError extends Error {
  override readonly name = 'LiteralError'
}

export type StringLiteral = { readonly text: string; readonly raw: boolean; readonly end: number }

const plainRun = /[^"\\\n]*/y

/** Reads the literal whose quote or backtick stands at `start`. @throws {@link LiteralError} */
export function readString(source: string, start: number): StringLiteral {
  if (source[start] === '`') {
    const close = source.indexOf('`', start + 1)
    if (close < 0) throw new LiteralError('literal not terminated')
    return { text: source.slice(start + 1, close).replaceAll('\r', ''), raw: true, end: close + 1 }
  }
  let at = start + 1
  let hasEscapes = false
  for (;;) {
    plainRun.lastIndex = at
    plainRun.test(source)
    at = plainRun.lastIndex
    const character = source[at]
    if (character === '"') break
    // the character behind a backslash is not looked at here, but there must be one
    if (character !== '\\' || at + 1 >= source.length) throw new LiteralError('literal not terminated')
    hasEscapes = true
    at += 2
  }
  const body = source.slice(start + 1, at)
  return { text: hasEscapes ? unescape(body) : body, raw: false, end: at + 1 }
}

const shortEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}
/** A run of byte escapes, one character escape, or whatever else follows a backslash. */
const escape = /((?:\\x[\da-fA-F]{2}|\\[0-7]{3})+)|\\u([\da-fA-F]{4})|\\U([\da-fA-F]{8})|\\([^])/g

function unescape(body: string): string {
  return body.replaceAll(escape, (_match, bytes?: string, short?: string, long?: string, letter?: string) => {
    if (bytes !== undefined) return unescapeBytes(bytes)
    if (letter === undefined) return unescapeCode(Number.parseInt(short ?? long ?? '', 16))
    const text = shortEscapes[letter]
    if (text === undefined) throw new LiteralError('invalid char escape')
    return text
  })
}

function unescapeCode(code: number): string {
  if (code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) throw new LiteralError('invalid syntax')
  return String.fromCodePoint(code)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `\xHH` and `\NNN` are bytes: neighbours may form one character together, but must form whole ones. */
function unescapeBytes(escapes: string): string {
  const bytes = escapes
    .split('\\')
    .slice(1)
    .map((code) => (code.startsWith('x') ? Number.parseInt(code.slice(1), 16) : Number.parseInt(code, 8)))
  if (bytes.some((byte) => byte > 255)) throw new LiteralError('invalid char escape')
  try {
    return utf8.decode(Uint8Array.from(bytes))
  } catch {
    throw new LiteralError('invalid UTF-8 rune')
  }
}

/**
 * Splits a template into tokens: text, and what stands in `{{ actions }}`. Comments and trimmed blanks are gone afterwards.
 * Reading ends at the end of the text or at the first fault, which becomes the last token.
 */
import type { Token, TokenKind } from './tokens.ts'

const keywords = new Set(['if', 'else', 'end', 'range', 'with', 'define', 'block', 'template', 'break', 'continue'])
const blanks = /[ \t\r\n]+/y
const word = /[\p{L}\p{Nd}_]*/uy
const quoted = /"(?:[^"\\\n]|\\[^\n])*"/y
const runeLiteral = /'(?:[^'\\\n]|\\[^\n])*'/y
const raw = /`[^`]*`/y
const number =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y
const closeMark = /(?:[ \t\r\n]-)?\}\}/y

/** The tokens of `text`; the last one is the end or a fault. */
export function readTokens(text: string): Token[] {
  return new Reader(text).read()
}

class Reader {
  readonly #text: string
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1
  #parens = 0
  #trimsNext = false

  constructor(text: string) {
    this.#text = text
  }

  read(): Token[] {
    let isInside = false
    for (;;) {
      isInside = isInside ? this.#insideAction() : this.#outside()
      const last = this.#tokens.at(-1)
      if (last?.kind === 'eof' || last?.kind === 'fault') return this.#tokens
    }
  }

  /** Text and comments up to the next action, whose opening is taken. @returns whether an action is open now. */
  #outside(): boolean {
    const open = this.#text.indexOf('{{', this.#at)
    const end = open < 0 ? this.#text.length : open
    const isTrimmed = open >= 0 && /^-[ \t\r\n]/.test(this.#text.slice(open + 2, open + 4))
    this.#textUpTo(end, isTrimmed)
    if (open < 0) {
      this.#push('eof', '', this.#at)
      return false
    }
    const inner = open + (isTrimmed ? 4 : 2)
    if (this.#text.startsWith('/*', inner)) {
      this.#comment(inner)
      return false
    }
    // the blank behind a trim mark is a token of its own
    this.#push('open', '{{', open)
    this.#at = open + (isTrimmed ? 3 : 2)
    this.#parens = 0
    return true
  }

  #textUpTo(end: number, isTrimmed: boolean): void {
    const start = this.#at
    let text = this.#text.slice(start, end)
    let skipped = 0
    if (this.#trimsNext) {
      const kept = text.replace(/^[ \t\r\n]+/, '')
      skipped = text.length - kept.length
      this.#line += countNewlines(text.slice(0, skipped))
      text = kept
    }
    this.#trimsNext = false
    const shown = isTrimmed ? trimBlanksEnd(text) : text
    if (shown !== '') this.#push('text', shown, start + skipped)
    this.#line += countNewlines(text)
    this.#at = end
  }

  #comment(inner: number): void {
    const end = this.#text.indexOf('*/', inner + 2)
    if (end < 0) return this.#fault('unclosed comment')
    closeMark.lastIndex = end + 2
    const close = closeMark.exec(this.#text)
    if (!close) return this.#fault('comment ends before closing delimiter')
    const behind = closeMark.lastIndex
    this.#line += countNewlines(this.#text.slice(this.#at, behind))
    this.#trimsNext = close[0].length > 2
    this.#at = behind
  }

  /** One token inside an action. @returns whether the action is still open. */
  #insideAction(): boolean {
    closeMark.lastIndex = this.#at
    const close = closeMark.exec(this.#text)
    if (close) {
      if (this.#parens > 0) {
        this.#fault('unclosed left paren')
        return true
      }
      this.#push('close', '}}', this.#at)
      this.#line += countNewlines(close[0])
      this.#trimsNext = close[0].length > 2
      this.#at += close[0].length
      return false
    }
    const blank = this.#match(blanks)
    if (blank !== undefined && blank !== '') this.#take('blank', this.#beforeTrimMark(blank))
    else this.#token()
    return true
  }

  /** The last blank before `-}}` belongs to the mark. */
  #beforeTrimMark(blank: string): string {
    const isMark = this.#text.startsWith('-}}', this.#at + blank.length)
    return isMark ? blank.slice(0, -1) : blank
  }

  #token(): void {
    const char = this.#text[this.#at]
    switch (char) {
      case undefined:
        return this.#fault('unclosed action')
      case '=':
      case '|':
        return this.#take(char, char)
      case ':':
        if (this.#text[this.#at + 1] !== '=') return this.#fault('expected :=')
        return this.#take(':=', ':=')
      case '(':
        this.#parens++
        return this.#take('(', char)
      case ')':
        if (--this.#parens < 0) return this.#fault('unexpected right paren')
        return this.#take(')', char)
      case '"':
        return this.#delimited('string', quoted, 'unterminated quoted string')
      case '`':
        return this.#delimited('string', raw, 'unterminated raw quoted string')
      case "'":
        return this.#delimited('rune', runeLiteral, 'unterminated character constant')
      default:
        return this.#number() || this.#fieldOrVariable(char) || this.#word() ? undefined : this.#other()
    }
  }

  #delimited(kind: 'string' | 'rune', pattern: RegExp, fault: string): void {
    const source = this.#match(pattern)
    if (source === undefined) this.#fault(fault)
    else this.#take(kind, source)
  }

  #number(): boolean {
    if (!/^(?:[+-]|\.?[0-9])/.test(this.#text.slice(this.#at, this.#at + 2))) return false
    const source = this.#match(number)!
    const next = this.#runeAt(this.#at + source.length)
    if (/^[\p{L}\p{Nd}_]/u.test(next)) this.#fault(`bad number syntax: ${JSON.stringify(source + next)}`)
    else this.#take('number', source)
    return true
  }

  #fieldOrVariable(first: string): boolean {
    if (first !== '.' && first !== '$') return false
    word.lastIndex = this.#at + 1
    const source = first + word.exec(this.#text)![0]
    if (!this.#isEndedAt(this.#at + source.length)) return true
    this.#take(first === '$' ? 'variable' : source === '.' ? 'dot' : 'field', source)
    return true
  }

  #word(): boolean {
    const source = this.#match(word)!
    if (source === '') return false
    if (!this.#isEndedAt(this.#at + source.length)) return true
    const isBool = source === 'true' || source === 'false'
    this.#take(keywords.has(source) ? 'keyword' : isBool ? 'bool' : source === 'nil' ? 'nil' : 'name', source)
    return true
  }

  /** What may follow a word; anything else is a fault. */
  #isEndedAt(at: number): boolean {
    if (/^(?:$|[ \t\r\n.,|:()]|\}\})/.test(this.#text.slice(at, at + 2))) return true
    this.#fault(`bad character ${nameRune(this.#runeAt(at))}`)
    return false
  }

  #other(): void {
    const rune = this.#runeAt(this.#at)
    if (/^[!-~]$/.test(rune)) this.#take('character', rune)
    else this.#fault(`unrecognized character in action: ${nameRune(rune)}`)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    return pattern.exec(this.#text)?.[0]
  }

  #runeAt(at: number): string {
    const code = this.#text.codePointAt(at)
    return code === undefined ? '' : String.fromCodePoint(code)
  }

  #take(kind: TokenKind, source: string): void {
    if (source === '') return
    this.#push(kind, source, this.#at)
    this.#line += countNewlines(source)
    this.#at += source.length
  }

  #push(kind: TokenKind, text: string, at: number): void {
    this.#tokens.push({ kind, text, at, line: this.#line })
  }

  #fault(what: string): void {
    this.#push('fault', what, this.#at)
  }
}

/** `U+0021 '!'` */
function nameRune(rune: string): string {
  const code = (rune.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(rune) ? `U+${code} '${rune}'` : `U+${code}`
}

function trimBlanksEnd(text: string): string {
  let end = text.length
  while (end > 0 && ' \t\r\n'.includes(text[end - 1]!)) end--
  return text.slice(0, end)
}

function countNewlines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

/**
 * Cuts a query into tokens, one at a time: blanks and comments skipped, strings unquoted, durations and sizes valued. Plain ASCII
 * is read by character codes; the sticky regular expressions are for what is rarer, and take time linear to what they match.
 */
import type { Token, TokenKind } from '#/logs/logql/stages/stage.ts'
import { ParseError, placeOf, rangePlaceOf, type MessagePlace } from './parse-error.ts'
import { parseBytesLiteral, parseDurationLiteral, parseRangeText } from './quantity.ts'
import { LiteralError, readString } from './string-literal.ts'
import { strayKind, wordKind } from './token-names.ts'

const word = /[\p{L}_][\p{L}\p{Nd}_]*/uy
const number = /0[xX][\da-fA-F_.]*(?:[pP][+-]?\d+)?|0[bBoO][\d_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d*)?/y
const durationTail = /[nuµμmshdwy.\p{Nd}]+/uy
const sizeTail = /[BikKMGTP.\p{Nd}]+/uy
const flag = /--(?:strict|keep-empty)(?![\p{L}\p{Nd}_-])/uy
const twoCharacterOps: ReadonlySet<string> = new Set(['=~', '!~', '!=', '==', '>=', '<=', '|=', '|~', '|>', '!>'])
const oneCharacterOps: ReadonlySet<string> = new Set('{}(),.=><+-*/%^|')

/** Classes of ASCII characters, by code. */
const letter = 1
const digit = 2
const blank = 4
/** What may go on behind the digits of a number: fractions, exponents, bases, units. */
const afterDigits = 8
/** Second characters of operators. */
const operatorEnd = 16
const classes = new Uint8Array(128)
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_') mark(character, letter)
for (const character of '0123456789') mark(character, digit)
for (const character of ' \t\r\n') mark(character, blank)
for (const character of '._eExXbBoOnumshdwyikKMGTP') mark(character, afterDigits)
for (const character of '=~>') mark(character, operatorEnd)

function mark(character: string, bit: number): void {
  classes[character.charCodeAt(0)]! |= bit
}

export class Lexer {
  readonly text: string
  #at = 0

  constructor(text: string) {
    this.text = text
  }

  /** The next token; `$end` again and again behind the last one. @throws ParseError */
  next(): Token {
    this.#skipBlanks()
    const start = this.#at
    const code = this.text.charCodeAt(start)
    if (Number.isNaN(code)) return this.#token('$end', start)
    if (code >= 0x80) return this.#foreign(start)
    if ((classes[code]! & letter) !== 0) return this.#word(start)
    if ((classes[code]! & digit) !== 0) return this.#number(start)
    if (code === 0x22 || code === 0x60) return this.#string(start)
    if (code === 0x2e && this.#is(start + 1, digit)) return this.#quantity(start)
    if (code === 0x2d) return this.#dash(start)
    if (code === 0x5b) return this.#range(start)
    return this.#operator(start)
  }

  /** Whether the next tokens are of these kinds; takes none. */
  isNext(kinds: readonly TokenKind[]): boolean {
    const start = this.#at
    try {
      return kinds.every((kind) => this.next().kind === kind)
    } catch (error) {
      if (error instanceof ParseError) return false
      throw error
    } finally {
      this.#at = start
    }
  }

  /** Whether the character there is ASCII and in this class. */
  #is(at: number, bit: number): boolean {
    const code = this.text.charCodeAt(at)
    return code < 0x80 && (classes[code]! & bit) !== 0
  }

  #match(pattern: RegExp, at: number): string {
    pattern.lastIndex = at
    return pattern.exec(this.text)?.[0] ?? ''
  }

  #token(kind: TokenKind, end: number, text = this.text.slice(this.#at, end), value = Number.NaN): Token {
    const at = { start: this.#at, end }
    this.#at = end
    return { kind, text, value, raw: false, at }
  }

  #fail(what: string, start: number, end: number, place: MessagePlace = placeOf(this.text, start)): ParseError {
    return new ParseError(what, { start, end }, place)
  }

  #skipBlanks(): void {
    const { text } = this
    for (;;) {
      while (this.#is(this.#at, blank)) this.#at++
      const code = text.charCodeAt(this.#at)
      const second = code === 0x2f ? text.charCodeAt(this.#at + 1) : 0
      if (code === 0x23 || second === 0x2f) {
        const end = text.indexOf('\n', this.#at)
        this.#at = end < 0 ? text.length : end + 1
      } else if (second === 0x2a) {
        const end = text.indexOf('*/', this.#at + 2)
        if (end < 0) throw this.#fail('comment not terminated', this.#at, text.length)
        this.#at = end + 2
      } else return
    }
  }

  #word(start: number): Token {
    let end = start + 1
    while (this.#is(end, letter | digit)) end++
    const found = this.text.charCodeAt(end) >= 0x80 ? this.#match(word, start) : this.text.slice(start, end)
    end = start + found.length
    return this.#token(wordKind(found, this.text, end), end, found)
  }

  /** A name in letters beyond ASCII, or a character that has no meaning here. */
  #foreign(start: number): Token {
    const found = this.#match(word, start)
    if (found !== '') return this.#token('IDENTIFIER', start + found.length, found)
    return this.#token(strayKind, start + String.fromCodePoint(this.text.codePointAt(start)!).length)
  }

  #string(start: number): Token {
    try {
      const { text, raw, end } = readString(this.text, start)
      return { ...this.#token('STRING', end, text), raw }
    } catch (error) {
      if (error instanceof LiteralError) throw this.#fail(error.message, start, this.text.length)
      throw error
    }
  }

  /** Digits alone are a number; anything that may belong to them needs a closer look. */
  #number(start: number): Token {
    let end = start + 1
    while (this.#is(end, digit)) end++
    const isWhole = !(this.text.charCodeAt(end) >= 0x80) && !this.#is(end, afterDigits)
    return isWhole ? this.#token('NUMBER', end) : this.#quantity(start)
  }

  /** A number, duration or size. */
  #quantity(start: number): Token {
    const digits = this.#match(number, start)
    const end = start + digits.length
    const duration = this.#withUnit(digits, end, durationTail, parseDurationLiteral)
    if (duration) return this.#token('DURATION', duration.end, undefined, duration.value)
    const size = this.#withUnit(digits, end, sizeTail, parseBytesLiteral)
    if (size) return this.#token('BYTES', size.end, undefined, size.value)
    if (/[eE][+-]?$/.test(digits) && !/^0[xX]/.test(digits)) throw this.#fail('exponent has no digits', start, end)
    return this.#token('NUMBER', end)
  }

  /** The value of a number and the unit behind it; undefined when the two are none together. */
  #withUnit(
    digits: string,
    end: number,
    tail: RegExp,
    parse: (text: string) => number | undefined,
  ): { readonly value: number; readonly end: number } | undefined {
    const unit = this.#match(tail, end)
    const value = unit === '' ? undefined : parse(digits + unit)
    return value === undefined ? undefined : { value, end: end + unit.length }
  }

  /** `-` begins a flag, a negative duration, or is an operator. */
  #dash(start: number): Token {
    const next = this.text.charCodeAt(start + 1)
    const flagText = next === 0x2d ? this.#match(flag, start) : ''
    if (flagText !== '') return this.#token('FUNCTION_FLAG', start + flagText.length)
    if (this.#is(start + 1, digit)) {
      const digits = this.#match(number, start + 1)
      const duration = this.#withUnit(digits, start + 1 + digits.length, durationTail, parseDurationLiteral)
      if (duration) return this.#token('DURATION', duration.end, undefined, -duration.value)
    }
    return this.#token('-', start + 1)
  }

  #range(start: number): Token {
    const close = this.text.indexOf(']', start)
    const place = (): MessagePlace => rangePlaceOf(this.text, start)
    if (close < 0) throw this.#fail("missing closing ']' in duration", start, this.text.length, place())
    const text = this.text.slice(start + 1, close)
    const ns = parseRangeText(text)
    if (typeof ns === 'string') throw this.#fail(ns, start, close + 1, place())
    return this.#token('RANGE', close + 1, text, ns)
  }

  #operator(start: number): Token {
    if (this.#is(start + 1, operatorEnd)) {
      const pair = this.text.slice(start, start + 2)
      if (twoCharacterOps.has(pair)) return this.#token(pair, start + 2, pair)
    }
    const single = this.text[start]!
    if (oneCharacterOps.has(single)) return this.#token(single, start + 1, single)
    if (single === "'") return this.#character(start)
    if (single === '\0') throw this.#fail('invalid character NUL', start, start + 1)
    return this.#token(strayKind, start + 1)
  }

  /** `'x'` is a literal of the scanner that the grammar has no use for. */
  #character(start: number): Token {
    const body = this.#match(/(?:[^'\\\n]|\\[^\n])*/y, start + 1)
    const end = start + body.length + 2
    if (this.text[end - 1] !== "'") throw this.#fail('literal not terminated', start, this.text.length)
    if (body.length !== 1) throw this.#fail('invalid char literal', start, end)
    return this.#token(strayKind, end)
  }
}

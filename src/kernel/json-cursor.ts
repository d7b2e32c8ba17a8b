/**
 * Reads JSON in place, byte by byte, without building values. Texts stay ranges of the bytes until somebody wants them; they
 * can be unescaped where they lie, because unescaping never makes a text longer.
 *
 *     cursor.open('{')
 *     while (cursor.nextMember()) {
 *       if (cursor.keyIs(streams)) { cursor.open('['); while (cursor.nextElement()) … } else cursor.skipValue()
 *     }
 *
 * The caller must consume each value before it asks for the next member or element. Everything throws BadRequest with the
 * position of what is wrong. Control characters inside texts are let through, as most clients' servers do.
 */
import { BadRequest } from './errors.ts'
import { writeCodePoint } from './utf8.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const LOWER_U = 0x75

/** How deep arrays and objects may be nested. */
export const maxJsonDepth = 512

const closerOf: Readonly<Record<number, number>> = { 0x5b: 0x5d, 0x7b: 0x7d }
/** Bytes of a text that are walked before the native search takes over. */
const walkedBytes = 24
const literals = ['true', 'false', 'null'].map((text) => Buffer.from(text))
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Byte that an escape's letter stands for; 0 for letters that are no escape. */
const simpleEscapes = new Uint8Array(256)
for (const [letter, byte] of [
  ['"', 0x22],
  ['\\', 0x5c],
  ['/', 0x2f],
  ['b', 0x08],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
] as const) {
  simpleEscapes[letter.charCodeAt(0)] = byte
}

export class JsonCursor {
  readonly bytes: Buffer
  readonly end: number
  at: number
  /** The text that `string` or `nextMember` has just read, without quotes: `bytes[start, stop)`. */
  start = 0
  stop = 0
  /** Whether that text has escapes. */
  isEscaped = false
  /** True until the first member or element of the container that was opened last. */
  #isFirst = false
  #depth = 0
  /** The first backslash behind everything that was searched for one. */
  #backslash = -1

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.end = bytes.length
    this.at = 0
  }

  /** The first byte of the next token; 0 at the end. */
  peek(): number {
    const { bytes, end } = this
    let at = this.at
    while (at < end && isSpace(bytes[at]!)) at++
    this.at = at
    return at < end ? bytes[at]! : 0
  }

  isString(): boolean {
    return this.peek() === QUOTE
  }

  /** Takes `null` if that is next. */
  acceptNull(): boolean {
    if (this.peek() !== 0x6e) return false
    this.skipValue()
    return true
  }

  open(bracket: '[' | '{'): void {
    if (this.peek() !== bracket.charCodeAt(0)) this.fail(bracket === '[' ? 'an array' : 'an object')
    this.at++
    this.#isFirst = true
    if (++this.#depth > maxJsonDepth) throw new BadRequest(`JSON is nested deeper than ${maxJsonDepth} levels`)
  }

  /** Moves to the next element of the array; false, and past its end, when there is none. */
  nextElement(): boolean {
    return this.#next(0x5d)
  }

  /** Reads the next key of the object into `start` and `stop` and moves to its value; false past the end of the object. */
  nextMember(): boolean {
    if (!this.#next(0x7d)) return false
    this.string()
    if (this.peek() !== COLON) this.fail('":"')
    this.at++
    return true
  }

  #next(closer: number): boolean {
    const byte = this.peek()
    if (byte === closer) {
      this.at++
      this.#depth--
      this.#isFirst = false
      return false
    }
    if (this.#isFirst) this.#isFirst = false
    else if (byte === COMMA) this.at++
    else this.fail(`"," or "${String.fromCharCode(closer)}"`)
    return true
  }

  /** Reads a text; its escapes stay as they are. */
  string(): void {
    const { bytes, end } = this
    let at = this.#firstSpecial()
    this.isEscaped = at < end && bytes[at] === BACKSLASH
    for (; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++
    this.#endText(at, at)
  }

  /** Reads a text and unescapes it where it lies: the bytes between `stop` and its quote are rubbish then. */
  unescapedString(): void {
    const { bytes, end } = this
    let at = this.#firstSpecial()
    let out = at
    this.isEscaped = false
    while (at < end) {
      const byte = bytes[at]!
      if (byte === QUOTE) break
      if (byte === BACKSLASH) {
        out = this.#writeEscape(at + 1, out)
        at = this.#escapeEnd
      } else {
        bytes[out++] = byte
        at++
      }
    }
    this.#endText(at, out)
  }

  /** Sets `start` and finds the text's first quote or backslash. Near ones are walked to, for far ones the search is native. */
  #firstSpecial(): number {
    if (this.peek() !== QUOTE) this.fail('a text in quotes')
    const { bytes, end } = this
    const start = this.at + 1
    this.start = start
    const near = Math.min(start + walkedBytes, end)
    let at = start
    while (at < near && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++
    return at === near && at < end ? this.#findFar(at) : at
  }

  #endText(quote: number, stop: number): void {
    if (quote >= this.end) {
      this.at = this.end
      this.fail('the end of a text')
    }
    this.stop = stop
    this.at = quote + 1
  }

  /** The first quote or backslash at or behind `at`. The next backslash is remembered: most texts have none. */
  #findFar(at: number): number {
    const quote = this.bytes.indexOf(QUOTE, at)
    if (this.#backslash < at) {
      const found = this.bytes.indexOf(BACKSLASH, at)
      this.#backslash = found < 0 ? this.end : found
    }
    return Math.min(quote < 0 ? this.end : quote, this.#backslash)
  }

  /** Whether the key that was just read is `name`, given as bytes. Keys with escapes are nothing that we know. */
  keyIs(name: Uint8Array): boolean {
    if (this.stop - this.start !== name.length) return false
    for (let index = 0; index < name.length; index++) if (this.bytes[this.start + index] !== name[index]) return false
    return true
  }

  /** The key that was just read, unescaped, as a string. */
  keyText(): string {
    if (this.isEscaped) {
      const { at } = this
      this.at = this.start - 1
      this.unescapedString()
      this.at = at
    }
    return this.bytes.toString('utf8', this.start, this.stop)
  }

  /** Reads a text and returns it, unescaped, as a string. */
  stringText(): string {
    this.unescapedString()
    return this.bytes.toString('utf8', this.start, this.stop)
  }

  /** Reads any value and returns its source text. */
  rawText(): string {
    this.peek()
    const start = this.at
    this.skipValue()
    return this.bytes.toString('utf8', start, this.at)
  }

  /** Passes over a value of any kind, checking its form. */
  skipValue(): void {
    const openAt = this.#depth
    const closers: number[] = []
    do {
      const byte = this.peek()
      const closer = closers.at(-1)
      const isEnd = closer !== undefined && byte === closer
      if (isEnd) this.#close(closers)
      else this.#skipToken(byte, closers)
    } while (closers.length > 0)
    this.#depth = openAt
    this.#isFirst = false
  }

  /** Only white space may be left. */
  expectEnd(): void {
    this.peek()
    if (this.at < this.end) this.fail('the end')
  }

  fail(expected: string): never {
    const found = this.at < this.end ? JSON.stringify(String.fromCharCode(this.bytes[this.at]!)) : 'the end'
    throw new BadRequest(`invalid JSON at byte ${this.at}: expected ${expected}, found ${found}`)
  }

  #close(closers: number[]): void {
    this.at++
    closers.pop()
    this.#depth--
    this.#isFirst = false
  }

  /** One element or member, or the bracket that opens one. */
  #skipToken(byte: number, closers: number[]): void {
    const inside = closers.at(-1)
    if (inside !== undefined) {
      this.#next(inside)
      if (inside === 0x7d) {
        this.string()
        if (this.peek() !== COLON) this.fail('":"')
        this.at++
      }
    }
    const first = inside === undefined ? byte : this.peek()
    const closer = closerOf[first]
    if (closer !== undefined) {
      this.open(first === 0x5b ? '[' : '{')
      closers.push(closer)
    } else if (first === QUOTE) {
      this.string()
    } else {
      this.#skipScalar()
    }
  }

  #skipScalar(): void {
    const { bytes, end } = this
    const start = this.at
    let at = start
    while (at < end && isScalar(bytes[at]!)) at++
    const length = at - start
    const isLiteral = literals.some((one) => one.length === length && one.compare(bytes, start, at) === 0)
    if (!isLiteral && !numberPattern.test(bytes.toString('latin1', start, at))) this.fail('a value')
    this.at = at
  }

  /** Where the escape that `#writeEscape` has read ends. */
  #escapeEnd = 0

  /** Writes what the escape with its letter at `at` stands for to `out`; returns the end of that. */
  #writeEscape(at: number, out: number): number {
    const { bytes, end } = this
    const letter = at < end ? bytes[at]! : 0
    const simple = simpleEscapes[letter]!
    this.#escapeEnd = at + 1
    if (simple !== 0) {
      bytes[out] = simple
      return out + 1
    }
    if (letter !== LOWER_U) {
      this.at = Math.min(at, end)
      this.fail('an escape')
    }
    let code = this.#hex(at + 1)
    this.#escapeEnd = at + 5
    const isPair = (code & 0xfc00) === 0xd800 && bytes[at + 5] === BACKSLASH && bytes[at + 6] === LOWER_U
    const low = isPair ? this.#hex(at + 7) : 0
    if ((low & 0xfc00) === 0xdc00) {
      code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff)
      this.#escapeEnd = at + 11
    }
    return writeCodePoint(bytes, out, code)
  }

  #hex(at: number): number {
    let value = 0
    for (let index = at; index < at + 4; index++) {
      const byte = index < this.end ? this.bytes[index]! : 0
      const folded = byte | 0x20
      const isDigit = byte >= 0x30 && byte <= 0x39
      if (!isDigit && (folded < 0x61 || folded > 0x66)) {
        this.at = Math.min(index, this.end)
        this.fail('four hexadecimal digits')
      }
      value = value * 16 + (isDigit ? byte - 0x30 : folded - 0x57)
    }
    return value
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Bytes of numbers, `true`, `false` and `null`. */
function isScalar(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  )
}

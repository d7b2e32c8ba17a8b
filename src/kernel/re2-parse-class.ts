/** Escapes and bracket classes of RE2: the part of the grammar behind `\` and `[`. See ./re2-parse.ts. */
import { BadRequest } from './errors.ts'
import {
  group,
  MAX_RUNE,
  negate,
  normalize,
  perlClasses,
  posixClasses,
  unicodeClass,
  type Ranges,
} from './re2-classes.ts'
import { foldRanges, isCaseless } from './re2-fold.ts'
import type { Re2Node } from './re2-node.ts'

/** Go's error: what is wrong, then the piece of the pattern in back-ticks. */
export function refuse(what: string, piece: string): BadRequest {
  return new BadRequest(`error parsing regexp: ${what}: \`${piece}\``)
}

/** Where the parser stands in the pattern. */
export class ReadPosition {
  readonly text: string
  index = 0

  constructor(text: string) {
    this.text = text
  }

  get done(): boolean {
    return this.index >= this.text.length
  }
  peek(): string {
    return this.text[this.index] ?? ''
  }
  startsWith(piece: string): boolean {
    return this.text.startsWith(piece, this.index)
  }
  skip(units: number): void {
    this.index += units
  }
  accept(char: string): boolean {
    if (this.text[this.index] !== char) return false
    this.index++
    return true
  }
  /** Takes one rune; at the end, nothing. */
  rune(): string {
    const rune = this.text.codePointAt(this.index)
    if (rune === undefined) return ''
    const char = String.fromCodePoint(rune)
    this.index += char.length
    return char
  }
  /** The text from `start` up to here. */
  since(start: number): string {
    return this.text.slice(start, this.index)
  }
  rest(): string {
    return this.text.slice(this.index)
  }
  /** Matches a sticky pattern here, without moving. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.index
    return pattern.exec(this.text)
  }
}

/** Reads the atom that begins with `\` or `[` here. */
export function parseClassOrEscape(at: ReadPosition, fold: boolean): Re2Node {
  if (at.peek() === '[') return { op: 'class', ranges: bracketClass(at, fold) }
  const next = at.text[at.index + 1]
  if (next === undefined) throw refuse('trailing backslash at end of expression', '')
  const assertion = { A: 'begin_text', z: 'end_text', b: 'word_boundary', B: 'no_word_boundary' } as const
  if (next === 'A' || next === 'z' || next === 'b' || next === 'B') {
    at.skip(2)
    return { op: assertion[next] }
  }
  const ranges = namedClass(at, fold)
  if (ranges) return { op: 'class', ranges }
  const text = String.fromCodePoint(escapedRune(at))
  return { op: 'literal', text, fold: fold && !isCaseless(text) }
}

/** `\d`, `\pL`, `\p{Greek}` and their negations; undefined (and nothing read) for anything else. */
function namedClass(at: ReadPosition, fold: boolean): Ranges | undefined {
  const letter = at.text[at.index + 1] ?? ''
  const perl = perlClasses[letter.toLowerCase()]
  if (perl) {
    at.skip(2)
    return group(perl, { fold, negated: letter < 'a' })
  }
  if (letter !== 'p' && letter !== 'P') return undefined
  const match = at.match(/\\[pP](?:\{([^}]*)\}|([^{]))/uy)
  if (!match) throw refuse('invalid character class range', at.rest())
  at.skip(match[0].length)
  const name = match[1] ?? match[2]!
  const inverted = name.startsWith('^') && match[1] !== undefined
  const ranges = unicodeClass(inverted ? name.slice(1) : name)
  if (!ranges) throw refuse('invalid character class range', match[0])
  return group(ranges, { fold, negated: (letter === 'P') !== inverted })
}

function bracketClass(at: ReadPosition, fold: boolean): number[] {
  const start = at.index
  at.skip(1)
  const negated = at.accept('^')
  const ranges: number[] = []
  const groups = new Set<Ranges>()
  for (let first = true; first || at.peek() !== ']'; first = false) {
    if (at.done) throw refuse('missing closing ]', at.text.slice(start))
    const named = posixClass(at, fold) ?? (at.peek() === '\\' ? namedClass(at, fold) : undefined)
    if (named) {
      groups.add(named)
      continue
    }
    const rangeStart = at.index
    const lo = classRune(at, start)
    let hi = lo
    if (at.peek() === '-' && at.index + 1 < at.text.length && at.text[at.index + 1] !== ']') {
      at.skip(1)
      hi = classRune(at, start)
      if (hi < lo) throw refuse('invalid character class range', at.since(rangeStart))
    }
    ranges.push(lo, hi)
  }
  at.skip(1)
  for (const named of groups) for (const bound of named) ranges.push(bound)
  const all = normalize(fold ? foldRanges(normalize(ranges)) : ranges)
  return negated ? negate(all) : all
}

/** `[:alpha:]` or `[:^alpha:]` inside a bracket class. */
function posixClass(at: ReadPosition, fold: boolean): Ranges | undefined {
  if (!at.startsWith('[:')) return undefined
  const end = at.text.indexOf(':]', at.index + 2)
  if (end < 0) return undefined
  const text = at.text.slice(at.index, end + 2)
  const negated = text[2] === '^'
  const name = text.slice(negated ? 3 : 2, -2)
  const ranges = Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined
  if (!ranges) throw refuse('invalid character class range', text)
  at.skip(text.length)
  return group(ranges, { fold, negated })
}

function classRune(at: ReadPosition, classStart: number): number {
  if (at.done) throw refuse('missing closing ]', at.text.slice(classStart))
  if (at.peek() === '\\') return escapedRune(at)
  return at.rune().codePointAt(0)!
}

const namedEscapes: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

/** `\n`, `\x41`, `\x{10FFFF}`, `\123`, `\.`: one rune. */
function escapedRune(at: ReadPosition): number {
  const start = at.index
  at.skip(1)
  if (at.done) throw refuse('trailing backslash at end of expression', '')
  const octal = at.match(/0[0-7]{0,2}|[1-7][0-7]{1,2}/y)
  if (octal) {
    at.skip(octal[0].length)
    return Number.parseInt(octal[0], 8)
  }
  if (at.accept('x')) return hexRune(at, start)
  const char = at.rune()
  const named = Object.hasOwn(namedEscapes, char) ? namedEscapes[char] : undefined
  if (named !== undefined) return named
  if (char < '\x80' && !/[0-9A-Za-z]/.test(char)) return char.charCodeAt(0)
  throw refuse('invalid escape sequence', at.since(start))
}

/** `41` or `{10FFFF}` behind `\\x`. The message shows the escape up to the character that broke it. */
function hexRune(at: ReadPosition, start: number): number {
  const braced = at.accept('{')
  let value = 0
  for (let digits = 0; braced || digits < 2; digits++) {
    const char = at.rune()
    if (braced && char === '}' && digits > 0) return value
    if (!/^[0-9a-fA-F]$/.test(char)) throw refuse('invalid escape sequence', at.since(start))
    value = value * 16 + Number.parseInt(char, 16)
    if (value > MAX_RUNE) throw refuse('invalid escape sequence', at.since(start))
  }
  return value
}

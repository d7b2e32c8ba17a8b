/**
 * Reads the regular expressions of RE2 (as Go writes them) into a tree, and refuses what RE2 refuses with the same words:
 * `error parsing regexp: missing closing ): `(a``. Nothing that passes here needs backtracking to be understood.
 *
 * One recursive descent: alternation → concatenation → repetition → atom. Flags `(?ims-U)` hold to the end of the group that
 * they stand in; classes and escapes are in ./re2-parse-class.ts.
 */
import { BadRequest } from './errors.ts'
import { isCaseless } from './re2-fold.ts'
import { childrenOf, type Re2, type Re2Node } from './re2-node.ts'
import { parseClassOrEscape, ReadPosition, refuse } from './re2-parse-class.ts'

/** Greatest count in `{n,m}`, also of nested repeats multiplied. */
export const MAX_REPEAT = 1000
/** Deepest nesting of groups and repeats. */
export const MAX_DEPTH = 1000
/** Nodes that counted repeats may add to an expression when they are written out. */
const MAX_REPEATED_SIZE = 20_000

export type Re2Flags = {
  readonly fold: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
  readonly swapGreed: boolean
}

/** @throws BadRequest with Go's message. `dotAll`: `.` matches newlines, as in label matchers. */
export function parseRe2(pattern: string, options: { readonly dotAll?: boolean } = {}): Re2 {
  const flags = { fold: false, multiline: false, dotAll: options.dotAll ?? false, swapGreed: false }
  const parser = new Parser(pattern, flags)
  const root = parser.parse()
  if (expandedSize(root) > MAX_REPEATED_SIZE + 4 * pattern.length) throw refuse('expression too large', pattern)
  return { root, groupNames: parser.groupNames, anonymous: parser.anonymous() }
}

/** The message of the first mistake in `pattern`, or undefined. */
export function re2Mistake(pattern: string): string | undefined {
  try {
    parseRe2(pattern)
    return undefined
  } catch (error) {
    if (error instanceof BadRequest) return error.message
    throw error
  }
}

class Parser {
  readonly groupNames: (string | undefined)[] = []
  /** Where `?P<name>` stands. */
  readonly #nameSpans: (readonly [start: number, end: number])[] = []
  readonly #at: ReadPosition
  #flags: Re2Flags
  #depth = 0

  constructor(pattern: string, flags: Re2Flags) {
    this.#at = new ReadPosition(pattern)
    this.#flags = flags
  }

  parse(): Re2Node {
    const root = this.#alternation()
    if (!this.#at.done) throw refuse('unexpected )', this.#at.text)
    return root
  }

  anonymous(): string {
    let text = ''
    let from = 0
    for (const [start, end] of this.#nameSpans) {
      text += this.#at.text.slice(from, start)
      from = end
    }
    return text + this.#at.text.slice(from)
  }

  #alternation(): Re2Node {
    const branches: Re2Node[] = []
    do branches.push(this.#concatenation())
    while (this.#at.accept('|'))
    return branches.length === 1 ? branches[0]! : { op: 'alternate', subs: branches }
  }

  #concatenation(): Re2Node {
    const parts: Re2Node[] = []
    /** Where the repetition operator that was read just before began; -1 when the last thing read was none. */
    let lastRepeat = -1
    while (!this.#at.done && this.#at.peek() !== '|' && this.#at.peek() !== ')') {
      const start = this.#at.index
      const bounds = this.#repetition()
      if (bounds === undefined) {
        this.#atom(parts)
        lastRepeat = -1
        continue
      }
      const lazy = this.#at.accept('?') !== this.#flags.swapGreed
      if (lastRepeat >= 0) throw refuse('invalid nested repetition operator', this.#at.since(lastRepeat))
      const sub = parts.pop()
      if (sub === undefined) throw refuse('missing argument to repetition operator', this.#at.since(start))
      const count = bounds[1] === Infinity ? bounds[0] : bounds[1]
      if (count > 1 && repeatProduct(sub) * count > MAX_REPEAT) {
        throw refuse('invalid repeat count', this.#at.since(start))
      }
      parts.push({ op: 'repeat', sub, min: bounds[0], max: bounds[1], lazy })
      lastRepeat = start
    }
    return concat(parts)
  }

  /** `*`, `+`, `?` or `{n,m}`; undefined (and nothing read) when the next thing is an atom. */
  #repetition(): readonly [min: number, max: number] | undefined {
    const char = this.#at.peek()
    if (char === '*' || char === '+' || char === '?') {
      this.#at.skip(1)
      return char === '*' ? [0, Infinity] : char === '+' ? [1, Infinity] : [0, 1]
    }
    if (char !== '{') return undefined
    const match = this.#at.match(/\{(\d+)(,(\d*))?\}/y)
    if (!match || /^0\d/.test(match[1]!) || /^0\d/.test(match[3] ?? '')) return undefined
    const min = Number(match[1])
    const max = match[2] === undefined ? min : match[3] === '' ? Infinity : Number(match[3])
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || min > max) {
      throw refuse('invalid repeat count', match[0])
    }
    this.#at.skip(match[0].length)
    return [min, max]
  }

  #atom(parts: Re2Node[]): void {
    const at = this.#at
    const { fold, multiline, dotAll } = this.#flags
    switch (at.peek()) {
      case '(':
        return this.#group(parts)
      case '.':
        at.skip(1)
        return void parts.push({ op: 'any', newline: dotAll })
      case '^':
        at.skip(1)
        return void parts.push({ op: multiline ? 'begin_line' : 'begin_text' })
      case '$':
        at.skip(1)
        return void parts.push({ op: multiline ? 'end_line' : 'end_text' })
      case '\\':
        if (at.startsWith('\\Q')) return this.#quotation(parts)
        return void parts.push(parseClassOrEscape(at, fold))
      case '[':
        return void parts.push(parseClassOrEscape(at, fold))
      default:
        parts.push(literal(at.rune(), fold))
    }
  }

  /** `\Q…\E`: each rune is a literal of its own, so that a repeat behind it takes the last one only. */
  #quotation(parts: Re2Node[]): void {
    this.#at.skip(2)
    while (!this.#at.done && !this.#at.startsWith('\\E')) parts.push(literal(this.#at.rune(), this.#flags.fold))
    if (!this.#at.done) this.#at.skip(2)
  }

  #group(parts: Re2Node[]): void {
    const at = this.#at
    const outer = this.#flags
    let capture: { readonly index: number; readonly name: string | undefined } | undefined
    if (at.startsWith('(?')) {
      const name = this.#captureName()
      if (name !== undefined) capture = this.#newGroup(name)
      else if (!this.#flagGroup()) return
    } else {
      at.skip(1)
      capture = this.#newGroup(undefined)
    }
    if (++this.#depth > MAX_DEPTH) throw refuse('expression nests too deeply', at.text)
    const sub = this.#alternation()
    this.#depth--
    if (!at.accept(')')) throw refuse('missing closing )', at.text)
    this.#flags = outer
    // a group without capture stays one part, so that a repeat behind it takes all of it
    parts.push(capture ? { op: 'capture', ...capture, sub } : sub)
  }

  #newGroup(name: string | undefined): { readonly index: number; readonly name: string | undefined } {
    this.groupNames.push(name)
    return { index: this.groupNames.length, name }
  }

  /** Reads `(?P<name>` or `(?<name>`. */
  #captureName(): string | undefined {
    const at = this.#at
    const opening = at.startsWith('(?P<') ? 4 : at.startsWith('(?<') ? 3 : 0
    if (opening === 0) return undefined
    const rest = at.rest()
    const end = rest.indexOf('>')
    if (end < 0) throw refuse('invalid named capture', rest)
    const name = rest.slice(opening, end)
    if (!/^[A-Za-z0-9_]+$/.test(name)) throw refuse('invalid named capture', rest.slice(0, end + 1))
    this.#nameSpans.push([at.index + 1, at.index + end + 1])
    at.skip(end + 1)
    return name
  }

  /** Reads `(?flags)` or `(?flags:` and sets the flags. @returns whether a group was opened. */
  #flagGroup(): boolean {
    const at = this.#at
    const start = at.index
    at.skip(2)
    let flags = this.#flags
    let on = true
    let sawFlag = false
    while (!at.done) {
      const char = at.text[at.index]!
      if ((char === ':' || char === ')') && (on || sawFlag)) {
        at.skip(1)
        this.#flags = flags
        return char === ':'
      }
      at.rune()
      if (char === 'i') flags = { ...flags, fold: on }
      else if (char === 'm') flags = { ...flags, multiline: on }
      else if (char === 's') flags = { ...flags, dotAll: on }
      else if (char === 'U') flags = { ...flags, swapGreed: on }
      else if (char !== '-' || !on) throw refuse('invalid or unsupported Perl syntax', at.since(start))
      sawFlag = char !== '-'
      if (char === '-') on = false
    }
    throw refuse('invalid or unsupported Perl syntax', at.since(start))
  }
}

export function literal(text: string, fold: boolean): Re2Node {
  return { op: 'literal', text, fold: fold && !isCaseless(text) }
}

/** Joins parts, neighbouring literals of the same kind into one. */
function concat(parts: readonly Re2Node[]): Re2Node {
  const joined: Re2Node[] = []
  for (const part of parts) {
    const last = joined.at(-1)
    if (part.op === 'empty') continue
    if (part.op === 'literal' && last?.op === 'literal' && part.fold === last.fold) {
      joined[joined.length - 1] = { op: 'literal', text: last.text + part.text, fold: part.fold }
    } else joined.push(part)
  }
  if (joined.length === 0) return { op: 'empty' }
  return joined.length === 1 ? joined[0]! : { op: 'concat', subs: joined }
}

/** The greatest product of counts along one path of nested repeats. */
function repeatProduct(node: Re2Node): number {
  if (node.op === 'repeat' && node.max === 0) return 1
  const below = childrenOf(node).reduce((most, sub) => Math.max(most, repeatProduct(sub)), 1)
  return node.op === 'repeat' ? below * Math.max(1, node.max === Infinity ? node.min : node.max) : below
}

function expandedSize(node: Re2Node): number {
  if (node.op === 'literal') return node.text.length
  if (node.op === 'class') return 1 + node.ranges.length / 8
  const below = childrenOf(node).reduce((sum, sub) => sum + expandedSize(sub), 0)
  if (node.op !== 'repeat') return 1 + below
  return 1 + below * (node.max === Infinity ? Math.max(1, node.min) : node.max)
}

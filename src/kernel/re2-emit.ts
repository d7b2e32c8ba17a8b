/**
 * Writes an RE2 tree as a JavaScript regular expression without flags, such that V8's linear engine can take over when
 * backtracking gets out of hand: no i, u, v or d flag, no look-around, no counted repeat beyond {@link MAX_COUNT}.
 *
 * Two subjects: `ascii` for texts known to hold ASCII only, where `.` and negated classes are plain classes, and `utf16` for
 * any well-formed string, where a rune beyond the BMP is a surrogate pair.
 *
 * Assertions at line borders come out as those of the text; they agree as long as the text holds no newline, and the caller
 * must use another engine when it does ({@link hasLineAssertion}).
 */
import { MAX_RUNE, type Ranges } from './re2-classes.ts'
import { foldOrbit } from './re2-fold.ts'
import { childrenOf, isAssertion, someNode, type Re2Node } from './re2-node.ts'

export type EmitOptions = {
  readonly subject: 'ascii' | 'utf16'
  /** Keep capturing groups, in their order; else all groups are plain. */
  readonly captures: boolean
}

/** V8's linear engine refuses counted repeats whose product is greater. */
const MAX_COUNT = 16
/** Required repeats up to this length are written out: V8 then skips ahead, an order of magnitude faster than it counts. */
const MAX_WRITTEN_OUT = 128
/** Written-out patterns beyond this length are not worth V8's time. */
export const MAX_EMITTED_LENGTH = 100_000

/** The source of the expression; undefined when it would be too long. */
export function emitJs(root: Re2Node, options: EmitOptions): string | undefined {
  const emitter = new Emitter(options)
  const source = emitter.emit(root)
  return emitter.isTooLong ? undefined : source
}

/**
 * About how many instructions V8's linear engine makes of the expression. It writes out every repeat, `a+` as `aa*`, so
 * nested ones double and double: beyond its memory it ends the whole process, and it never asks before.
 */
export function linearSize(node: Re2Node): number {
  if (node.op === 'literal') return node.text.length * (node.fold ? 6 : 1)
  if (node.op === 'class') return 1 + 2 * node.ranges.length
  if (node.op === 'any') return 6
  const below = childrenOf(node).reduce((sum, sub) => sum + linearSize(sub) + 2, 0)
  if (node.op !== 'repeat') return 1 + below
  return 1 + below * Math.max(1, node.max === Infinity ? node.min + 1 : node.max)
}

/**
 * The most word boundaries that stand one behind the other on one way through the expression. V8 may write what follows a
 * boundary twice, so each of them can double its code: thirty in a row end the process.
 */
export function boundaryDepth(node: Re2Node): number {
  if (node.op === 'word_boundary' || node.op === 'no_word_boundary') return 1
  const below = childrenOf(node).map(boundaryDepth)
  if (node.op === 'alternate') return below.reduce((most, depth) => Math.max(most, depth), 0)
  const sum = below.reduce((total, depth) => total + depth, 0)
  if (node.op !== 'repeat') return sum
  return sum * Math.max(1, node.max === Infinity ? node.min + 1 : node.max)
}

/**
 * Whether a start assertion stands where text may have been consumed before it. Such expressions are useless but legal, and
 * V8 14 gets some wrong: `/x|[^]*?y^/.test('ax')` is false.
 */
export function hasInnerStart(node: Re2Node, isLeading = true): boolean {
  if (node.op === 'begin_text' || node.op === 'begin_line') return !isLeading
  if (node.op === 'repeat') return hasInnerStart(node.sub, isLeading && node.max <= 1)
  if (node.op !== 'concat') return childrenOf(node).some((sub) => hasInnerStart(sub, isLeading))
  let leads = isLeading
  return node.subs.some((sub) => {
    const isWrong = hasInnerStart(sub, leads)
    leads &&= sub.op === 'empty' || isAssertion(sub)
    return isWrong
  })
}

export function hasLineAssertion(root: Re2Node): boolean {
  return someNode(root, (node) => node.op === 'begin_line' || node.op === 'end_line')
}

/**
 * Whether the extent of matches and groups may differ between RE2 and JavaScript, although both agree on whether there is a
 * match: captures inside repeats keep or lose their value, repeats of what may be empty stop elsewhere.
 */
export function hasAmbiguousExtent(root: Re2Node): boolean {
  return someNode(
    root,
    (node) =>
      node.op === 'repeat' &&
      (canBeEmpty(node.sub) || (node.max !== 1 && someNode(node.sub, (below) => below.op === 'capture'))),
  )
}

function canBeEmpty(node: Re2Node): boolean {
  if (node.op === 'literal' || node.op === 'class' || node.op === 'any') return false
  if (node.op === 'repeat') return node.min === 0 || canBeEmpty(node.sub)
  if (node.op === 'alternate') return node.subs.some(canBeEmpty)
  return childrenOf(node).every(canBeEmpty)
}

const isCounted = (node: Re2Node): boolean =>
  node.op === 'repeat' && (node.min > 1 || (node.max !== Infinity && node.max > 1))

class Emitter {
  readonly #ascii: boolean
  readonly #captures: boolean
  #length = 0

  constructor({ subject, captures }: EmitOptions) {
    this.#ascii = subject === 'ascii'
    this.#captures = captures
  }

  get isTooLong(): boolean {
    return this.#length > MAX_EMITTED_LENGTH
  }

  emit(node: Re2Node): string {
    if (this.isTooLong) return ''
    switch (node.op) {
      case 'empty':
        return '(?:)'
      case 'literal':
        return this.#count(node.fold ? this.#foldedLiteral(node.text) : escapeText(node.text))
      case 'class':
        return this.#count(this.#class(node.ranges))
      case 'any':
        return this.#count(this.#class(node.newline ? [0, MAX_RUNE] : [0, 9, 11, MAX_RUNE]))
      case 'begin_text':
      case 'begin_line':
        return '(?:^)'
      case 'end_text':
      case 'end_line':
        return '(?:$)'
      case 'word_boundary':
        return '(?:\\b)'
      case 'no_word_boundary':
        return '(?:\\B)'
      case 'capture':
        return `${this.#captures ? '(' : '(?:'}${this.emit(node.sub)})`
      case 'concat':
        return node.subs.map((sub) => (sub.op === 'alternate' ? `(?:${this.emit(sub)})` : this.emit(sub))).join('')
      case 'alternate':
        return node.subs.map((sub) => this.emit(sub)).join('|')
      case 'repeat':
        return this.#repeat(node)
    }
  }

  #count(source: string): string {
    this.#length += source.length
    return source
  }

  #repeat(node: Re2Node & { readonly op: 'repeat' }): string {
    const { sub, min, max } = node
    const lazy = node.lazy ? '?' : ''
    const atom = isAtom(sub) ? this.emit(sub) : `(?:${this.emit(sub)})`
    if (max === 0) return '(?:)'
    if (max === Infinity && min <= 1) return atom + (min === 0 ? '*' : '+') + lazy
    if (max === 1) return min === 1 ? atom : `${atom}?${lazy}`
    // a group holds a counted repeat together, so that an outer one repeats all of its pieces
    const nested = someNode(sub, isCounted)
    const required = this.#copies(atom, min, nested, '')
    const optional = max === Infinity ? `${atom}*${lazy}` : this.#copies(atom, max - min, nested, `?${lazy}`)
    return `(?:${required}${optional})`
  }

  /** `count` times the atom (each optional when `optional` is set), in counted pieces unless the atom has counts inside. */
  #copies(atom: string, count: number, nested: boolean, optional: string): string {
    if (count === 0) return ''
    if (optional === '' && atom.length * count <= MAX_WRITTEN_OUT) return atom.repeat(count)
    const lazy = optional.slice(1)
    if (nested) {
      this.#length += count * (atom.length + 2)
      return this.isTooLong ? '' : (atom + optional).repeat(count)
    }
    const piece = (size: number): string => `${atom}{${optional === '' ? '' : '0,'}${size}}${lazy}`
    const rest = count % MAX_COUNT
    const pieces = Math.floor(count / MAX_COUNT)
    this.#length += pieces * (atom.length + 7)
    if (this.isTooLong) return ''
    return piece(MAX_COUNT).repeat(pieces) + (rest === 0 ? '' : piece(rest))
  }

  #foldedLiteral(text: string): string {
    let source = ''
    for (const char of text) {
      const rune = char.codePointAt(0)!
      const orbit = foldOrbit(rune)
      if (orbit.length === 0) source += escapeText(char)
      else source += this.#class([rune, ...orbit].sort((a, b) => a - b).flatMap((member) => [member, member]))
    }
    return source
  }

  #class(ranges: Ranges): string {
    return this.#ascii ? unitClass(clip(ranges, 0, 0x7f), 0x7f) : utf16Class(ranges)
  }
}

/** Whether a postfix operator takes the whole of what the node is written as. */
function isAtom(node: Re2Node): boolean {
  if (node.op === 'literal') return node.text.length === 1
  return node.op !== 'concat' && node.op !== 'alternate' && node.op !== 'repeat'
}

function clip(ranges: Ranges, lo: number, hi: number): number[] {
  const clipped: number[] = []
  for (let i = 0; i < ranges.length; i += 2) {
    const from = Math.max(lo, ranges[i]!)
    const to = Math.min(hi, ranges[i + 1]!)
    if (from <= to) clipped.push(from, to)
  }
  return clipped
}

/** A class of single UTF-16 units; `max` is the greatest that can occur, so ranges up to it may stay open. */
function unitClass(ranges: readonly number[], max: number): string {
  if (ranges.length === 0) return '[]'
  if (ranges.length === 2 && ranges[0] === 0 && ranges[1] === max) return '[^]'
  if (ranges[0] === 0 && ranges.at(-1) === max) {
    const gaps: number[] = []
    for (let i = 1; i + 1 < ranges.length; i += 2) gaps.push(ranges[i]! + 1, ranges[i + 1]! - 1)
    return `[^${gaps.length === 0 ? '' : unitRanges(gaps)}]`
  }
  return `[${unitRanges(ranges)}]`
}

function unitRanges(ranges: readonly number[]): string {
  let source = ''
  for (let i = 0; i < ranges.length; i += 2) {
    const lo = ranges[i]!
    const hi = ranges[i + 1]!
    source += escapeUnit(lo) + (hi > lo + 1 ? '-' : '') + (hi > lo ? escapeUnit(hi) : '')
  }
  return source
}

/**
 * Units of the BMP without surrogates, or pairs. A lone surrogate never matches, so nothing can match half a rune.
 */
function utf16Class(ranges: Ranges): string {
  const units = [...clip(ranges, 0, 0xd7ff), ...clip(ranges, 0xe000, 0xffff)]
  const pairs = surrogatePairs(clip(ranges, 0x10000, MAX_RUNE))
  const coversPairs = pairs.length === 1 && pairs[0] === '[\\ud800-\\udbff][\\udc00-\\udfff]'
  const unit = coversPairs ? negatedUnits(units) : unitClass(units, 0xffff)
  if (pairs.length === 0) return unit
  return units.length === 0 ? `(?:${pairs.join('|')})` : `(?:${unit}|${pairs.join('|')})`
}

/** The class written by what is missing, which is shorter for `.` and `[^x]`. */
function negatedUnits(units: readonly number[]): string {
  const gaps: number[] = []
  let next = 0
  for (let i = 0; i < units.length; i += 2) {
    if (units[i]! > next) gaps.push(next, units[i]! - 1)
    next = units[i + 1]! + 1
  }
  if (next <= 0xffff) gaps.push(next, 0xffff)
  return `[^${unitRanges(gaps)}]`
}

/** Alternatives of `high low` that cover the ranges beyond the BMP. */
function surrogatePairs(ranges: readonly number[]): string[] {
  const pairs: string[] = []
  const add = (highLo: number, highHi: number, lowLo: number, lowHi: number): void => {
    if (highLo <= highHi) pairs.push(unitClass([highLo, highHi], -1) + unitClass([lowLo, lowHi], -1))
  }
  for (let i = 0; i < ranges.length; i += 2) {
    const [lo, hi] = [ranges[i]! - 0x10000, ranges[i + 1]! - 0x10000]
    let highLo = 0xd800 + (lo >> 10)
    let highHi = 0xd800 + (hi >> 10)
    const lowLo = 0xdc00 + (lo & 0x3ff)
    const lowHi = 0xdc00 + (hi & 0x3ff)
    if (highLo === highHi) {
      add(highLo, highHi, lowLo, lowHi)
      continue
    }
    if (lowLo > 0xdc00) add(highLo, highLo++, lowLo, 0xdfff)
    if (lowHi < 0xdfff) add(highHi, highHi--, 0xdc00, lowHi)
    add(highLo, highHi, 0xdc00, 0xdfff)
  }
  return pairs
}

function escapeText(text: string): string {
  let source = ''
  for (let i = 0; i < text.length; i++) source += escapeUnit(text.charCodeAt(i))
  return source
}

function escapeUnit(unit: number): string {
  const isPlain =
    (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a) || unit === 0x5f
  return isPlain ? String.fromCharCode(unit) : `\\u${unit.toString(16).padStart(4, '0')}`
}

/**
 * Compiles RE2 expressions for execution. The tree is written as a JavaScript expression and probed: what V8 runs in linear
 * time runs on V8, the rest (and what V8 would see differently) on re2js, slower but linear as well. No pattern can hang a
 * thread. Compiled expressions are kept, the least recently used go first.
 */
import { RE2JS } from 're2js'
import { BadRequest } from '#/kernel/errors.ts'
import {
  emitJs,
  hasAmbiguousExtent,
  hasInnerStart,
  hasLineAssertion,
  linearSize,
  boundaryDepth,
  type EmitOptions,
} from '#/kernel/re2-emit.ts'
import type { Re2, Re2Node } from '#/kernel/re2-node.ts'
import { parseRe2 } from '#/kernel/re2-parse.ts'
import { isLinear } from './linear.ts'

export type RegexOptions = {
  /** The whole text must match. */
  readonly anchored: boolean
  /** `.` matches newlines. Default: as `anchored`, which is how label matchers and line filters differ. */
  readonly dotAll?: boolean
}

export type RegexMatch = {
  readonly start: number
  readonly end: number
  /** Whole match, then the groups; undefined where a group took no part. */
  readonly groups: readonly (string | undefined)[]
}

/** A compiled expression. Shared and without state: `exec` always searches from `from`. Texts are well-formed UTF-16. */
export interface Regex {
  readonly pattern: string
  readonly root: Re2Node
  /** Name of each capturing group, from group 1 on. */
  readonly groupNames: readonly (string | undefined)[]
  test(text: string): boolean
  /** As `test`, faster; the text must be ASCII. */
  testAscii(text: string): boolean
  /** The first match at or behind unit `from`. */
  exec(text: string, from?: number): RegexMatch | undefined
  /** As `exec`, faster; the text must be ASCII. */
  execAscii(text: string, from?: number): RegexMatch | undefined
}

/** Instructions of V8's linear engine; its time for a line is about their number times the line's length. */
const MAX_LINEAR_SIZE = 5000
const MAX_BOUNDARY_DEPTH = 8
const MAX_CACHED = 512
const MAX_CACHED_LENGTH = 4096
const cache = new Map<string, Regex>()

/** @throws BadRequest with Go's message when RE2 would refuse the pattern. */
export function compileRegex(pattern: string, options: RegexOptions): Regex {
  const { anchored, dotAll = anchored } = options
  const key = `${anchored ? 'a' : '-'}${dotAll ? 's' : '-'}${pattern}`
  const known = cache.get(key)
  const regex = known ?? new CompiledRegex(pattern, anchored, dotAll)
  if (pattern.length > MAX_CACHED_LENGTH) return regex
  cache.delete(key)
  cache.set(key, regex)
  if (cache.size > MAX_CACHED) for (const [oldest] of cache.entries().take(1)) cache.delete(oldest)
  return regex
}

/** A V8 expression for texts of one kind; undefined when V8 would not run it in linear time. */
function linearRegExp(root: Re2Node, subject: 'ascii' | 'utf16'): RegExp | undefined {
  return linear(root, { subject, captures: false }, '')
}

/** V8 must neither run out of memory over the expression, which ends the process, nor get it wrong. */
function suitsV8(root: Re2Node): boolean {
  return linearSize(root) <= MAX_LINEAR_SIZE && boundaryDepth(root) <= MAX_BOUNDARY_DEPTH && !hasInnerStart(root)
}

function linear(root: Re2Node, options: EmitOptions, flags: '' | 'g'): RegExp | undefined {
  if (!suitsV8(root)) return undefined
  const source = emitJs(root, options)
  if (source === undefined || !isLinear(source)) return undefined
  const regex = new RegExp(source, flags)
  try {
    // V8 compiles on first use, for either kind of string, and may find the expression too large only then
    regex.test('')
    regex.test('\u0100')
    regex.lastIndex = 0
    return regex
  } catch {
    return undefined
  }
}

class CompiledRegex implements Regex {
  readonly pattern: string
  readonly root: Re2Node
  readonly groupNames: readonly (string | undefined)[]
  readonly #anonymous: string
  readonly #dotAll: boolean
  readonly #anchored: boolean
  /** Text that no V8 expression may see, because it would see line borders elsewhere. */
  readonly #avoidsNewlines: boolean
  /** An anchored expression that is nothing but these texts. */
  readonly #texts: ReadonlySet<string> | undefined
  #ascii: RegExp | null | undefined
  #utf16: RegExp | null | undefined
  #exec: RegExp | null | undefined
  #execOfAscii: RegExp | null | undefined
  #slow: RE2JS | undefined

  constructor(pattern: string, anchored: boolean, dotAll: boolean) {
    const parsed: Re2 = parseRe2(pattern, { dotAll })
    this.pattern = pattern
    this.groupNames = parsed.groupNames
    this.#anonymous = parsed.anonymous
    this.#dotAll = dotAll
    this.#anchored = anchored
    this.root = anchored ? anchor(parsed.root) : parsed.root
    this.#avoidsNewlines = hasLineAssertion(parsed.root)
    this.#texts = anchored ? literalTexts(parsed.root) : undefined
  }

  test(text: string): boolean {
    if (this.#texts) return this.#texts.has(text)
    this.#utf16 ??= linearRegExp(this.root, 'utf16') ?? null
    if (this.#utf16 === null || (this.#avoidsNewlines && text.includes('\n'))) return this.#slowEngine().test(text)
    return this.#utf16.test(text)
  }

  testAscii(text: string): boolean {
    if (this.#texts) return this.#texts.has(text)
    this.#ascii ??= linearRegExp(this.root, 'ascii') ?? null
    if (this.#ascii === null || (this.#avoidsNewlines && text.includes('\n'))) return this.#slowEngine().test(text)
    return this.#ascii.test(text)
  }

  exec(text: string, from = 0): RegexMatch | undefined {
    this.#exec ??= this.#compileExec('utf16') ?? null
    return this.#execWith(this.#exec, text, from)
  }

  execAscii(text: string, from = 0): RegexMatch | undefined {
    this.#execOfAscii ??= this.#compileExec('ascii') ?? null
    return this.#execWith(this.#execOfAscii, text, from)
  }

  #execWith(regex: RegExp | null, text: string, from: number): RegexMatch | undefined {
    if (regex === null || (this.#avoidsNewlines && text.includes('\n'))) return this.#slowExec(text, from)
    regex.lastIndex = from
    const match = regex.exec(text)
    return match ? { start: match.index, end: match.index + match[0].length, groups: match } : undefined
  }

  #compileExec(subject: 'ascii' | 'utf16'): RegExp | undefined {
    if (hasAmbiguousExtent(this.root)) return undefined
    return linear(this.root, { subject, captures: true }, 'g')
  }

  #slowExec(text: string, from: number): RegexMatch | undefined {
    const matcher = this.#slowEngine().matcher(text)
    if (!matcher.find(from)) return undefined
    const groups = Array.from({ length: this.groupNames.length + 1 }, (_, i) => matcher.group(i) ?? undefined)
    return { start: matcher.start(), end: matcher.end(), groups }
  }

  #slowEngine(): RE2JS {
    if (this.#slow) return this.#slow
    const pattern = this.#anchored ? `\\A(?:${this.#anonymous})\\z` : this.#anonymous
    try {
      this.#slow = RE2JS.compile(pattern, this.#dotAll ? RE2JS.DOTALL : 0)
    } catch (cause) {
      throw new BadRequest(`error parsing regexp: expression too large: \`${this.pattern}\``, { cause })
    }
    return this.#slow
  }
}

function anchor(root: Re2Node): Re2Node {
  return { op: 'concat', subs: [{ op: 'begin_text' }, root, { op: 'end_text' }] }
}

/** The texts of `a|b|c`, however many; undefined when the expression is anything else. */
function literalTexts(root: Re2Node): ReadonlySet<string> | undefined {
  const texts = new Set<string>()
  const collect = (node: Re2Node): boolean => {
    if (node.op === 'capture') return collect(node.sub)
    if (node.op === 'alternate') return node.subs.every(collect)
    if (node.op === 'empty') texts.add('')
    else if (node.op === 'literal' && !node.fold) texts.add(node.text)
    else return false
    return true
  }
  return collect(root) ? texts : undefined
}

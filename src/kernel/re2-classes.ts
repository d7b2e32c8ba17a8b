/** Character classes of RE2 as sorted, disjoint ranges of runes: pairs (lo, hi), both included. */
import { foldRanges } from './re2-fold.ts'
import { textOfRunes } from './rune-text.ts'

export const MAX_RUNE = 0x10ffff
export type Ranges = readonly number[]

const word = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a]
const digit = [0x30, 0x39]

/** `\d` `\s` `\w`, by the letter. */
export const perlClasses: Readonly<Record<string, Ranges>> = {
  d: digit,
  s: [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20],
  w: word,
}

/** `[[:name:]]`, by the name. */
export const posixClasses: Readonly<Record<string, Ranges>> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0x00, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0x00, 0x1f, 0x7f, 0x7f],
  digit,
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word,
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
}

/** Sorts, merges what overlaps or touches. */
export function normalize(ranges: Ranges): number[] {
  const order: number[] = []
  for (let i = 0; i < ranges.length; i += 2) order.push(i)
  order.sort((a, b) => ranges[a]! - ranges[b]! || ranges[a + 1]! - ranges[b + 1]!)
  const merged: number[] = []
  for (const i of order) {
    const lo = ranges[i]!
    const hi = ranges[i + 1]!
    const last = merged.length - 1
    if (last > 0 && lo <= merged[last]! + 1) merged[last] = Math.max(merged[last]!, hi)
    else merged.push(lo, hi)
  }
  return merged
}

/** Everything that is not in the normalised `ranges`. */
export function negate(ranges: Ranges): number[] {
  const result: number[] = []
  let next = 0
  for (let i = 0; i < ranges.length; i += 2) {
    if (ranges[i]! > next) result.push(next, ranges[i]! - 1)
    next = ranges[i + 1]! + 1
  }
  if (next <= MAX_RUNE) result.push(next, MAX_RUNE)
  return result
}

/**
 * A named group, folded and negated as asked: folding comes first, as in RE2. Made once for each table and way, so that an
 * expression of thousands of classes costs little, and equal classes are the same array.
 */
export function group(ranges: Ranges, options: { readonly fold: boolean; readonly negated: boolean }): Ranges {
  let forms = groups.get(ranges)
  if (!forms) groups.set(ranges, (forms = []))
  return (forms[Number(options.fold) * 2 + Number(options.negated)] ??= makeGroup(ranges, options))
}

/** By table; there are as many as there are categories, scripts and names. */
const groups = new Map<Ranges, Ranges[]>()

function makeGroup(ranges: Ranges, options: { readonly fold: boolean; readonly negated: boolean }): Ranges {
  const folded = normalize(options.fold ? foldRanges(ranges) : ranges)
  return options.negated ? negate(folded) : folded
}

const anyRune: Ranges = [0, MAX_RUNE]
const categories = new Set(
  'C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs'.split(' '),
)
/** Tables are made on first use and kept: there are fewer than 250 categories and scripts. */
const tables = new Map<string, Ranges>()

/** `\p{name}`: a general category or a script, in the version of Unicode of the runtime; undefined when there is none. */
export function unicodeClass(name: string): Ranges | undefined {
  if (name === 'Any') return anyRune
  const known = tables.get(name)
  if (known) return known
  if (!/^[A-Za-z_]+$/.test(name)) return undefined
  const property = categories.has(name) ? `gc=${name}` : `Script=${name}`
  // to RE2, runes that are not assigned are in no category
  const members = name === 'C' ? '\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}' : `\\p{${property}}`
  let pattern: RegExp
  try {
    pattern = new RegExp(`[${members}]+`, 'gu')
  } catch {
    return undefined
  }
  const ranges = scanRanges(pattern)
  tables.set(name, ranges)
  return ranges
}

/** Where Unicode has assigned runes: four planes, the tags and variation selectors, and two planes for private use. */
const assigned = [0, 0x3ffff, 0xe0000, 0xe0fff, 0xf0000, MAX_RUNE] as const

function scanRanges(pattern: RegExp): number[] {
  const ranges: number[] = []
  for (let i = 0; i < assigned.length; i += 2) {
    for (const match of textOfRunes(assigned[i]!, assigned[i + 1]!).matchAll(pattern)) {
      ranges.push(match[0].codePointAt(0)!, lastRune(match[0]))
    }
  }
  return normalize(ranges)
}

function lastRune(text: string): number {
  const unit = text.charCodeAt(text.length - 1)
  return unit >= 0xdc00 && unit <= 0xdfff ? text.codePointAt(text.length - 2)! : unit
}

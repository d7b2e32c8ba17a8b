/**
 * What the cut text of lines (`storage/column/cut-text.ts`) says of a filter that was made for whole lines: often which rows pass,
 * more often which cannot. Only rows that are left need their lines put together.
 */
import { everyRequired } from '#/kernel/re2-literals.ts'
import { childrenOf, isAssertion, type Re2Node } from '#/kernel/re2-node.ts'
import { isFoundInCutText, partInCutText } from '#/storage/column/cut-text.ts'
import { foldedNeedle, type FoldedNeedle } from './fold-search.ts'
import type { LineTests } from './line-filter.ts'
import type { LineRegex } from './line-regex.ts'
import type { LineSelector } from './row.ts'
import type { CutTexts } from '#/storage/column/line-texts.ts'

/** Shorter texts are in too many lines. */
const MIN_PART = 3

/** Whether the tests come to the same in the cut text of a line as in the line. */
export function decidesOnCutLines({ needles, regexes, patterns, ips }: LineTests): boolean {
  if (patterns.length + ips.length > 0) return false
  return needles.every(isFoundInCutText) && regexes.every(isRegexOfCutText)
}

/** Tests that hold in the cut text of every line in which `tests` hold; undefined when none are known. */
export function testsOfCutLines({ needles, regexes, patterns, ips, folded }: LineTests): LineTests | undefined {
  if (ips.length > 0) return undefined
  const plain: (Uint8Array | undefined)[] = needles.map(partOf)
  const anyCase: (FoldedNeedle | undefined)[] = [...folded]
  const whole: LineRegex[] = []
  for (const regex of regexes) {
    if (isRegexOfCutText(regex)) whole.push(regex)
    else if (regex.needles) plain.push(...regex.needles.map(partOf))
    else if (!regex.folded || regex.folded.missesForeign) return undefined
    else {
      anyCase.push(...regex.folded.needles.map(foldedPartOf))
      plain.push(...regex.folded.strangers)
    }
  }
  for (const { literals } of patterns) plain.push(longest(literals.map(partOf)))
  if (plain.includes(undefined) || anyCase.includes(undefined)) return undefined
  return {
    needles: plain.filter((part) => part !== undefined).map((part) => Buffer.from(part)),
    regexes: whole,
    patterns: [],
    ips: [],
    folded: anyCase.filter((part) => part !== undefined),
  }
}

function partOf(needle: Uint8Array): Uint8Array | undefined {
  return partInCutText(needle, MIN_PART)
}

/**
 * What is cut out has lower-case letters only, so that a text in another case may lie at its ends where the same in lower case
 * may, and nowhere else.
 */
function foldedPartOf({ bytes }: FoldedNeedle): FoldedNeedle | undefined {
  const part = partOf(bytes)
  return part && foldedNeedle(Buffer.from(part).toString('latin1'))
}

function longest(parts: readonly (Uint8Array | undefined)[]): Uint8Array | undefined {
  return parts.reduce((best, part) => ((part?.length ?? 0) > (best?.length ?? 0) ? part : best), undefined)
}

/** Whether the lines that match are those whose cut text matches. */
function isRegexOfCutText({ folded, isOfLetters, regex }: LineRegex): boolean {
  if (folded?.decides) {
    const { needles, strangers, missesForeign } = folded
    return !missesForeign && strangers.length === 0 && needles.every(({ bytes }) => isFoundInCutText(bytes))
  }
  // a match that is all letters and has one that no piece has lies beside all pieces
  return (
    isOfLetters &&
    everyRequired(regex.root).some(({ texts }) => texts.every((text) => /[^a-f]/.test(text.toLowerCase())))
  )
}

const letters = [
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
] as const

/** Whether every match is letters of ASCII and underscores, whatever stands around it. */
export function isRegexOfLetters(node: Re2Node): boolean {
  if (isAssertion(node) || node.op === 'any') return false
  // the long s and the Kelvin sign are letters of these in another case
  if (node.op === 'literal') return /^[A-Za-z_]*$/.test(node.text) && !(node.fold && /[ks]/i.test(node.text))
  if (node.op === 'class') return isClassOfLetters(node.ranges)
  return childrenOf(node).every(isRegexOfLetters)
}

function isClassOfLetters(ranges: readonly number[]): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (!letters.some(([from, to]) => ranges[i]! >= from && ranges[i + 1]! <= to)) return false
  }
  return true
}

/** As `select`, of rows whose short form passes: each text is asked once, however many rows have it. */
export function selectByText(selector: LineSelector, cut: CutTexts, rows: Uint32Array, count: number): number {
  const { text, textStart, isOnce } = cut
  if (!isOnce) return selector.select(text, textStart, rows, count)
  const textCount = textStart.length - 1
  const texts = new Uint32Array(textCount)
  for (let i = 0; i < textCount; i++) texts[i] = i
  const passing = selector.select(text, textStart, texts, textCount)
  if (passing === 0) return 0
  if (passing === textCount) return count
  const textOfRow = cut.textOfRow!
  const passes = new Uint8Array(textCount)
  for (let i = 0; i < passing; i++) passes[texts[i]!] = 1
  let kept = 0
  for (let i = 0; i < count; i++) if (passes[textOfRow[rows[i]!]!] === 1) rows[kept++] = rows[i]!
  return kept
}

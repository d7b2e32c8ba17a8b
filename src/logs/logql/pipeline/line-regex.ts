/**
 * A regular expression as a filter of lines. By what the expression is, from fast to slow:
 *
 * 1. nothing but texts (`error|warn`, `.*error.*`): needles, without any expression (decided in ./line-filter.ts);
 * 2. texts of which every match contains one, case by case: rows with such a text first, then the expression on these only;
 * 3. the same in any case (./fold-search.ts); when the expression is nothing but such texts, they decide;
 * 4. row by row.
 *
 * V8 reads a line as Latin-1, which is right for ASCII only; lines with other bytes are decoded on their own. No expression
 * runs over more than one line: V8's patience with backtracking is per search, and the linear engine behind it is slow.
 */
import { isAscii } from 'node:buffer'
import { latin1Text, utf8Text } from '#/kernel/buffer-text.ts'
import { asciiFold } from '#/kernel/re2-fold.ts'
import { pureLiterals, requiredLiterals, type Literals } from '#/kernel/re2-literals.ts'
import type { Regex } from '#/platform/regex/compile.ts'
import { isRegexOfLetters } from './cut-filter.ts'
import { foldedNeedle, hasFolded, markFolded, type FoldedNeedle } from './fold-search.ts'
import { forEachPart, isSparse, markNeedle, type LineRows, type Marks } from './line-rows.ts'

/** Shorter texts are in too many lines to be worth a search of their own. */
const MIN_NEEDLE = 2
/** Bytes that become one string. */
const MAX_PART = 4 << 20

export type LineRegex = {
  readonly regex: Regex
  /** A matching line contains one of these. */
  readonly needles: readonly Buffer[] | undefined
  readonly folded: FoldedTexts | undefined
  /** Matches are letters of ASCII, so that other bytes of a line may be read as whatever one likes. */
  readonly isOfLetters: boolean
}

/** Texts in any case. */
type FoldedTexts = {
  /** A matching line of ASCII contains one of these. */
  readonly needles: readonly FoldedNeedle[]
  /** A line with one of these matches for certain. */
  readonly decides: boolean
  /** Runes beyond ASCII that are letters of the needles in another case: lines with one may match as well. */
  readonly strangers: readonly Buffer[]
  /** Texts with other letters than ASCII's: any line with such letters may match as well. */
  readonly missesForeign: boolean
}

export function compileLineRegex(regex: Regex): LineRegex {
  const pure = pureLiterals(regex.root)
  const literals = pure?.fold ? pure : requiredLiterals(regex.root)
  const decides = pure?.fold === true
  const isUseful = literals && (decides || literals.texts.every((text) => text.length >= MIN_NEEDLE))
  return {
    regex,
    needles: isUseful && !literals.fold ? literals.texts.map((text) => Buffer.from(text)) : undefined,
    folded: isUseful && literals.fold ? foldTexts(literals, decides) : undefined,
    isOfLetters: isRegexOfLetters(regex.root),
  }
}

/** The long s and the Kelvin sign. */
const strangers = [
  ['s', '\u017f'],
  ['k', '\u212a'],
] as const

function foldTexts({ texts }: Literals, decides: boolean): FoldedTexts {
  const folded = texts.map(asciiFold)
  return {
    // a text with a rune that equals no ASCII rune is in no ASCII line
    needles: folded.flatMap((text) => (text === undefined ? [] : [foldedNeedle(text)])),
    decides,
    strangers: strangers.flatMap(([letter, rune]) =>
      folded.some((text) => text?.includes(letter)) ? [Buffer.from(rune)] : [],
    ),
    missesForeign: folded.includes(undefined),
  }
}

/** False only when certainly none of these lines, which stand back to back, matches. */
export function mayMatchRegex(lines: Buffer, { needles, folded }: LineRegex): boolean {
  if (needles) return needles.some((needle) => lines.includes(needle))
  if (!folded || folded.missesForeign || folded.strangers.some((stranger) => lines.includes(stranger))) return true
  return folded.needles.some((needle) => hasFolded(lines, needle))
}

export function markRegex(page: LineRows, lineRegex: LineRegex, marks: Marks): void {
  const { needles, folded } = lineRegex
  if (!needles && !folded) return markRows(page, lineRegex, marks)
  const hits = new Uint8Array(page.count)
  for (const needle of needles ?? []) markNeedle(page, needle, hits)
  for (const needle of folded?.needles ?? []) markFolded(page, needle, hits)
  if (folded?.decides) {
    for (let i = 0; i < page.count; i++) if (hits[i] !== 0) marks[i] = 1
    hits.fill(0)
  }
  for (const stranger of folded?.strangers ?? []) markNeedle(page, stranger, hits)
  if (folded?.missesForeign) markForeign(page, hits)
  markChosen(page, hits, lineRegex, marks)
}

/** Marks those of the rows with a hit that match. */
function markChosen(page: LineRows, hits: Marks, regex: LineRegex, marks: Marks): void {
  const rows = new Uint32Array(page.count)
  const positions = new Uint32Array(page.count)
  let count = 0
  for (let i = 0; i < page.count; i++) {
    if (hits[i] === 0 || marks[i] !== 0) continue
    positions[count] = i
    rows[count++] = page.rows[i]!
  }
  if (count === 0) return
  const found = new Uint8Array(count)
  markRows({ ...page, rows, count }, regex, found)
  for (let i = 0; i < count; i++) if (found[i] !== 0) marks[positions[i]!] = 1
}

function markRows(page: LineRows, regex: LineRegex, marks: Marks): void {
  if (isSparse(page)) {
    for (let i = 0; i < page.count; i++) if (matchesRow(page, i, regex)) marks[i] = 1
    return
  }
  forEachPart(page, MAX_PART, (part, from) => markPart(part, regex, marks.subarray(from, from + part.count)))
}

const beyondAscii = /[\x80-\xff]/g
const hasBeyondAscii = /[\x80-\xff]/

function matchesRow({ lines, lineStart, rows }: LineRows, i: number, { regex, isOfLetters }: LineRegex): boolean {
  const start = lineStart[rows[i]!]!
  const end = lineStart[rows[i]! + 1]!
  const text = latin1Text(lines, start, end)
  return !isOfLetters && hasBeyondAscii.test(text) ? regex.test(utf8Text(lines, start, end)) : regex.testAscii(text)
}

function markPart(part: LineRows, { regex, isOfLetters }: LineRegex, marks: Marks): void {
  const { lines, lineStart, rows, count } = part
  const base = lineStart[rows[0]!]!
  const end = lineStart[rows[count - 1]! + 1]!
  const text = latin1Text(lines, base, end)
  const foreign = isOfLetters || isAscii(lines.subarray(base, end)) ? undefined : new Uint8Array(count)
  if (foreign) markForeignText(part, text, base, foreign)
  for (let i = 0; i < count; i++) {
    const start = lineStart[rows[i]!]!
    const stop = lineStart[rows[i]! + 1]!
    const isMatch =
      foreign && foreign[i] !== 0
        ? regex.test(utf8Text(lines, start, stop))
        : regex.testAscii(text.slice(start - base, stop - base))
    if (isMatch) marks[i] = 1
  }
}

/** Marks the rows with bytes beyond ASCII. */
function markForeign(page: LineRows, marks: Marks): void {
  if (page.count === 0) return
  forEachPart(page, MAX_PART, (part, from) => {
    const { lines, lineStart, rows, count } = part
    const base = lineStart[rows[0]!]!
    const end = lineStart[rows[count - 1]! + 1]!
    if (isAscii(lines.subarray(base, end))) return
    markForeignText(part, latin1Text(lines, base, end), base, marks.subarray(from, from + count))
  })
}

function markForeignText({ lineStart, rows, count }: LineRows, text: string, base: number, marks: Marks): void {
  beyondAscii.lastIndex = 0
  let i = 0
  while (i < count && beyondAscii.test(text)) {
    const hit = base + beyondAscii.lastIndex - 1
    while (i < count && lineStart[rows[i]! + 1]! <= hit) i++
    if (i === count) break
    if (lineStart[rows[i]!]! <= hit) marks[i++] = 1
    if (i < count) beyondAscii.lastIndex = lineStart[rows[i]!]! - base
  }
}

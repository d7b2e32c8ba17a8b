/**
 * A regular expression as a filter of lines. By what the expression is, from fast to slow:
 *
 * 1. nothing but texts (`error|warn`, `.*error.*`): needles, without any expression (decided in ./line-filter.ts);
 * 2. texts of which every match contains one, case by case: rows with such a text first, then the expression on these only;
 * 3. the same with folded case: texts are searched in the lower-cased page;
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
import { forEachPart, isSparse, markNeedle, type LineRows, type Marks } from './line-rows.ts'

/** Shorter texts are in too many lines to be worth a search of their own. */
const MIN_NEEDLE = 2
/** Bytes that become one string. */
const MAX_PART = 4 << 20

export type LineRegex = {
  readonly regex: Regex
  /** A matching line contains one of these. */
  readonly needles: readonly Buffer[] | undefined
  /** A matching line of ASCII contains one of these once it is in lower case. */
  readonly folded: readonly Buffer[] | undefined
  /** An ASCII line with one of `folded` matches for certain. */
  readonly foldedDecides: boolean
}

export function compileLineRegex(regex: Regex): LineRegex {
  const pure = pureLiterals(regex.root)
  const literals = pure?.fold ? pure : requiredLiterals(regex.root)
  const foldedDecides = pure?.fold === true
  const isUseful = literals && (foldedDecides || literals.texts.every((text) => text.length >= MIN_NEEDLE))
  return {
    regex,
    needles: isUseful && !literals.fold ? literals.texts.map((text) => Buffer.from(text)) : undefined,
    folded: isUseful && literals.fold ? foldedTexts(literals) : undefined,
    foldedDecides,
  }
}

/** Texts with a rune that equals no ASCII rune are in no ASCII line. */
function foldedTexts({ texts }: Literals): Buffer[] {
  return texts.flatMap((text) => {
    const folded = asciiFold(text)
    return folded === undefined ? [] : [Buffer.from(folded)]
  })
}

export function markRegex(page: LineRows, line: LineRegex, marks: Marks): void {
  if (line.needles) markBehindNeedles(page, line.needles, line.regex, marks)
  else markRows(page, line, marks)
}

function markBehindNeedles(page: LineRows, needles: readonly Buffer[], regex: Regex, marks: Marks): void {
  const hits = new Uint8Array(page.count)
  for (const needle of needles) markNeedle(page, needle, hits)
  const rows = new Uint32Array(page.count)
  const positions = new Uint32Array(page.count)
  let count = 0
  for (let i = 0; i < page.count; i++) {
    if (hits[i] === 0) continue
    positions[count] = i
    rows[count++] = page.rows[i]!
  }
  const found = new Uint8Array(count)
  markRows({ ...page, rows, count }, { regex, needles: undefined, folded: undefined, foldedDecides: false }, found)
  for (let i = 0; i < count; i++) if (found[i] !== 0) marks[positions[i]!] = 1
}

function markRows(page: LineRows, line: LineRegex, marks: Marks): void {
  if (isSparse(page)) {
    for (let i = 0; i < page.count; i++) if (matchesRow(page, i, line.regex)) marks[i] = 1
    return
  }
  forEachPart(page, MAX_PART, (part, from) => markPart(part, line, marks.subarray(from, from + part.count)))
}

const beyondAscii = /[\x80-\xff]/g
const hasBeyondAscii = /[\x80-\xff]/

function matchesRow({ lines, lineStart, rows }: LineRows, i: number, regex: Regex): boolean {
  const start = lineStart[rows[i]!]!
  const end = lineStart[rows[i]! + 1]!
  const text = latin1Text(lines, start, end)
  return hasBeyondAscii.test(text) ? regex.test(utf8Text(lines, start, end)) : regex.testAscii(text)
}

function markPart(part: LineRows, line: LineRegex, marks: Marks): void {
  const { lines, lineStart, rows, count } = part
  const base = lineStart[rows[0]!]!
  const end = lineStart[rows[count - 1]! + 1]!
  const text = latin1Text(lines, base, end)
  const foreign = isAscii(lines.subarray(base, end)) ? undefined : markForeign(part, text, base)
  for (let i = 0; foreign && i < count; i++) {
    if (foreign[i] === 0) continue
    if (line.regex.test(utf8Text(lines, lineStart[rows[i]!]!, lineStart[rows[i]! + 1]!))) marks[i] = 1
  }
  const candidates = line.folded && markFolded(part, text, base, line.folded)
  for (let i = 0; i < count; i++) {
    if ((foreign && foreign[i] !== 0) || (candidates && candidates[i] === 0)) continue
    const row = rows[i]!
    const isMatch =
      line.foldedDecides || line.regex.testAscii(text.slice(lineStart[row]! - base, lineStart[row + 1]! - base))
    if (isMatch) marks[i] = 1
  }
}

/** Marks the rows with bytes beyond ASCII; undefined when there are none. */
function markForeign({ lineStart, rows, count }: LineRows, text: string, base: number): Marks | undefined {
  beyondAscii.lastIndex = 0
  let foreign: Uint8Array | undefined
  let i = 0
  while (i < count && beyondAscii.test(text)) {
    const hit = base + beyondAscii.lastIndex - 1
    while (i < count && lineStart[rows[i]! + 1]! <= hit) i++
    if (i === count) break
    const isInRow = lineStart[rows[i]!]! <= hit
    if (isInRow) {
      foreign ??= new Uint8Array(count)
      foreign[i++] = 1
    }
    if (i < count) beyondAscii.lastIndex = lineStart[rows[i]!]! - base
  }
  return foreign
}

/** Marks the rows that have one of the texts in them once all is in lower case; only the answers for ASCII rows are right. */
function markFolded(part: LineRows, text: string, base: number, needles: readonly Buffer[]): Marks {
  const lower = Buffer.from(text.toLowerCase(), 'latin1')
  const marks = new Uint8Array(part.count)
  for (const needle of needles) markNeedle({ ...part, lines: lower, base }, needle, marks)
  return marks
}

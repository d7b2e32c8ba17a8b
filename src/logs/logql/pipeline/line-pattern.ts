/** The patterns of `|> "…"`: texts in their order, with something between them where `<_>` stands. */
import { parseLinePattern } from '#/logs/logql/stages/line-pattern.ts'
import { findBytes } from './byte-search.ts'
import { markNeedle, type LineRows, type Marks } from './line-rows.ts'

export type CompiledLinePattern = {
  readonly literals: readonly Buffer[]
  readonly startsWithCapture: boolean
  readonly endsWithCapture: boolean
  /** The longest of the texts, which stand all in a line that matches. */
  readonly longest: Buffer | undefined
}

export function compileLinePattern(text: string): CompiledLinePattern {
  const parts = parseLinePattern(text)
  const literals = parts.flatMap((part) => (part.kind === 'literal' ? [Buffer.from(part.text)] : []))
  return {
    literals,
    longest: literals.toSorted((a, b) => b.length - a.length)[0],
    startsWithCapture: parts[0]?.kind === 'capture',
    endsWithCapture: parts.at(-1)?.kind === 'capture',
  }
}

/** Sets the marks of the rows whose lines match. */
export function markLinePattern(page: LineRows, pattern: CompiledLinePattern, marks: Marks): void {
  const { lines, base, lineStart, rows, count } = page
  const hits = new Uint8Array(count)
  if (pattern.longest) markNeedle(page, pattern.longest, hits)
  else hits.fill(1)
  for (let i = 0; i < count; i++) {
    if (hits[i] === 0 || marks[i] !== 0) continue
    const row = rows[i]!
    if (matchesLinePattern(pattern, lines, lineStart[row]! - base, lineStart[row + 1]! - base)) marks[i] = 1
  }
}

/**
 * Takes the first place of each text from left to right, and never comes back for a later one. What a `<_>` covers is not
 * empty; the first text may stand anywhere; behind the last one the line must end, unless a `<_>` follows.
 */
export function matchesLinePattern(pattern: CompiledLinePattern, bytes: Buffer, start: number, end: number): boolean {
  const { literals, startsWithCapture, endsWithCapture } = pattern
  if (literals.length === 0) return startsWithCapture ? end > start : end === start
  let at = start
  for (let i = 0; i < literals.length; i++) {
    const literal = literals[i]!
    const hit = findBytes(bytes, literal, at, end)
    if (hit < 0 || (hit === at && (i > 0 || startsWithCapture))) return false
    at = hit + literal.length
  }
  return endsWithCapture ? at < end : at === end
}

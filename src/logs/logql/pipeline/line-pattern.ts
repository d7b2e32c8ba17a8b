/** The patterns of `|> "…"`: texts in their order, with something between them where `<_>` stands. */
import { parseLinePattern } from '#/logs/logql/stages/line-pattern.ts'

export type CompiledLinePattern = {
  readonly literals: readonly Buffer[]
  readonly startsWithCapture: boolean
  readonly endsWithCapture: boolean
}

export function compileLinePattern(text: string): CompiledLinePattern {
  const parts = parseLinePattern(text)
  return {
    literals: parts.flatMap((part) => (part.kind === 'literal' ? [Buffer.from(part.text)] : [])),
    startsWithCapture: parts[0]?.kind === 'capture',
    endsWithCapture: parts.at(-1)?.kind === 'capture',
  }
}

/**
 * Takes the first place of each text from left to right, and never comes back for a later one. What a `<_>` covers is not
 * empty; the first text may stand anywhere; behind the last one the line must end, unless a `<_>` follows.
 */
export function matchesLinePattern(pattern: CompiledLinePattern, line: Buffer): boolean {
  const { literals, startsWithCapture, endsWithCapture } = pattern
  if (literals.length === 0) return startsWithCapture ? line.length > 0 : line.length === 0
  let at = 0
  for (const [index, literal] of literals.entries()) {
    const hit = line.indexOf(literal, at)
    if (hit < 0) return false
    if (hit === at && (index > 0 || startsWithCapture)) return false
    at = hit + literal.length
  }
  return endsWithCapture ? at < line.length : at === line.length
}

/** The pattern language of `|> "…"` and `| pattern "…"`: literals, `<_>` (skip) and `<name>` (capture). */
import { firstRepeated } from './repeated-name.ts'

/** `name` is undefined for `<_>`. */
export type PatternPart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'capture'; readonly name: string | undefined }

const capture = /<([a-zA-Z_][a-zA-Z0-9_]*)>/g

/** Takes a pattern apart. What is not a capture is literal text, a lone `<` too; no two literals stand side by side. */
export function parseLinePattern(text: string): PatternPart[] {
  const parts: PatternPart[] = []
  let end = 0
  for (const match of text.matchAll(capture)) {
    if (match.index > end) parts.push({ kind: 'literal', text: text.slice(end, match.index) })
    parts.push({ kind: 'capture', name: match[1] === '_' ? undefined : match[1]! })
    end = match.index + match[0].length
  }
  if (end < text.length) parts.push({ kind: 'literal', text: text.slice(end) })
  return parts
}

/** What is wrong with the pattern of a line filter; an empty one matches empty lines. */
export function lineFilterPatternProblem(text: string): string | undefined {
  const parts = parseLinePattern(text)
  if (parts.some((part) => part.kind === 'capture' && part.name !== undefined)) return 'named captures are not allowed'
  return hasNeighbours(parts) ? `invalid expression: consecutive captures in '${text}'` : undefined
}

/** What is wrong with the pattern of a `pattern` stage. */
export function parserPatternProblem(text: string): string | undefined {
  const parts = parseLinePattern(text)
  const names = parts.flatMap((part) => (part.kind === 'capture' && part.name !== undefined ? [part.name] : []))
  if (names.length === 0) return 'at least one capture is required'
  if (hasNeighbours(parts)) return `invalid expression: consecutive captures in '${text}'`
  const twice = firstRepeated(names)
  return twice === undefined ? undefined : `duplicate capture name (${twice})`
}

function hasNeighbours(parts: readonly PatternPart[]): boolean {
  return parts.some((part, index) => part.kind === 'capture' && parts[index + 1]?.kind === 'capture')
}

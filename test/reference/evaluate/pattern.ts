/** `| pattern "<ip> - <_> \"<method>\""`, and the pattern language that line filters have too. */
import type { EntryState, Needed } from './entry-state.ts'
import { cleaned, Extraction } from './entry-state.ts'

export type Part = { readonly kind: 'literal' | 'capture'; readonly text: string }

/** `<name>` and `<_>` are captures, all else is literal. */
export function patternParts(pattern: string): Part[] {
  return pattern
    .split(/(<[a-zA-Z_]\w*>)/)
    .filter((text) => text !== '')
    .map((text) =>
      /^<[a-zA-Z_]\w*>$/.test(text) ? { kind: 'capture', text: text.slice(1, -1) } : { kind: 'literal', text },
    )
}

/** Each capture goes up to the first place of the text behind it; when that is missing it takes the rest and all is over. */
export function runPattern(pattern: string, state: EntryState, needed: Needed): EntryState {
  const parts = patternParts(pattern)
  const extraction = new Extraction(state, needed)
  let rest = state.line
  if (parts[0]?.kind === 'literal') {
    if (!rest.startsWith(parts[0].text)) return state
    rest = rest.slice(parts[0].text.length)
  }
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'literal') continue
    const next = parts[index + 1]?.text
    const at = next === undefined ? -1 : rest.indexOf(next)
    const value = at < 0 ? rest : rest.slice(0, at)
    if (part.text !== '_') extraction.add(part.text, cleaned(value))
    if (at < 0 || next === undefined) break
    rest = rest.slice(at + next.length)
  }
  return extraction.state
}

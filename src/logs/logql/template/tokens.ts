/** The tokens of a template. Blanks inside actions are tokens, too: `.a.b` is one operand and `.a .b` are two. */
import { quoteGo } from '#/kernel/go-quote.ts'

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'blank'
  | '|'
  | '('
  | ')'
  | '='
  | ':='
  | 'character'
  | 'string'
  | 'number'
  | 'rune'
  | 'bool'
  | 'nil'
  | 'dot'
  | 'field'
  | 'variable'
  | 'name'
  | 'keyword'
  | 'eof'
  | 'fault'

export type Token = {
  readonly kind: TokenKind
  /** As written; of a fault, what is wrong. */
  readonly text: string
  readonly at: number
  readonly line: number
}

/** A token as messages name it. */
export function describeToken({ kind, text }: Token): string {
  if (kind === 'eof') return 'EOF'
  if (kind === 'fault') return text
  if (kind === 'keyword' || kind === 'dot' || kind === 'nil') return `<${text}>`
  const runes = Array.from(text)
  return runes.length > 10 ? `${quoteGo(runes.slice(0, 10).join(''))}...` : quoteGo(text)
}
